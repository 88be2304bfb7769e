import assert from "node:assert/strict";
import { batchOf, type Count } from "./count.ts";
import { type GuardEvidence, judgeGuard } from "./guards.ts";

const CHANCE = 0.05;

function counts(...pairs: readonly (readonly [items: number, failed: number])[]): Count[] {
  return pairs.map(([items, failed]) => ({ items, failed }));
}

function errors(candidate: Count[], incumbent: Count[] = [], below = 0.02): GuardEvidence {
  return { metric: "error_rate", of: "load", below, counts: { candidate, incumbent } };
}

function durations(candidate: number[], incumbent: number[] = []): GuardEvidence {
  return { metric: "duration", of: "load", below: 10, values: { candidate, incumbent } };
}

const well = counts([300, 1], [300, 2], [300, 0]);

Deno.test("a guard is breached by a rate far over it, and by none that chance explains", () => {
  assert.deepEqual(judgeGuard(errors(counts([100, 15]), well), CHANCE), {
    metric: "error_rate",
    of: "load",
    value: 0.15,
    breached: true,
    kept: false,
    doubtful: true,
  });
  assert.equal(judgeGuard(errors(counts([20, 10])), CHANCE).breached, true, "without an incumbent");
  assert.equal(judgeGuard(errors(counts([20, 1]), well), CHANCE).breached, false);
  assert.equal(judgeGuard(errors(counts([500, 10]), well), CHANCE).breached, false, "at the guard");
});

Deno.test("one bad slice is no breach where as many failures over several slices are", () => {
  const slices = counts([500, 25], [500, 25], [500, 25], [500, 25], [500, 25], [500, 25]);
  assert.equal(judgeGuard(errors(slices, well), CHANCE).breached, true);
  assert.equal(judgeGuard(errors(counts([3000, 150]), well), CHANCE).breached, false);
});

Deno.test("a batch that fails as a whole is one failure, however many items it has; a second one is a breach", () => {
  const calm = (batches: number): Count[] => [{ items: 20 * batches, failed: 0 }];
  for (const size of [5, 9, 20, 50]) {
    const whole = batchOf(size, size);
    const breached = (candidate: Count[], incumbent?: Count[]) =>
      judgeGuard(errors(candidate, incumbent), CHANCE).breached;
    assert.equal(breached([whole]), false, `${size}`);
    assert.equal(breached([whole, ...calm(10)]), false, `${size}`);
    assert.equal(breached([whole, whole]), true, `${size}`);
    assert.equal(
      breached(counts([50, 12]), [whole, ...calm(10)]),
      true,
      "the incumbent's is one, too",
    );
  }
  assert.equal(judgeGuard(errors([batchOf(9, 9)]), CHANCE).value, 1, "the rate is what it is");
});

Deno.test("a candidate is not to blame for what an incumbent breaks as well", () => {
  const bad = counts([300, 30], [300, 24], [300, 33]);
  assert.equal(judgeGuard(errors(counts([100, 11]), well), CHANCE).breached, true);
  assert.equal(judgeGuard(errors(counts([100, 11]), bad), CHANCE).breached, false);
  assert.equal(judgeGuard(errors(counts([100, 11], [100, 8]), bad), CHANCE).kept, true);
  const worse = counts([100, 60], [100, 55]);
  assert.equal(judgeGuard(errors(worse, bad), CHANCE).breached, true, "it is much worse");
});

Deno.test("a first failure of the incumbent does not excuse a candidate", () => {
  assert.equal(judgeGuard(errors(counts([100, 15]), counts([20, 1])), CHANCE).breached, true);
});

Deno.test("a guard is believed kept on evidence, or where the incumbent does no better", () => {
  const kept = (mine: Count[], theirs = well) => judgeGuard(errors(mine, theirs), CHANCE).kept;
  assert.equal(kept(counts([250, 1], [250, 1], [250, 2], [250, 0])), true);
  assert.equal(kept(counts([30, 1])), false, "too few items");
  assert.equal(kept(counts([250, 5], [250, 5], [250, 6], [250, 5])), false, "too near");
  assert.equal(kept(counts([30, 0])), true, "no worse than the incumbent");
  assert.equal(kept([]), true, "nothing was measured");
});

Deno.test("what may be bad luck is doubtful once there is enough of it, unless the incumbent does no better", () => {
  const slices = (rate: number, n: number) =>
    counts(...Array.from({ length: n }, () => [1_000, 1_000 * rate] as [number, number]));
  const doubtful = (mine: Count[], theirs = well) =>
    judgeGuard(errors(mine, theirs), CHANCE).doubtful;
  assert.equal(doubtful(slices(0.032, 2)), false, "too little");
  assert.equal(doubtful(slices(0.032, 14)), true);
  assert.equal(doubtful(slices(0.02, 14)), false, "at the guard");
  assert.equal(doubtful(slices(0.032, 14), slices(0.032, 14)), false);
});

Deno.test("a smaller chance of a false alarm asks for more evidence", () => {
  const some = errors(counts([100, 9]), well);
  assert.equal(judgeGuard(some, 0.1).breached, true);
  assert.equal(judgeGuard(some, 0.001).breached, false);
});

Deno.test("a guard on another metric is breached by one value far off, or several that agree", () => {
  const judged = (values: number[], incumbent?: number[]) =>
    judgeGuard(durations(values, incumbent), CHANCE);
  assert.equal(judged([11]).breached, false);
  assert.equal(judged([11]).kept, false, "over it, if not surely");
  assert.equal(judged([100]).breached, true, "at once");
  assert.equal(judged([15, 16, 14.5, 15, 15.5]).breached, true);
  assert.equal(judged([9, 11, 10, 10.5, 9.5, 10]).breached, false);
  assert.deepEqual(judged([8, 9, 7]), {
    metric: "duration",
    of: "load",
    value: 8,
    breached: false,
    kept: true,
    doubtful: false,
  });
  const same = judged([15, 16, 14.5, 15, 15.5], [15, 15.5, 16, 15]);
  assert.deepEqual([same.breached, same.kept], [false, true], "so is the incumbent");
});

Deno.test("a metric may be 0, and a guard may want it above its limit", () => {
  const items = (candidate: number[]): GuardEvidence => ({
    metric: "items",
    of: "load",
    above: 50,
    values: { candidate, incumbent: [] },
  });
  assert.equal(judgeGuard(items([0]), CHANCE).breached, true);
  assert.equal(judgeGuard(items([20, 22, 19, 21, 20]), CHANCE).breached, true);
  assert.equal(judgeGuard(items([80, 75, 90]), CHANCE).breached, false);
  assert.equal(judgeGuard(durations([0, 0, 0, 0]), CHANCE).breached, false);
});

Deno.test("a guard of which nothing is known is not breached", () => {
  const nothing = { metric: "attempts", of: "load", below: 3 };
  assert.deepEqual(judgeGuard(nothing, CHANCE), {
    metric: "attempts",
    of: "load",
    breached: false,
    kept: true,
    doubtful: false,
  });
  assert.equal(
    judgeGuard({ ...nothing, values: { candidate: [], incumbent: [9] } }, CHANCE).kept,
    true,
  );
});
