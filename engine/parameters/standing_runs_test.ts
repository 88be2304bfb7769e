import assert from "node:assert/strict";
import { seeded } from "../core/seeded_test.ts";
import { breakingRuns, metricIn, ran, type StandingRuns, told } from "./standing_runs.ts";

const VALUES = { batch_size: 320 };
const BELOW = { below: 10 };

function after(
  runs: readonly number[],
  known?: StandingRuns,
  values: StandingRuns["values"] = VALUES,
): StandingRuns {
  const span = { traceId: "a".repeat(32), spanId: "b".repeat(16) };
  return runs.reduce<StandingRuns | undefined>(
    (standing, value) => ran(standing, values, { value, span }),
    known,
  )!;
}

function times(many: number, value: number): number[] {
  return Array.from({ length: many }, () => value);
}

/** After how many runs of this value a breach is noticed; undefined: not in fifty. */
function noticed(
  value: number,
  known: StandingRuns,
  guard: Parameters<typeof breakingRuns>[1] = BELOW,
) {
  for (let runs = 1; runs <= 50; runs++) {
    if (breakingRuns(after(times(runs, value), known), guard) !== undefined) return runs;
  }
}

Deno.test("a metric right at its guard is rarely taken for one that breaks it, and one well below never", () => {
  const random = seeded("standing runs");
  const RUNS = 10_000;
  const normal = () =>
    Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
  // Log-normal, with a tail of Pareto outliers.
  const noise = (sigma: number, outliers: number) =>
    Math.exp(sigma * normal()) * (random.next() < outliers ? (1 - random.next()) ** -0.5 : 1);
  console.log(`seed ${random.seed}: false alarms in ${RUNS} runs`);
  for (const [sigma, outliers] of [[0.15, 0], [0.15, 0.05], [0.25, 0.1]]) {
    for (const [share, most] of [[1, 18], [0.75, 0]]) {
      let alarms = 0;
      let standing: StandingRuns | undefined;
      for (let run = 0; run < RUNS; run++) {
        standing = after([10 * share * noise(sigma, outliers)], standing);
        if (breakingRuns(standing, BELOW) === undefined) continue;
        alarms++;
        standing = undefined;
      }
      console.log(`  sigma ${sigma}, ${outliers} outliers, at ${share} of the guard: ${alarms}`);
      // One in 1,000 runs is promised right at the guard.
      assert.ok(alarms <= most, `${sigma}, ${outliers}, ${share}: ${alarms}, seed ${random.seed}`);
    }
  }
});

Deno.test("a metric that comes to break its guard is noticed, the sooner the worse it is", () => {
  const calm = after(times(30, 7));
  assert.deepEqual([11, 15, 20, 100].map((value) => noticed(value, calm)), [14, 7, 6, 6]);
  assert.equal(noticed(9, calm), undefined);
});

Deno.test("what is told is what happened since it began, and not again unless it becomes worse", () => {
  const standing = after([...times(12, 7), ...times(8, 20)]);
  const runs = breakingRuns(standing, BELOW)!;
  assert.equal(metricIn(runs), 20);
  assert.ok(runs.length >= 8 && runs.length <= 10, `${runs.length} runs`);
  const known = told(standing, runs);
  assert.equal(noticed(20, known), undefined);
  assert.ok(noticed(40, known) !== undefined);
});

Deno.test("what the values before broke as well is not the fault of these, unless they do worse", () => {
  const before = after(times(5, 20), undefined, { batch_size: 80 });
  assert.equal(noticed(19, before), undefined);
  assert.ok(noticed(40, before) !== undefined);
  assert.ok(noticed(19, after(times(5, 7), undefined, { batch_size: 80 })) !== undefined);
  // Values that were taken back for it are remembered, too.
  const broken = after(times(9, 20));
  const back = told(broken, breakingRuns(broken, BELOW)!);
  const again = after([20], back, { batch_size: 80 });
  assert.deepEqual([again.runs.length, again.before.length > 0], [1, true]);
  assert.equal(noticed(20, again), undefined);
});

Deno.test("a guard may want its metric above a limit", () => {
  const calm = after(times(30, 70));
  const above = { above: 50 };
  assert.equal(noticed(60, calm, above), undefined);
  assert.ok(noticed(20, calm, above) !== undefined);
});

Deno.test("what is kept of runs is bounded", () => {
  const before = after(times(100, 7));
  const { runs, before: theirs } = after(times(100, 7), before, { batch_size: 80 });
  assert.deepEqual([before.runs.length, runs.length, theirs.length], [20, 20, 20]);
});
