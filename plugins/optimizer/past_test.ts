import assert from "node:assert/strict";
import type { JsonObject, PluginSpan } from "spanloop";
import { type Contract, contractOf } from "./contract.ts";
import { pastOf, relearn } from "./past.ts";

const CONTRACT = contractOf("orders", {
  version: 0,
  guards: [],
  objective: { direction: "minimize", expression: "duration / items", of: "load" },
  parameters: {
    batch: {
      type: "integer",
      value: 20,
      default: 20,
      min: 1,
      max: 5_000,
      scale: "log",
      apply: "live",
      mode: "auto",
      frozen: false,
    },
  },
}, []) as Contract;

const span = (name: string, time: number, attributes: JsonObject): PluginSpan => ({
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId: (10 * time).toString(16).padStart(16, "0"),
  name,
  kind: "internal",
  startTime: time,
  status: "unset",
  attributes,
  links: [],
  external: false,
  runId: `run-${Math.floor(time)}`,
});

const measured = (time: number, batch: number, objective: number, goal = CONTRACT.goal) =>
  span("experiment.measurement", time, {
    "spanloop.measurement.goal": goal,
    "spanloop.measurement.values": [JSON.stringify({ batch })],
    "spanloop.measurement.objectives": [objective],
    "spanloop.measurement.items": [1_000],
    "spanloop.measurement.failed": [0],
  });
const verdict = (time: number, batch: number, action: string) =>
  span("experiment.verdict", time, {
    "spanloop.experiment.values": JSON.stringify({ batch }),
    "spanloop.verdict.outcome": "inconclusive",
    "spanloop.verdict.action": action,
    "spanloop.verdict.ended": "futile",
    "spanloop.verdict.message": "",
  });

Deno.test("it learns from what was measured before it, in the order of time, verdicts as well", () => {
  const { tuner, notes } = relearn([
    measured(5, 80, 0.01),
    verdict(4, 320, "rolled_back"),
    measured(3, 80, 0.011),
    verdict(2, 80, "kept"),
    measured(1, 20, 0.04),
  ], CONTRACT)!;
  assert.deepEqual([notes.told, notes.vain], [3, 1]);
  assert.deepEqual(notes.dropped, [{ values: { batch: 320 }, told: 2 }]);
  const { observations } = tuner.toJSON();
  assert.deepEqual(observations.map(({ log }) => log), [0.04, 0.011, 0.01].map(Math.log));
});

Deno.test("a run of which two parts were measured is one", () => {
  const { notes } = relearn([
    measured(3, 80, 0.01),
    measured(2.5, 80, 0.01),
    verdict(2.2, 80, "kept"),
    measured(2, 20, 0.04),
  ], CONTRACT)!;
  assert.equal(notes.told, 2);
});

Deno.test("what was measured for something else, and what is older than that, teaches nothing", () => {
  const other = "maximize items of load";
  assert.equal(
    relearn([
      measured(4, 80, 0.01),
      measured(3, 80, 900, other),
      measured(2, 20, 0.04),
    ], CONTRACT)!.notes.told,
    1,
  );
  assert.equal(relearn([measured(3, 80, 900, other)], CONTRACT), undefined);
  assert.equal(relearn([verdict(2, 80, "kept")], CONTRACT), undefined);
  assert.equal(relearn([], CONTRACT), undefined);
  assert.deepEqual(pastOf("orders").plugin, "experiments");
});
