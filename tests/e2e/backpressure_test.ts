// The plugin backpressure in real runs: its README's workflow against an HTTP server that saturates. How well it settles
// is measured by `deno task test:saturation`; here is what holds on a machine of any speed.
import assert from "node:assert/strict";
import { spanloopParameter } from "../../semconv/attributes.ts";
import { checkChanges } from "../../plugins/backpressure/_test_rule.ts";
import { withServer } from "../../plugins/backpressure/_test_saturated.ts";
import { openStore } from "../../engine/store/open.ts";
import { withWorkflow } from "../saturation/workflow.ts";

const ITEMS = 300;
const MOST_RUNS = 40;
const MOST = 64;

Deno.test("backpressure steers a running for_each by its rule alone, and the ledger shows each change (A2, P2, P3)", () =>
  withServer((url) =>
    withWorkflow(url, async ({ engine, file, run }) => {
      const runs: string[] = [];
      const history = async () =>
        [...await engine.tuning.history(file, { limit: 10_000 })].reverse();
      let changes = await history();
      // With ever more under way it must come down at last; on a slow machine that may take several runs.
      while (!changes.some(({ proposal }) => proposal.reason.includes(": less, "))) {
        assert.ok(runs.length < MOST_RUNS, `nothing made it ask for less in ${MOST_RUNS} runs`);
        runs.push((await run(ITEMS)).run_id);
        changes = await history();
      }
      console.log(`concurrency: ${changes.map(({ decision }) => decision.values.concurrency)}`);
      assert.equal(changes[0].decision.values.concurrency, 2);
      checkChanges(
        changes.map(({ proposal: { reason }, decision }) => ({
          reason,
          value: Number(decision.values.concurrency),
        })),
        MOST,
      );
      const ruled = new Map<string, number>();
      const values = new Map<string, Set<number>>();
      const store = await openStore(engine.location, { durability: "normal" });
      for (const runId of runs) {
        const its = new Set<number>();
        for await (const record of store.read(runId)) {
          if (record.type !== "start" || record.role !== "attempt") continue;
          const value = Number(record.span.attributes[spanloopParameter("concurrency")]);
          ruled.set(record.span.spanId, value);
          its.add(value);
        }
        values.set(runId, its);
      }
      await store.close();
      let before = 1;
      for (const [i, { number, version, proposal, decision }] of changes.entries()) {
        assert.deepEqual([decision.outcome, decision.rule], ["applied", "accepted"]);
        assert.deepEqual([number, version], [i + 1, i + 1]);
        assert.deepEqual(proposal.author, { kind: "plugin", name: "backpressure" });
        assert.ok(proposal.evidence.length >= 20);
        // What argues for a change is what ran under the value before it.
        for (const { spanId } of proposal.evidence) assert.equal(ruled.get(spanId), before);
        before = Number(decision.values.concurrency);
      }
      // Within the first run, batches that were handed out later ran under what was decided meanwhile.
      const first = [...values.get(runs[0])!];
      assert.equal(first[0], 1);
      assert.ok(first.length > 1, "no value changed while a run was under way");
      const known = new Set([1, ...changes.map(({ decision }) => decision.values.concurrency)]);
      for (const value of ruled.values()) assert.ok(known.has(value), `${value} ruled`);
    }, "attempts: 100, max: 100ms")
  ));
