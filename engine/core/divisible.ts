import type { Scope } from "./scope.ts";
import type { TuneContract } from "./workflow.ts";

// Runs of a step, as an objective may have to tell of them: none of it a round number, some of them without failures.
const RUNS = [
  { duration: 12.7, items: 613, failed: 11, attempts: 41 },
  { duration: 0.173, items: 29, failed: 0, attempts: 7 },
  { duration: 5_209.3, items: 987_643, failed: 18_181, attempts: 1_031 },
];
const TIMES = 7;

/**
 * Whether a share of a run's items tells all that a change is judged by (A6): by the objective slices can be compared, and
 * no guard is of another step, which is of no arm in a run of both, or of what the run waited.
 */
export function isDivisible({ objective, guards }: TuneContract): boolean {
  return objective !== undefined && isRate(objective) &&
    guards.every(({ metric, of }) => of === objective.of && metric !== "queue_time");
}

/**
 * Whether slices of a run's items can be compared by an objective: its value is the same for more of the same, as that
 * of `duration / items` is. Slices are as many waves long, not as many items: by `duration` alone the arm with the
 * smaller batches would be the faster one. What a run waited is no arm's.
 */
function isRate({ expression }: NonNullable<TuneContract["objective"]>): boolean {
  return RUNS.every((run) => {
    const at = (times: number, queue_time: number) => {
      const { duration, items, failed, attempts } = run;
      const variables = {
        duration: duration * times,
        items: items * times,
        failed: failed * times,
        attempts: attempts * times,
        queue_time,
      };
      try {
        // The objective's environment has these names alone.
        return Number(expression.evaluate(variables as unknown as Scope));
      } catch {
        // Such as a division by no failures: nothing is measured of such a run.
        return NaN;
      }
    };
    const one = at(1, 1);
    return [at(TIMES, 1), at(1, TIMES)].every((other) =>
      Object.is(one, other) || Math.abs(other - one) <= 1e-9 * Math.abs(one)
    );
  });
}
