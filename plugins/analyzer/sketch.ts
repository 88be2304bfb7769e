import { DDSketch } from "@datadog/sketches-js";

/**
 * Quantiles of durations: DDSketch, mergeable, whose answers are within 2 % of the true ones (C. Masson, J. E. Rim and
 * H. K. Lee, "DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees", VLDB 2019).
 */
export type Sketch = DDSketch;

/** A sketch as it is kept: the first bin's key, then the bins' counts; a negative one stands for so many empty bins. */
export type KeptSketch = readonly number[];

const ACCURACY = 0.02;
// Seconds. What is beyond counts as the end of the range: 576 bins are the most that there are. The package's own bounded
// stores count bins twice where the range grows past the bound (2.1.1).
const [SHORTEST, LONGEST] = [1e-5, 1e5];

/** A sketch of nothing. */
export function newSketch(): Sketch {
  return new DDSketch({ relativeAccuracy: ACCURACY });
}

/** Adds a duration, seconds. */
export function addTo(sketch: Sketch, duration: number): void {
  sketch.accept(Math.min(LONGEST, Math.max(SHORTEST, duration)));
}

/** The duration that a share of those in the sketch, in [0, 1], do not exceed, by nearest rank; 0 of none. */
export function quantileOf(sketch: Sketch, share: number): number {
  const { count } = sketch;
  if (count === 0) return 0;
  const rank = Math.max(0, Math.ceil(share * count) - 1);
  // The package rounds down, to the lower of two values for 95 %; between two ranks it cannot take the wrong one.
  return sketch.getValueAtQuantile(Math.min(1, (rank + 0.5) / Math.max(1, count - 1)));
}

/** What is kept of a sketch. */
export function writeSketch({ store }: Sketch): number[] {
  if (store.count === 0) return [];
  const counts: number[] = [];
  for (let key = store.minKey; key <= store.maxKey; key++) {
    const count = store.bins[key - store.offset];
    if (count > 0) counts.push(count);
    else if (counts[counts.length - 1] < 0) counts[counts.length - 1]--;
    else counts.push(-1);
  }
  return [store.minKey, ...counts];
}

/** The sketch that was kept. */
export function readSketch([first, ...counts]: KeptSketch): Sketch {
  const sketch = newSketch();
  let key = first;
  for (const count of counts) {
    if (count > 0) sketch.accept(sketch.mapping.value(key++), count);
    else key -= count;
  }
  return sketch;
}
