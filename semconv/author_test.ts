import assert from "node:assert/strict";
import { dirname } from "node:path";
import { authorsRegistry, constantsOf, ownRegistry } from "./author.ts";

const OWN = await ownRegistry();

// The files of a folder named `my`, and what becomes of them.
async function generated(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await Deno.makeTempDir();
  try {
    for (const [name, text] of Object.entries(files)) {
      await Deno.mkdir(dirname(`${folder}/${name}`), { recursive: true });
      await Deno.writeTextFile(`${folder}/${name}`, text);
    }
    return await constantsOf(
      await authorsRegistry(new URL(`file://${folder}/`), "my", OWN),
      "my",
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

// The example of the reference page, which must hold what it promises.
const EXAMPLE = /```yaml\n([\s\S]*?)```/.exec(
  await Deno.readTextFile(new URL("README.md", import.meta.url)),
)?.[1] ?? "";

Deno.test("an author's constants are those of the folder and of what it refers to", async () => {
  const text = await generated({
    "manifest.yaml": "schema_url: https://example.com/schemas/1.0.0",
    "orders.yaml": EXAMPLE,
    "more/metrics.yaml": `
imports: { metrics: [http.client.request.duration] }
groups:
  - id: metric.orders.open
    type: metric
    metric_name: orders.open
    instrument: updowncounter
    unit: "{order}"
    stability: development
    brief: Open orders.
    attributes: [{ ref: spanloop.step.id }]
  - { id: event.orders.lost, type: event, name: orders.lost, stability: development, brief: Lost. }
`,
  });
  assert.match(text, /^\/\/ Generated from my by /);
  assert.match(text, /export const ORDERS_SOURCE = "orders\.source";/);
  assert.match(
    text,
    /\/\*\* The database\. Defined by OpenTelemetry\. \*\/\nexport const DB_SYSTEM_NAME = /,
  );
  assert.match(text, /export const SPANLOOP_STEP_ID = "spanloop\.step\.id";/);
  assert.match(text, /export const METRIC_ORDERS_OPEN = \{\s*name: "orders\.open",/);
  assert.match(text, /export const METRIC_HTTP_CLIENT_REQUEST_DURATION = \{[^}]*unit: "s"/);
  assert.match(text, /export const EVENT_ORDERS_LOST = "orders\.lost";/);
  assert.doesNotMatch(text, /SPANLOOP_STEP_TYPE|CICD_/);
  const module = await import(`data:application/typescript,${encodeURIComponent(text)}`);
  assert.equal(module.ORDERS_SOURCE, "orders.source");
  assert.equal(module.METRIC_ORDERS_OPEN.instrument, "updowncounter");
});

const GROUP =
  "groups:\n  - id: registry.x\n    type: attribute_group\n    display_name: X\n    brief: X.\n";
const SPAN = "groups:\n  - id: span.x\n    type: span\n    span_kind: internal\n    brief: X.\n" +
  "    stability: stable\n";
const ATTRIBUTE = "id: x.a, type: string, stability: stable, brief: A., examples: [a]";

for (
  const [what, text, message] of [
    [
      "a misspelt reference",
      `${SPAN}    attributes:\n      - ref: db.system.nam\n`,
      /^my\/x\.yaml:8: refers to db\.system\.nam, which neither/,
    ],
    [
      "a reference to what is deprecated",
      `${SPAN}    attributes: [{ ref: http.status_code }]`,
      /^my\/x\.yaml:7: refers to http\.status_code, which is deprecated: use http\.response\.status_code/,
    ],
    [
      "a key of OpenTelemetry's",
      `${GROUP}    attributes:\n      - { ${ATTRIBUTE.replace("x.a", "http.route")} }`,
      /^my\/x\.yaml:7: defines http\.route, which OpenTelemetry defines/,
    ],
    [
      "a key of Spanloop's",
      `${GROUP}    attributes:\n      - { ${ATTRIBUTE.replace("x.a", "spanloop.step.id")} }`,
      /^my\/x\.yaml:7: defines spanloop\.step\.id, which the registry that this one builds upon defines/,
    ],
    [
      "a key without examples",
      `${GROUP}    attributes:\n      - { ${ATTRIBUTE.replace(", examples: [a]", "")} }`,
      /^my\/x\.yaml:7: x\.a lacks `examples`/,
    ],
    [
      "a key without stability",
      `${GROUP}    attributes:\n      - { ${ATTRIBUTE.replace("stability: stable, ", "")} }`,
      /^my\/x\.yaml:7: x\.a lacks `stability`/,
    ],
    [
      "a known value without stability",
      `${GROUP}    attributes:\n      - { ${
        ATTRIBUTE.replace("type: string", "type: { members: [{ id: a, value: a, brief: A. }] }")
      } }`,
      /^my\/x\.yaml:7: a lacks `stability`/,
    ],
    [
      "an unknown type of group",
      "groups:\n  - { id: x, type: trace, brief: X. }",
      /^my\/x\.yaml:2: x is of type trace/,
    ],
    [
      "an unknown instrument",
      "groups:\n  - { id: metric.x, type: metric, metric_name: x, instrument: timer, unit: s, stability: stable, brief: X. }",
      /^my\/x\.yaml:2: timer is no instrument/,
    ],
    [
      "an unknown requirement level",
      `${SPAN}    attributes:\n      - { ref: error.type, requirement_level: always }`,
      /^my\/x\.yaml:8: always is no requirement level/,
    ],
    [
      "an unknown key of live_check",
      `${SPAN}    annotations: { live_check: { nam: x } }`,
      /^my\/x\.yaml:7: `live_check` takes attribute, without, name, scope, not nam/,
    ],
    [
      "a group that extends itself",
      `${SPAN}    extends: span.x`,
      /^my\/x\.yaml:2: span\.x extends itself/,
    ],
    ["a group that extends none", `${SPAN}    extends: span.y`, /^my\/x\.yaml:2: extends span\.y/],
    [
      "a misspelt reference in a group that nothing extends",
      `${GROUP}    attributes:\n      - ref: db.system.nam\n`,
      /^my\/x\.yaml:7: refers to db\.system\.nam, which neither/,
    ],
    [
      "two keys that make one constant",
      `${GROUP}    attributes:\n      - { ${ATTRIBUTE} }\n      - { ${
        ATTRIBUTE.replace("x.a", "x_a")
      } }`,
      /^my\/x\.yaml:8: x_a makes the constant X_A, as what is defined at my\/x\.yaml:7 does/,
    ],
    ["text that is no YAML", "groups:\n  - [", /^my\/x\.yaml:\d: /],
    ["a list at the top", "- groups", /^my\/x\.yaml:1: a registry's file is a mapping/],
  ] as const
) {
  Deno.test(`an author's mistake is told with file and line: ${what}`, async () => {
    await assert.rejects(generated({ "x.yaml": text }), (error: Error) => {
      assert.match(error.message, message);
      return true;
    });
  });
}

Deno.test("a folder that does not exist is named", async () => {
  await assert.rejects(
    authorsRegistry(new URL("file:///nowhere/"), "my/registry", OWN),
    /Cannot read the registry my\/registry: it does not exist/,
  );
});
