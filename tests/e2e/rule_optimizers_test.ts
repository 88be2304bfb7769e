// The rule optimizers in real runs: what they hear is there, and what they ask for is applied and explained.
import assert from "node:assert/strict";
import { join } from "node:path";
import type { LedgerEntry } from "../../engine/engine.ts";
import { inEngineFolder } from "./engine_folder.ts";

/** Uses a folder with one workflow; each call of `run` has an engine of its own, which is closed once plugins have heard. */
async function withWorkflow(
  text: string,
  test: (scene: {
    /** So many runs at once. */
    readonly run: (count?: number) => Promise<void>;
    /** The workflow's changes, oldest first. */
    readonly changes: () => Promise<readonly LedgerEntry[]>;
    /** Makes an empty file beside the workflow. */
    readonly write: (name: string) => Promise<void>;
    /** Takes it away. */
    readonly remove: (name: string) => Promise<void>;
    /** Edits the workflow. */
    readonly replace: (before: string, after: string) => Promise<void>;
  }) => Promise<void>,
): Promise<void> {
  await inEngineFolder({ "work.yaml": text }, ({ folder, engine }) => {
    const file = join(folder, "work.yaml");
    return test({
      run: (count = 1) =>
        engine(async (engine) => {
          await Promise.all(Array.from({ length: count }, () => engine.run(file)));
        }),
      changes: async () => [...await engine((engine) => engine.tuning.history(file))].reverse(),
      write: (name) => Deno.writeTextFile(join(folder, name), ""),
      remove: (name) => Deno.remove(join(folder, name)),
      replace: (before, after) => Deno.writeTextFile(file, text.replace(before, after)),
    });
  });
}

function values(changes: readonly LedgerEntry[], name: string): readonly unknown[] {
  for (const { decision, proposal } of changes) {
    assert.deepEqual([decision.outcome, decision.rule], ["applied", "accepted"], decision.message);
    assert.equal(proposal.immediate, true);
    assert.ok(proposal.evidence.length > 0);
  }
  return changes.map(({ decision }) => decision.values[name]);
}

Deno.test("error_backoff makes the batches of a failing step smaller, and lets them grow back", () =>
  withWorkflow(
    `
name: backoff
params:
  batch_size: { type: integer, default: 8, tune: { min: 1, max: 100, mode: auto } }
plugins: [{ use: error_backoff, with: { step: load, attempts: 4 } }]
steps:
  - id: load
    for_each:
      list: \${{ [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16] }}
      batch: \${{ params.batch_size }}
      on_item_error: continue
    run: test ! -e broken
`,
    async ({ run, changes, write, remove }) => {
      await run();
      await run();
      assert.deepEqual(await changes(), [], "nothing failed");
      await write("broken");
      await run();
      const [first] = await changes();
      assert.match(
        first.proposal.reason,
        /^Of 1 attempt at load with batch_size 8, 100 % failed \(more than 10 %\): less, 4$/,
      );
      await remove("broken");
      // Four batches of 4, then more of them, make windows of four attempts.
      for (let i = 0; i < 6; i++) await run();
      assert.deepEqual(values(await changes(), "batch_size"), [4, 6, 8]);
    },
  ));

Deno.test("cycle_split makes batches smaller, and gives a step more lanes, down and up to the bounds", () =>
  withWorkflow(
    `
name: split
params:
  batch_size: { type: integer, default: 16, tune: { min: 4, max: 100, mode: auto, apply: live } }
  concurrency: { type: integer, default: 1, tune: { min: 1, max: 3, mode: auto } }
plugins:
  - { use: cycle_split, with: { step: load, seconds: 0.000001, attempts: 2 } }
steps:
  - id: load
    for_each:
      list: \${{ [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16] }}
      batch: \${{ params.batch_size }}
      concurrency: \${{ params.concurrency }}
    run: "true"
`,
    async ({ run, changes, replace }) => {
      await run();
      await run();
      // Whatever a batch takes, it is more than that.
      assert.deepEqual(values(await changes(), "batch_size"), [4]);
      await replace("attempts: 2 }", "attempts: 2, of: step }");
      await run();
      await run();
      const [, lanes, ...more] = await changes();
      assert.deepEqual([lanes.decision.values, more], [{ concurrency: 3 }, []]);
      assert.match(
        lanes.proposal.reason,
        /^2 runs of load with concurrency 1: most took up to \S+ s, and the cycle time is 0.000001 s: more, 3$/,
      );
    },
  ));

Deno.test("success_priority makes a workflow that fails less urgent, and more again", () =>
  withWorkflow(
    `
name: priority
priority: \${{ params.priority }}
params:
  priority: { type: integer, default: 5, tune: { min: 4, max: 9, mode: auto } }
plugins: [{ use: success_priority, with: { runs: 3 } }]
steps:
  - id: load
    run: test ! -e broken
`,
    async ({ run, changes, write, remove }) => {
      await write("broken");
      for (let i = 0; i < 5; i++) await run();
      await remove("broken");
      for (let i = 0; i < 4; i++) await run();
      const all = await changes();
      assert.deepEqual(values(all, "priority"), [4, 5]);
      assert.deepEqual(all.map(({ proposal }) => proposal.reason), [
        "Of 1 run with priority 5, 0 % succeeded (less than 80 %): 4, so that others come first",
        "Of 3 runs with priority 4, 100 % succeeded (at least 95 %): back towards 5, 5",
      ]);
    },
  ));

Deno.test("queue_scaling gives more lanes to runs that wait for one another", () =>
  withWorkflow(
    `
name: queue
group: { name: one, overlap: queue }
params:
  concurrency: { type: integer, default: 4, tune: { min: 1, max: 9, mode: auto } }
plugins: [{ use: queue_scaling, with: { seconds: 0.001 } }]
steps:
  - id: load
    run: echo \${{ params.concurrency }}
`,
    async ({ run, changes }) => {
      // All but the first wait for the one before.
      await run(6);
      const [change, ...more] = await changes();
      assert.deepEqual([values([change], "concurrency"), more], [[5], []]);
      assert.match(
        change.proposal.reason,
        /^Of 5 runs with concurrency 4, half waited \S+ s or more \(at most 0.001\), 100 % succeeded: more, 5$/,
      );
    },
  ));
