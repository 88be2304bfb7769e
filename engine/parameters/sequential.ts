/** An estimate with an interval that holds at every look: whoever stops when it suits them is not misled. */
export interface Estimate {
  /** The centre of the values. */
  readonly centre: number;
  /** The lower end; minus infinity while there are too few values. */
  readonly low: number;
  /** The upper end; infinity while there are too few values. */
  readonly high: number;
  /** The standard deviation of one value, as far as it is known. */
  readonly deviation: number;
}

/** What noise is expected of log ratios before any has been seen: this deviation, worth so many values. */
const EXPECTED = { deviation: 0.15, values: 2 };

/** Values further than so many deviations from the median are drawn in to there. */
const CLIP = 2.5;

/**
 * The centre of values with normal noise of an unknown size, at every look covered with the given confidence.
 *
 * It is the set of centres that a Bayes factor does not speak against by 1 / (1 - confidence) or more. Against the
 * centre stands one that is off by a number of deviations that is itself standard normal; both share a scaled inverse
 * chi-square prior of the deviation, which carries the first looks, when the values say little of it. The factor is a
 * martingale under the centre, so Ville's inequality bounds the chance that it ever speaks so (H. Robbins, "Statistical
 * methods related to the law of the iterated logarithm", 1970; T. L. Lai, "On confidence sequences", 1976; H. Wang and
 * A. Ramdas, "Anytime-valid t-tests and confidence sequences for Gaussian means with unknown variance", 2023).
 *
 * Outliers are drawn in first (J. W. Tukey and D. H. McLaughlin, "Less vulnerable confidence and significance procedures
 * for location", 1963): with heavy tails the deviation would otherwise be theirs. `tests/sequential` measures what is
 * left of the promise then.
 */
export function interval(values: readonly number[], confidence: number): Estimate {
  const n = values.length;
  if (n === 0) return { centre: 0, low: -Infinity, high: Infinity, deviation: EXPECTED.deviation };
  const prior = EXPECTED.values * EXPECTED.deviation ** 2;
  const clipped = drawnIn(values, prior);
  const centre = clipped.reduce((sum, value) => sum + value, 0) / n;
  const squares = prior + clipped.reduce((sum, value) => sum + (value - centre) ** 2, 0);
  const deviation = Math.sqrt(squares / (EXPECTED.values + n));
  // With q = n (centre - c)^2 the factor against c is (1 + n)^(-1/2) ((squares + q) / (squares + q / (1 + n)))^(k / 2).
  const k = EXPECTED.values + n;
  const most = (Math.sqrt(1 + n) / (1 - confidence)) ** (2 / k);
  const left = 1 - most / (1 + n);
  const half = left > 0 ? Math.sqrt(squares * (most - 1) / (n * left)) : Infinity;
  return { centre, low: centre - half, high: centre + half, deviation };
}

function drawnIn(values: readonly number[], prior: number): readonly number[] {
  const n = values.length;
  if (n < 3) return values;
  const middle = median(values);
  // 1.4826 makes it the standard deviation where the values are normal.
  const spread = 1.4826 * median(values.map((value) => Math.abs(value - middle)));
  const reach = CLIP * Math.sqrt((prior + n * spread ** 2) / (EXPECTED.values + n));
  return values.map((value) => Math.min(middle + reach, Math.max(middle - reach, value)));
}

/** The middle value, between the two middle ones when there is an even number of them; of none it is NaN. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}
