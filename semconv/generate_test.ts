import assert from "node:assert/strict";
import * as conventions from "@opentelemetry/semantic-conventions/incubating";
import * as attributes from "./attributes.ts";
import { stale } from "./generate.ts";
import { OPENTELEMETRY } from "./opentelemetry.ts";
import { RegistryError } from "./located.ts";
import { readRegistry } from "./registry.ts";
import { renderAttributes, renderEvents, renderMetrics } from "./render_constants.ts";
import { renderReference } from "./render_reference.ts";

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

const SIGNALS = `
imports:
  metrics: [cicd.worker.count]
groups:
  - id: metric.spanloop.depth
    type: metric
    metric_name: spanloop.depth
    instrument: gauge
    unit: "{run}"
    stability: development
    brief: A depth.
    attributes: [{ ref: spanloop.x }]
  - id: event.spanloop.opened
    type: event
    name: spanloop.opened
    stability: development
    brief: Opened.
    attributes: [{ ref: spanloop.x, requirement_level: required }]
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
    const generated = ["attributes.ts", "metrics.ts", "events.ts"];
    const files = [...Deno.readDirSync(new URL("registry", HERE))].map(({ name }) =>
      `registry/${name}`
    );
    for (const name of [...generated, ...files]) {
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
    assert.match(key, /^spanloop(\.[a-z][a-z0-9]*)+$/);
    assert.equal(name.replace(/_PREFIX$/, ""), key.replaceAll(".", "_").toUpperCase());
  }
});

Deno.test("a template attribute becomes a function of the name", () => {
  assert.equal(attributes.spanloopParameter("batch_size"), "spanloop.parameter.batch_size");
});

Deno.test("a reference that nobody defines is refused, with its file and key", () => {
  const files = new Map([["a.yaml", OWN], ["s.yaml", span("cicd.pipeline.nmae")]]);
  assert.throws(
    () => readRegistry(files, OPENTELEMETRY),
    (error: unknown) =>
      error instanceof RegistryError &&
      /^s\.yaml:8: refers to cicd\.pipeline\.nmae/.test(error.message),
  );
});

Deno.test("a key that is defined twice is refused", () => {
  const files = new Map([["a.yaml", OWN], ["b.yaml", OWN]]);
  assert.throws(
    () => readRegistry(files, OPENTELEMETRY),
    /b\.yaml:8: spanloop\.x is defined twice, first at a\.yaml:8/,
  );
});

Deno.test("an attribute without a brief is refused", () => {
  const files = new Map([["a.yaml", OWN.replace("brief: An x., ", "")]]);
  assert.throws(() => readRegistry(files, OPENTELEMETRY), /a\.yaml:8: spanloop\.x lacks `brief`/);
});

Deno.test("what a registry says reaches the constants and the reference", () => {
  const registry = readRegistry(
    new Map([["a.yaml", OWN], ["s.yaml", span("error.type")]]),
    OPENTELEMETRY,
  );
  const constants = renderAttributes(registry);
  assert.match(constants, /\/\*\* An x\. .*\*\/\nexport const SPANLOOP_X = "spanloop\.x";/);
  assert.match(constants, /export const ERROR_TYPE = "error\.type";/);
  assert.match(renderReference(registry), /\| `error\.type` \| required \| Something\. \|/);
});

Deno.test("metrics and events become constants with what an instrument is made of", () => {
  const registry = readRegistry(new Map([["a.yaml", OWN], ["m.yaml", SIGNALS]]), OPENTELEMETRY);
  const metrics = renderMetrics(registry);
  assert.match(metrics, /METRIC_CICD_WORKER_COUNT = [^]*?"updowncounter",\s+unit: "\{worker\}"/);
  assert.match(
    metrics,
    /METRIC_SPANLOOP_DEPTH = [^]*?"gauge",\s+unit: "\{run\}",\s+description: "A depth\."/,
  );
  assert.match(renderEvents(registry), /EVENT_SPANLOOP_OPENED = "spanloop\.opened"/);
  assert.match(renderAttributes(registry), /CICD_WORKER_STATE = "cicd\.worker\.state"/);
  const reference = renderReference(registry);
  assert.match(reference, /### spanloop\.depth\n\nInstrument: gauge, in `\{run\}`\./);
  assert.match(reference, /### spanloop\.opened\n/);
});

Deno.test("an import that OpenTelemetry does not define is refused", () => {
  const files = new Map([["m.yaml", "imports: { metrics: [cicd.workers.count] }"]]);
  assert.throws(
    () => readRegistry(files, OPENTELEMETRY),
    /m\.yaml:1: imports cicd\.workers\.count/,
  );
});
