/**
 * What has been neglected around the incumbent. A search that only follows what promises most comes to the guard with
 * dimensions that it knows nothing of, and there it may not try them any more; and it misses a choice that is bad where
 * the search began and best where it went. So each dimension is tried by itself while it is cheap, and again when the
 * incumbent has moved far.
 */
import type { Point } from "./space.ts";

// What was tried further away than this, in e-folds, says little about the incumbent's surroundings.
const NEARBY = 2;
// A numeric dimension counts as tried when something nearby differs by this in it.
const APART = 0.7;
// Whole numbers and bounds may leave a little less.
const ENOUGH = 0.8 * APART;
const STEPS: readonly number[] = [APART, 1.4 * APART, 2 * APART];

/** Places that differ from the incumbent in one neglected dimension alone. `choices` is the space's. */
export function probes(
  choices: readonly number[],
  incumbent: Point,
  tried: readonly Point[],
): readonly Point[] {
  const moved = (dimension: number, to: number) =>
    incumbent.map((x, i) => i === dimension ? to : x);
  return choices.flatMap((count, i) => {
    const nearby = tried.filter((point) => distance(choices, incumbent, point, i) <= NEARBY);
    if (count > 0) {
      return Array.from({ length: count }, (_, choice) => choice)
        .filter((choice) => choice !== incumbent[i] && !nearby.some((point) => point[i] === choice))
        .map((choice) => moved(i, choice));
    }
    if (nearby.some((point) => Math.abs(point[i] - incumbent[i]) >= ENOUGH)) return [];
    return STEPS.flatMap((step) => [
      moved(i, incumbent[i] + step),
      moved(i, incumbent[i] - step),
    ]);
  });
}

/** Whether two places differ enough in some dimension for the one to be a probe from the other. */
export function differs(choices: readonly number[], a: Point, b: Point): boolean {
  return a.some((x, i) => choices[i] > 0 ? x !== b[i] : Math.abs(x - b[i]) >= ENOUGH);
}

// Between two places, but for one dimension; choices do not count.
function distance(choices: readonly number[], a: Point, b: Point, but: number): number {
  let squared = 0;
  for (let i = 0; i < a.length; i++) {
    if (i !== but && choices[i] === 0) squared += (a[i] - b[i]) ** 2;
  }
  return Math.sqrt(squared);
}
