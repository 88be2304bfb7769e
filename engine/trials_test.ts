import assert from "node:assert/strict";
import type { Snapshot } from "./core/proposal.ts";
import type { RunQuery, RunSummary } from "./core/store.ts";
import { bind } from "./plan/bind.ts";
import { planWorkflow } from "./plan/plan.ts";
import { drawArm } from "./run/trial.ts";
import { loadWorkflow } from "./spec/load.ts";
import { openStore } from "./store/open.ts";
import { newRun, T0 } from "../tests/contract/store_entries.ts";
import { Trials } from "./trials.ts";

const GIVEN = { environment: {}, readSecret: () => undefined };

/** A plan of a workflow that is tuned as a whole, and what joins its runs to `experiment`. */
async function setting(values: Snapshot["values"], mode = "auto") {
  const bytes = new TextEncoder().encode(`
name: test
params:
  size: { type: integer, default: 2, tune: { min: 1, max: 9, mode: ${mode} } }
tune: { objective: { minimize: duration, of: work } }
steps: [{ id: work, run: "true" }]
`);
  const { workflow } = loadWorkflow({ bytes, file: "/w/test.yaml", display: "test.yaml" });
  assert.ok(workflow !== undefined);
  const plan = planWorkflow(workflow);
  const experiment = { id: "x", values, incumbent: { size: 2 }, exposure: 0.25, since: T0 };
  const snapshot = { workflow: "test", version: 1, values: {}, frozen: [], at: T0, experiment };
  const binding = bind(workflow, GIVEN);
  const store = await openStore("memory:", { durability: "normal" });
  const told: string[] = [];
  const trials = new Trials({ enabled: () => true, log: ({ body }) => told.push(body) });
  const join = (with_ = trials, ordered?: boolean) =>
    with_.join(store, plan, { binding, given: GIVEN, snapshot, ordered });
  return { store, experiment, binding, told, join };
}

Deno.test("a run's number follows the newest run that had a part, whichever process began it", async () => {
  const { store, experiment, join } = await setting({ size: 8 });
  const elsewhere = (id: string, index: number | undefined, at: bigint, rerun = false) =>
    store.commit([newRun(id, {
      createdAt: at,
      trial: index === undefined ? undefined : { experiment: "x", index },
      ...rerun ? { rerun: { runId: "r", reuse: [] } } : {},
    })], new Map());
  assert.equal((await join()).trial?.index, 0);
  await elsewhere("a", 6, T0 + 1n);
  const { trial, binding } = await join();
  assert.deepEqual(trial, { experiment: "x", index: 7, ...drawArm(experiment, 7) });
  assert.equal(binding.params.size, trial?.arm === "candidate" ? 8 : 2);
  // Runs without a part, however many, and one that repeats a run do not count.
  for (let i = 0; i < 25; i++) await elsewhere(`b${i}`, undefined, T0 + 2n + BigInt(i));
  await elsewhere("c", 1, T0 + 100n, true);
  const fresh = new Trials({ enabled: () => false, log: () => {} });
  assert.equal((await join(fresh)).trial?.index, 7);
  assert.equal((await join(fresh)).trial?.index, 8, "though the run before is not stored yet");
  await store.close();
});

Deno.test("no run is looked at that is older than the experiment", async () => {
  const { store, join } = await setting({ size: 8 });
  const queries: RunQuery[] = [];
  const runs = store.runs.bind(store);
  store.runs = (query): Promise<readonly RunSummary[]> => {
    queries.push(query);
    return runs(query);
  };
  for (let i = 0; i < 40; i++) {
    await store.commit([newRun(`r${i}`, { createdAt: T0 - 1n - BigInt(i) })], new Map());
  }
  assert.equal((await join()).trial?.index, 0);
  assert.equal(queries.length, 1);
  await store.close();
});

Deno.test("a value that the file does not allow is not tried, and is told (P1)", async () => {
  const { store, binding, told, join } = await setting({ size: 10 });
  assert.deepEqual(await join(), { binding });
  assert.deepEqual(told, [
    "the change under measurement (x) is not tried in this run: the file does not let size be 10",
  ]);
  await store.close();
});

Deno.test("what only a person may apply is tried in runs that a person ordered for it (A4)", async () => {
  const { store, binding, join } = await setting({ size: 8 }, "recommend");
  assert.deepEqual(await join(), { binding });
  assert.equal((await join(undefined, true)).trial?.index, 0);
  await store.close();
});
