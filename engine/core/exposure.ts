import type { Experiment } from "./proposal.ts";

type Share = Pick<Experiment, "exposure">;

/** The most that a candidate gets, so that there is as much to compare it with. */
export const MOST_EXPOSURE = 0.5;

// A block is no longer than this: an arm that comes once in many more runs is hardly compared with those beside it.
const LONGEST_BLOCK = 10;

/**
 * The candidate's share of a run's items: that of the experiment in its first run, twice as much in each run after it,
 * up to a half. That nothing broke a guard in the runs before is what allows it: it would be over.
 */
export function exposureIn({ exposure }: Share, index: number): number {
  return Math.min(MOST_EXPOSURE, exposure * 2 ** Math.min(index, 100));
}

/** How many whole runs a block has, one of which is the candidate's: 2 to 10, and half as many as the one before. */
export function blockLength(experiment: Share, block: number): number {
  const length = Math.round(1 / exposureIn(experiment, block));
  return Math.min(LONGEST_BLOCK, Math.max(2, length));
}

/** The block that a whole run is in, by how many runs had a part in the experiment before, and its place there. */
export function blockOf(
  experiment: Share,
  index: number,
): { readonly block: number; readonly place: number; readonly length: number } {
  let [block, place] = [0, index];
  let length = blockLength(experiment, block);
  while (place >= length) {
    if (length === 2) {
      const more = Math.floor(place / 2);
      return { block: block + more, place: place - 2 * more, length };
    }
    place -= length;
    length = blockLength(experiment, ++block);
  }
  return { block, place, length };
}
