import assert from "node:assert/strict";
import type { JsonObject } from "../core/json.ts";
import type { Experiment, Snapshot } from "../core/proposal.ts";
import type { StartEntry } from "../core/span.ts";
import type { Trial } from "../core/store.ts";
import { LiveSnapshots } from "../parameters/live_snapshots.ts";
import { bind } from "../plan/bind.ts";
import { planWorkflow } from "../plan/plan.ts";
import { loadWorkflow } from "../spec/load.ts";
import { armAttributes } from "../telemetry/attributes.ts";
import { ofArm, RunValues, stepScope } from "./ruling.ts";

const LIVE = `
name: w
params:
  size: { type: integer, default: 2, tune: { min: 0, max: 100, apply: live, mode: auto } }
  width: { type: integer, default: 8, tune: { min: 0, max: 100, apply: live, mode: auto } }
  next: { type: integer, default: 1, tune: { min: 0, max: 100 } }
env: { SIZE: "\${{ 10 / params.size }}" }
max_concurrency: \${{ params.width }}
steps:
  - { id: a, run: "true", env: { OWN: "\${{ params.size }} of \${{ env.SIZE }}" } }
`;

function at(version: number, values: JsonObject): Snapshot {
  return { workflow: "w", version, values, frozen: [], at: 0n };
}

function testing(version: number, values: JsonObject): Snapshot & { experiment: Experiment } {
  const experiment = { id: "x", values, incumbent: {}, exposure: 0.5, since: 0n };
  return { ...at(version, { width: 4 }), experiment };
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
async function follow(
  text: string,
  given: Readonly<Record<string, string>> = {},
  trial?: Trial,
  ordered?: boolean,
) {
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
    trial,
    ordered,
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

Deno.test("an experiment is one for a run that reads all of its parameters anew (A6, V3)", async () => {
  const { values, live } = await follow(LIVE);
  assert.equal(values.experimental, undefined);
  live.take(at(1, { size: 5 }));
  assert.equal(values.experimental, undefined, "no experiment");
  const open = testing(2, { size: 20 });
  live.take(open);
  assert.equal(values.experimental, open, "the same object for as long as nothing changes");
  assert.equal(values.experimental, open);
  live.take(testing(3, { size: 20, next: 5 }));
  assert.equal(values.experimental, undefined, "next_run waits");
  const given = await follow(LIVE, { size: "2" });
  given.live.take(testing(1, { size: 20 }));
  assert.equal(given.values.experimental, undefined);
  const other = await follow(LIVE, { size: "2" });
  other.live.take(testing(1, { width: 20 }));
  assert.equal(other.values.experimental?.version, 1, "what was given is not of it");
  const trial = { experiment: "x", index: 0, arm: "incumbent", pair: 0 } as const;
  const whole = await follow(LIVE, {}, trial);
  whole.live.take(testing(1, { size: 20 }));
  assert.equal(whole.values.experimental, undefined, "the whole run is of one arm");
});

Deno.test("what only a person may apply is tried in runs that a person ordered for it (A4)", async () => {
  const text = LIVE.replaceAll("mode: auto", "mode: recommend");
  for (const ordered of [true, undefined]) {
    const { values, live } = await follow(text, {}, undefined, ordered);
    const open = testing(1, { size: 20 });
    live.take(open);
    assert.equal(values.experimental, ordered ? open : undefined);
  }
});

Deno.test("a candidate has the tuned values and its own; one that cannot rule throws (P1, P3)", async () => {
  const { values, live, refused } = await follow(LIVE);
  const open = testing(1, { size: 20 });
  live.take(open);
  assert.deepEqual(values.now().scope.params, { size: 2, width: 4, next: 1 }, "the incumbent");
  const candidate = values.candidate(open);
  assert.deepEqual(candidate.scope.params, { size: 20, width: 4, next: 1 });
  assert.deepEqual(candidate.scope.env, { SIZE: "0.5" });
  assert.equal(candidate.parameters["spanloop.parameters.version"], 1);
  assert.throws(() => values.candidate(testing(1, { size: 0 })), /by zero/);
  assert.throws(() => values.candidate(testing(1, { size: 101 })), /size cannot be 101/);
  assert.deepEqual(refused, [], "whoever asks tells");
});

Deno.test("work of an arm says so after a crash as before, whichever values it has (A2)", async () => {
  const { values, live } = await follow(LIVE);
  const open = testing(3, { size: 20 });
  live.take(open);
  for (const arm of ["incumbent", "candidate"] as const) {
    const slice = { from: 10, to: 30 };
    const attributes = armAttributes({ experiment: "x", arm, pair: 4, slice });
    const ruling = ofArm(arm === "candidate" ? values.candidate(open) : values.now(), attributes);
    const { values: resumed } = await follow(LIVE);
    const kept = resumed.of(start(ruling.parameters));
    assert.deepEqual(kept.parameters, ruling.parameters);
    assert.deepEqual(kept.scope.params, ruling.scope.params);
  }
  // Of the values of the start as well.
  const attributes = armAttributes({ experiment: "x", arm: "incumbent", pair: 0 });
  const pinned = ofArm(values.pinned, attributes);
  assert.deepEqual(values.of(start(pinned.parameters)).parameters, pinned.parameters);
});

Deno.test("a run of the candidate's keeps its live values until the experiment is over (A6)", async () => {
  const trial = { experiment: "x", index: 3, arm: "candidate", pair: 1 } as const;
  // As it is begun: its values are those of the candidate.
  const text = LIVE.replace("default: 2", "default: 20");
  const { values, live } = await follow(text, {}, trial);
  const { pinned } = values;
  assert.deepEqual(
    [pinned.parameters["spanloop.experiment.arm"], pinned.parameters["spanloop.experiment.pair"]],
    ["candidate", 1],
  );
  const other = { ...testing(1, { size: 20 }), values: { size: 7 } };
  live.take(other);
  assert.equal(values.now(), pinned, "the incumbent's 7 does not rule it");
  live.take(at(2, { size: 7 }));
  assert.equal(values.now().scope.params.size, 7);
  assert.equal(values.now().parameters["spanloop.experiment.arm"], undefined);
});

Deno.test("an arm that rules alone bounds the run's attempts, and who waits is told (A6, F1)", async () => {
  const { values, live } = await follow(LIVE);
  const open = testing(1, { width: 30 });
  live.take(open);
  const heard: number[] = [];
  values.onChange(() => heard.push(values.maxConcurrency));
  values.ruleAlone(values.candidate(open));
  assert.equal(values.now().maxConcurrency, 4, "the others' values are the incumbent's");
  values.ruleAlone(undefined);
  values.ruleAlone(undefined);
  assert.deepEqual(heard, [30, 4]);
});
