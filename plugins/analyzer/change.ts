/**
 * Where a series changed its level, if it did. The sum of the normal scores of the values after a split is compared with
 * what it would be in a series without a change, for every split; whatever the values' distribution, only their order
 * matters, so that heavy tails raise no false alarms (A. N. Pettitt, "A non-parametric approach to the change-point
 * problem", Applied Statistics 28, 1979, with B. L. van der Waerden's scores). The chance of the greatest of these
 * is that of a maximally selected statistic (R. Miller and D. Siegmund, "Maximally selected chi square statistics",
 * Biometrics 38, 1982). It is asked anew with each value of a bounded window, as D. M. Hawkins and Q. Deng do ("A
 * nonparametric change-point control chart", Journal of Quality Technology 42, 2010).
 */

/** The fewest values on either side of a change. */
export const FEWEST = 4;

/** A change of level. */
export interface Split {
  /** The first value of the new level, by index. */
  readonly index: number;
  /** The chance of such a split in a series without a change. */
  readonly chance: number;
}

/** The likeliest change in a series; undefined for one that is too short. */
export function split(values: readonly number[]): Split | undefined {
  const count = values.length;
  if (count < 2 * FEWEST + 1) return undefined;
  const scores = normalScores(values);
  let variance = 0;
  for (const score of scores) variance += score * score / (count - 1);
  if (variance === 0) return undefined;
  let [sum, best, index] = [0, -1, 0];
  for (let i = 1; i <= count - FEWEST; i++) {
    sum += scores[i - 1];
    if (i < FEWEST) continue;
    const z = Math.abs(sum) / Math.sqrt(variance * i * (count - i) / count);
    if (z > best) [best, index] = [z, i];
  }
  return { index, chance: chanceOf(best, FEWEST / count) };
}

// Of |z| maximised over the splits that leave a share `edge` on either side.
function chanceOf(z: number, edge: number): number {
  if (z < 1) return 1;
  const density = Math.exp(-z * z / 2) / Math.sqrt(2 * Math.PI);
  const range = 2 * Math.log((1 - edge) / edge);
  return Math.min(1, density * (4 / z + (z - 1 / z) * range));
}

// By rank; values that are alike share the mean of their ranks.
function normalScores(values: readonly number[]): Float64Array {
  const count = values.length;
  const order = Array.from(values, (_, i) => i).sort((a, b) => values[a] - values[b]);
  const scores = new Float64Array(count);
  for (let from = 0; from < count;) {
    let to = from + 1;
    while (to < count && values[order[to]] === values[order[from]]) to++;
    const score = normalQuantile((from + to + 1) / 2 / (count + 1));
    for (; from < to; from++) scores[order[from]] = score;
  }
  return scores;
}

// To 0.006 within the ranks that there are (B. L. Joiner and J. R. Rosenblatt, JASA 66, 1971, after Tukey's lambda).
function normalQuantile(share: number): number {
  return 4.91 * (share ** 0.14 - (1 - share) ** 0.14);
}

/** By how much two levels differ. */
export interface Shift {
  /** The median of all differences, after less before. */
  readonly by: number;
  /** The lower end of its 95 % interval. */
  readonly low: number;
  /** The upper end. */
  readonly high: number;
}

/**
 * How far `after` lies above `before`: the median of all differences, with the interval that the ranks allow (J. L. Hodges
 * and E. L. Lehmann, "Estimates of location based on rank tests", Annals of Mathematical Statistics 34, 1963).
 */
export function shift(before: readonly number[], after: readonly number[]): Shift {
  const all = new Float64Array(before.length * after.length);
  let next = 0;
  for (const b of before) for (const a of after) all[next++] = a - b;
  all.sort();
  const [m, n] = [before.length, after.length];
  const spread = 1.96 * Math.sqrt(m * n * (m + n + 1) / 12);
  const first = Math.max(0, Math.floor(m * n / 2 - spread));
  return { by: middle(all), low: all[first], high: all[all.length - 1 - first] };
}

/** The median; NaN of nothing. */
export function median(values: readonly number[]): number {
  return middle(new Float64Array(values).sort());
}

function middle(sorted: Float64Array): number {
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}
