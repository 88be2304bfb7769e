import assert from "node:assert/strict";
import type { Experiment } from "../core/proposal.ts";
import {
  type Compared,
  mayBreach,
  nothingCompared,
  underGuards,
  verdictOf,
  withCount,
  withdrawnVerdict,
  withPair,
  withRun,
  withSpan,
  withValue,
  withWhole,
} from "./evidence.ts";
import { RULES } from "./verdict.ts";

const EXPERIMENT: Experiment = {
  id: "e",
  values: { size: 20 },
  incumbent: { size: 10 },
  exposure: 0.25,
  since: 0n,
};
const ERRORS = [{ metric: "error_rate", of: "load", below: 0.02 }];
const NOTHING = nothingCompared(EXPERIMENT, ERRORS, () => []);

function times(count: number, next: (compared: Compared) => Compared, first = NOTHING): Compared {
  let compared = first;
  for (let i = 0; i < count; i++) compared = next(compared);
  return compared;
}

Deno.test("a block of runs is compared once it is complete: the candidate's to the others' mean", () => {
  const logs = [Math.log(2), Math.log(8), Math.log(4)];
  let compared = NOTHING;
  for (const log of logs) compared = withWhole(compared, "incumbent", 0, log);
  assert.deepEqual(compared.pairs, []);
  compared = withWhole(compared, "candidate", 0, Math.log(8));
  assert.deepEqual(compared.blocks, {});
  assert.ok(Math.abs(compared.pairs[0] - Math.log(2)) < 1e-12);
});

Deno.test("a block in which runs failed is compared when the second one after it begins, if it can be", () => {
  let compared = withWhole(NOTHING, "incumbent", 0, 1);
  compared = withWhole(compared, "candidate", 0, 2);
  compared = withWhole(compared, "incumbent", 1, 1);
  compared = withWhole(compared, "incumbent", 1, 1);
  assert.deepEqual(compared.pairs, []);
  compared = withWhole(compared, "incumbent", 2, 1);
  assert.deepEqual(compared.pairs, [1]);
  compared = withWhole(compared, "incumbent", 3, 1);
  assert.deepEqual([compared.pairs, Object.keys(compared.blocks)], [[1], ["2", "3"]]);
});

Deno.test("a gain that is beyond doubt is kept, a loss and a breach are taken back", () => {
  const better = times(12, (compared) => withPair(compared, 0.6));
  assert.equal(verdictOf(better, ERRORS, "load")?.outcome, "improved");
  const worse = times(12, (compared) => withPair(compared, -0.6));
  assert.deepEqual([
    verdictOf(worse, ERRORS, "load")?.outcome,
    verdictOf(worse, ERRORS, "load")?.action,
  ], [
    "regressed",
    "rolled_back",
  ]);
  const failing = times(
    4,
    (compared) => withCount(compared, 0, "candidate", { items: 200, failed: 40 }),
    better,
  );
  assert.equal(verdictOf(failing, ERRORS, "load")?.ended, "guard");
});

Deno.test("the run that goes on counts for the guards, of both arms", () => {
  const now = [{ candidate: { items: 200, failed: 60 } }];
  assert.ok(mayBreach(NOTHING, ERRORS, now));
  assert.equal(verdictOf(NOTHING, ERRORS, "load", now)?.ended, "guard");
  const both = [{ ...now[0], incumbent: { items: 200, failed: 60 } }];
  assert.equal(verdictOf(NOTHING, ERRORS, "load", both), undefined, "the incumbent does no better");
  assert.ok(!mayBreach(NOTHING, ERRORS, [{ candidate: { items: 200, failed: 4 } }]));
  assert.ok(!mayBreach(NOTHING, ERRORS, [{}]));
});

Deno.test("a candidate whose runs fail outright is a harm, if the incumbent's do not", () => {
  const three = times(3, (compared) => withRun(compared, "candidate", true));
  const runs = (failed: boolean) => times(9, (one) => withRun(one, "incumbent", failed), three);
  const { outcome, ended, effect, pairs } = verdictOf(runs(false), ERRORS, "load")!;
  assert.deepEqual([outcome, ended, effect, pairs], ["regressed", "harm", undefined, 0]);
  assert.equal(verdictOf(runs(true), ERRORS, "load"), undefined);
  const two = times(2, (compared) => withRun(compared, "candidate", true));
  assert.equal(verdictOf(two, ERRORS, "load"), undefined);
});

Deno.test("runs that bring no pairs end in the end", () => {
  const most = RULES.mostPairs * 20;
  const many = times(most - 1, (compared) => withRun(compared, "incumbent", false));
  assert.equal(verdictOf(many, ERRORS, "load"), undefined);
  assert.equal(verdictOf(withRun(many, "candidate", false), ERRORS, "load")?.ended, "budget");
});

Deno.test("of other guards than it began with nothing is known; the pairs stay", () => {
  const compared = withCount(withPair(NOTHING, 1), 0, "candidate", { items: 9, failed: 9 });
  assert.equal(underGuards(compared, ERRORS, () => []), compared);
  const others = [{ metric: "duration", of: "load", below: 3 }, ...ERRORS];
  const now = underGuards(compared, others, () => [{ items: 50, failed: 1 }]);
  assert.deepEqual(now.pairs, [1]);
  assert.deepEqual(now.guards.map(({ counts }) => counts), [
    { candidate: [], incumbent: [] },
    { candidate: [], incumbent: [{ items: 50, failed: 1 }] },
  ]);
  assert.equal(withdrawnVerdict(now, others).guards.length, 2);
});

Deno.test("what is kept of an experiment stays within what a plugin may keep", () => {
  const guards = Array.from(
    { length: 8 },
    (_, i) => i % 2 === 0 ? ERRORS[0] : { metric: "duration", of: "load", below: 3 },
  );
  const compared = times(2_000, (one) => {
    let next = withSpan(withRun(withPair(one, 0.123456789), "candidate", false), {
      traceId: "a".repeat(32),
      spanId: "b".repeat(16),
    });
    for (const [index] of guards.entries()) {
      for (const arm of ["candidate", "incumbent"] as const) {
        next = index % 2 === 0
          ? withCount(next, index, arm, { items: 12_345, failed: 123, together: 1_234 })
          : withValue(next, index, arm, 1.23456789);
      }
    }
    return { ...next, pairs: next.pairs.slice(-RULES.mostPairs) };
  }, nothingCompared(EXPERIMENT, guards, () => []));
  assert.ok(JSON.stringify(compared).length < 48 * 1024, String(JSON.stringify(compared).length));
});
