import assert from "node:assert/strict";
import * as conventions from "@opentelemetry/semantic-conventions/incubating";
import * as attributes from "./attributes.ts";
import { stale } from "./generate.ts";
import { readRegistry, RegistryError } from "./registry.ts";
import { renderAttributes, renderReference } from "./render.ts";

const HERE = new URL("./", import.meta.url);
const OWN = `
groups:
  - id: registry.spanloop.x
    type: attribute_group
    display_name: X
    brief: X.
    attributes:
      - { id: spanloop.x, type: string, stability: development, brief: An x., examples: ["a"] }
`;

function span(key: string): string {
  return `
groups:
  - id: span.spanloop.x
    type: span
    span_kind: internal
    stability: development
    brief: X.
    attributes: [{ ref: ${key}, requirement_level: required, brief: Something. }]
`;
}

Deno.test("generated files hold what the registry says", async () => {
  assert.deepEqual(await stale(HERE), []);
});

Deno.test("stale() names a generated file that somebody edited or removed", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${folder}/registry`);
    for (const name of ["registry/attributes.yaml", "registry/spans.yaml", "attributes.ts"]) {
      await Deno.copyFile(new URL(name, HERE), `${folder}/${name}`);
    }
    const text = await Deno.readTextFile(`${folder}/attributes.ts`);
    const url = new URL(`file://${folder}/`);
    assert.deepEqual(await stale(url), ["README.md"]);
    await Deno.writeTextFile(
      `${folder}/attributes.ts`,
      text.replace("spanloop.attempt", "spanloop.try"),
    );
    assert.deepEqual(await stale(url), ["attributes.ts", "README.md"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("constants that are not ours are spelt as in OpenTelemetry's package", () => {
  const theirs = conventions as Readonly<Record<string, unknown>>;
  let checked = 0;
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function" || name.startsWith("SPANLOOP_")) continue;
    assert.equal(theirs[name.includes("_VALUE_") ? name : `ATTR_${name}`], value, name);
    checked++;
  }
  assert.ok(checked > 20);
  assert.equal(attributes.CICD_PIPELINE_NAME, "cicd.pipeline.name");
  assert.equal(attributes.CICD_PIPELINE_TASK_RUN_RESULT_VALUE_CANCELLATION, "cancellation");
});

Deno.test("our keys begin with spanloop. and their constants say the key", () => {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function" || !name.startsWith("SPANLOOP_")) continue;
    if (name.includes("_VALUE_")) continue;
    const key = value.replace(/\.$/, "");
    assert.match(key, /^spanloop(\.[a-z]+)+$/);
    assert.equal(name.replace(/_PREFIX$/, ""), key.replaceAll(".", "_").toUpperCase());
  }
});

Deno.test("a template attribute becomes a function of the name", () => {
  assert.equal(attributes.spanloopParameter("batch_size"), "spanloop.parameter.batch_size");
});

Deno.test("a reference that nobody defines is refused, with its file and key", () => {
  const files = new Map([["a.yaml", OWN], ["s.yaml", span("cicd.pipeline.nmae")]]);
  assert.throws(
    () => readRegistry(files, conventions),
    (error: unknown) =>
      error instanceof RegistryError &&
      /s\.yaml refers to cicd\.pipeline\.nmae/.test(error.message),
  );
});

Deno.test("a key that is defined twice is refused", () => {
  const files = new Map([["a.yaml", OWN], ["b.yaml", OWN]]);
  assert.throws(() => readRegistry(files, conventions), /spanloop\.x is defined twice/);
});

Deno.test("an attribute without a brief is refused", () => {
  const files = new Map([["a.yaml", OWN.replace("brief: An x., ", "")]]);
  assert.throws(() => readRegistry(files, conventions), /spanloop\.x lacks `brief`/);
});

Deno.test("what a registry says reaches the constants and the reference", () => {
  const registry = readRegistry(
    new Map([["a.yaml", OWN], ["s.yaml", span("error.type")]]),
    conventions,
  );
  const constants = renderAttributes(registry);
  assert.match(constants, /\/\*\* An x\. .*\*\/\nexport const SPANLOOP_X = "spanloop\.x";/);
  assert.match(constants, /export const ERROR_TYPE = "error\.type";/);
  assert.match(renderReference(registry), /\| `error\.type` \| required \| Something\. \|/);
});
