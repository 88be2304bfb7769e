import assert from "node:assert/strict";
import type { Attributes, EmittedSpan } from "./core/span.ts";
import { measurementOf } from "./measurements.ts";

const WHOLE: Attributes = {
  "spanloop.plugin.name": "experiments",
  "spanloop.experiment.id": "optimizer@w/4/0",
  "spanloop.measurement.goal": "minimize duration of load",
  "spanloop.measurement.arms": ["incumbent", "candidate"],
  "spanloop.measurement.values": ['{"n":1}', '{"n":2}'],
  "spanloop.measurement.objectives": [0.5, 0.25],
  "spanloop.measurement.durations": [2, 1],
  "spanloop.measurement.items": [4, 4],
  "spanloop.measurement.failed": [0, 1],
};

const span = (attributes: Attributes, runId: string | undefined = "r"): EmittedSpan => ({
  traceId: "0".repeat(32),
  spanId: "0".repeat(16),
  name: "experiment.measurement",
  time: 7n,
  attributes,
  links: [],
  plugin: "experiments",
  depth: 1,
  workflow: "w",
  ...runId === undefined ? {} : { runId },
});

Deno.test("a measurement is read from its span, arm by arm", () => {
  assert.deepEqual(measurementOf(span(WHOLE)), {
    runId: "r",
    at: 7n,
    experiment: "optimizer@w/4/0",
    goal: "minimize duration of load",
    arms: [
      { arm: "incumbent", values: { n: 1 }, objective: 0.5, duration: 2, items: 4, failed: 0 },
      { arm: "candidate", values: { n: 2 }, objective: 0.25, duration: 1, items: 4, failed: 1 },
    ],
  });
  const { "spanloop.experiment.id": _, ...alone } = WHOLE;
  assert.equal(measurementOf(span(alone))?.experiment, undefined);
});

Deno.test("a span of that name that says anything else is no measurement", () => {
  const without = (key: string) =>
    Object.fromEntries(Object.entries(WHOLE).filter(([name]) => name !== key));
  const keys = Object.keys(WHOLE).filter((key) => key.startsWith("spanloop.measurement."));
  assert.equal(keys.length, 7);
  for (const key of keys) {
    assert.equal(measurementOf(span(without(key))), undefined, key);
    for (
      const odd of [[], ...key.endsWith("goal") ? [] : ["text"], [1], ["x", "y"], [NaN, NaN], [
        Infinity,
        1,
      ]]
    ) {
      assert.equal(measurementOf(span({ ...WHOLE, [key]: odd })), undefined, `${key}: ${odd}`);
    }
  }
  assert.equal(measurementOf({ ...span(WHOLE), runId: undefined }), undefined);
  const values = ["{", "[]"];
  assert.equal(measurementOf(span({ ...WHOLE, "spanloop.measurement.values": values })), undefined);
});
