import assert from "node:assert/strict";
import type { JsonObject } from "../core/json.ts";
import type { Snapshot } from "../core/proposal.ts";
import type { StartEntry } from "../core/span.ts";
import { LiveSnapshots } from "../parameters/live_snapshots.ts";
import { bind } from "../plan/bind.ts";
import { planWorkflow } from "../plan/plan.ts";
import { loadWorkflow } from "../spec/load.ts";
import { RunValues, stepScope } from "./ruling.ts";

const LIVE = `
name: w
params:
  size: { type: integer, default: 2, tune: { min: 0, max: 100, apply: live } }
  width: { type: integer, default: 8, tune: { min: 0, max: 100, apply: live } }
  next: { type: integer, default: 1, tune: { min: 0, max: 100 } }
env: { SIZE: "\${{ 10 / params.size }}" }
max_concurrency: \${{ params.width }}
steps:
  - { id: a, run: "true", env: { OWN: "\${{ params.size }} of \${{ env.SIZE }}" } }
`;

function at(version: number, values: JsonObject): Snapshot {
  return { workflow: "w", version, values, frozen: [], at: 0n };
}

function start(attributes: StartEntry["span"]["attributes"]): StartEntry {
  return {
    type: "start",
    runId: "r",
    role: "attempt",
    key: "a",
    span: { traceId: "t", spanId: "s", name: "a", kind: "internal", startTime: 0n, attributes },
  };
}

/** A run's values with the snapshots that they follow; what was refused. */
async function follow(text: string, given: Readonly<Record<string, string>> = {}) {
  const source = { bytes: new TextEncoder().encode(text), file: "/w/w.yaml", display: "w.yaml" };
  const { workflow, diagnostics } = loadWorkflow(source);
  assert.ok(workflow !== undefined, diagnostics[0]?.message);
  const live = new LiveSnapshots({ snapshot: () => Promise.resolve(at(0, {})) });
  const refused: string[] = [];
  const values = new RunValues({
    runId: "r",
    plan: planWorkflow(workflow),
    binding: bind(workflow, { text: given, environment: {}, readSecret: () => undefined }),
    live,
    onRefused: (message) => refused.push(message),
  });
  const leave = await values.follow();
  return { values, live, refused, leave, step: workflow.steps[0] };
}

Deno.test("what rules is one object until a version comes, and what was pinned stays (P3, A2)", async () => {
  const { values, live, step } = await follow(LIVE);
  const { pinned } = values;
  assert.equal(values.now(), pinned);
  live.take(at(1, { size: 5, next: 50 }));
  const one = values.now();
  assert.equal(values.now(), one, "one reading for all that it is good for");
  assert.deepEqual(one.scope.params, { size: 5, width: 8, next: 1 }, "next_run waits");
  assert.deepEqual(stepScope(one, step).env, { SIZE: "2", OWN: "5 of 2" });
  assert.deepEqual(one.parameters, {
    "spanloop.parameter.size": 5,
    "spanloop.parameter.width": 8,
    "spanloop.parameter.next": 1,
    "spanloop.parameters.version": 1,
  });
  assert.deepEqual(pinned.scope.params, { size: 2, width: 8, next: 1 });
  assert.equal(pinned.parameters["spanloop.parameters.version"], undefined);
  live.take(at(2, { next: 60 }));
  assert.equal(values.now(), pinned, "back to the values of the start");
});

Deno.test("all rulings of a run see the same steps and the same run", async () => {
  const { values, live } = await follow(LIVE);
  live.take(at(1, { size: 5 }));
  const later = values.now().scope;
  values.pinned.scope.steps.a = { status: "succeeded", outputs: 1, error: null };
  Object.assign(values.pinned.scope.run, { status: "failed" });
  assert.equal(later.steps.a.outputs, 1);
  assert.equal(later.run.status, "failed");
});

Deno.test("what was handed out keeps the values that its span says (A2, P3)", async () => {
  const { values, live } = await follow(LIVE);
  live.take(at(3, { size: 5, width: 4 }));
  const { parameters } = values.now();
  live.take(at(4, { size: 50 }));
  const kept = values.of(start(parameters));
  assert.deepEqual(kept.scope.params, { size: 5, width: 4, next: 1 });
  assert.equal(kept.maxConcurrency, 4);
  assert.deepEqual(kept.parameters, parameters);
  assert.equal(values.of(start(values.pinned.parameters)), values.pinned);
});

Deno.test("a value given for the run is fixed in it, and a run of such values follows nothing (V3)", async () => {
  const one = await follow(LIVE, { size: "2" });
  one.live.take(at(1, { size: 5, width: 3 }));
  assert.deepEqual(one.values.now().scope.params, { size: 2, width: 3, next: 1 });
  const both = await follow(LIVE, { size: "2", width: "8" });
  assert.equal(both.values.live, false);
  both.live.take(at(1, { size: 5, width: 3 }));
  assert.equal(both.values.now(), both.values.pinned);
});

Deno.test("changes of max_concurrency are told to who waits, until they leave (A1)", async () => {
  const { values, live, leave } = await follow(LIVE);
  const heard: number[] = [];
  const stop = values.onChange(() => heard.push(values.now().maxConcurrency));
  live.take(at(1, { width: 3 }));
  live.take(at(2, { width: 0 }));
  assert.deepEqual(heard, [3, 1], "at least one");
  stop();
  live.take(at(3, { width: 5 }));
  assert.equal(heard.length, 2);
  leave();
  assert.equal(live.current("w"), undefined);
});

Deno.test("a version with which the workflow's env has no value is refused, and what ruled goes on", async () => {
  const { values, live, refused } = await follow(LIVE);
  live.take(at(1, { size: 5 }));
  const before = values.now();
  live.take(at(2, { size: 0 }));
  assert.equal(values.now(), before);
  assert.equal(values.now(), before);
  assert.equal(refused.length, 1, "told once");
  assert.match(refused[0], /^version 2 of the tuned values cannot rule this run: /);
  live.take(at(3, { size: 10 }));
  assert.equal(values.now().scope.env.SIZE, "1");
});
