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
const EXPECTED = { deviation: 0.18, values: 1.5 };

/** Values further than so many deviations from the median are drawn in to there. */
const CLIP = 2;

/** One value that is off by a factor of 8, or two by nearly 3 each: rare even where the noise has a deviation of 0.7. */
const FAR = Math.log(8);

/**
 * Ville's inequality bounds what happens in infinitely many looks. Sixty see a part of it: so much more may be risked,
 * as `tests/sequential` measures.
 */
const SLACK = 1.8;

/**
 * The centre of values with normal noise of an unknown size, covered with the given confidence at sixty looks together.
 *
 * It is the set of centres that a Bayes factor does not speak against. Against the centre stands one that is off by a
 * number of deviations that is itself standard normal; both share a scaled inverse chi-square prior of the deviation,
 * which carries the first looks, when the values say little of it. The factor is a martingale under the centre, so that
 * Ville's inequality bounds the chance that it ever exceeds a level (H. Robbins, "Statistical methods related to the law
 * of the iterated logarithm", 1970; T. L. Lai, "On confidence sequences", 1976; H. Wang and A. Ramdas, "Anytime-valid
 * t-tests and confidence sequences for Gaussian means with unknown variance", 2023).
 *
 * Outliers are drawn in first, which with heavy tails narrows the interval (J. W. Tukey and D. H. McLaughlin, "Less
 * vulnerable confidence and significance procedures for location on the basis of a single sample", 1963). With a large
 * deviation and many outliers it promises a little too much: `tests/sequential/FIGURES.md` says how much.
 */
export function interval(values: readonly number[], confidence: number): Estimate {
  const n = values.length;
  if (n === 0) return { centre: 0, low: -Infinity, high: Infinity, deviation: EXPECTED.deviation };
  const { centre, squares } = centreOf(values);
  const deviation = Math.sqrt(squares / (EXPECTED.values + n));
  const half = halfWidth(n, deviation, confidence);
  return { centre, low: centre - half, high: centre + half, deviation };
}

/** How strongly values, one or more, speak for a centre above 0: the factor that `interval` is made of, against 0. */
export function evidenceAboveZero(values: readonly number[]): number {
  const n = values.length;
  const { centre, squares: s } = centreOf(values);
  if (centre <= 0) return 0;
  const q = n * centre ** 2;
  return ((s + q) / (s + q / (1 + n))) ** ((EXPECTED.values + n) / 2) / Math.sqrt(1 + n);
}

/** How far the ends of `interval` are from the centre of n values that deviate so much; infinity for the first few. */
export function halfWidth(n: number, deviation: number, confidence: number): number {
  const k = EXPECTED.values + n;
  // With s = k deviation^2 and q = n (centre - c)^2 the factor against c is
  // (1 + n)^(-1/2) ((s + q) / (s + q / (1 + n)))^(k / 2); at the ends it is 1 / (SLACK (1 - confidence)).
  const most = (Math.sqrt(1 + n) / (SLACK * (1 - confidence))) ** (2 / k);
  const left = 1 - most / (1 + n);
  return left > 0 ? deviation * Math.sqrt(k * (most - 1) / (n * left)) : Infinity;
}

/** Whether one value, or the first two together, are so far above 0 that there is no need to wait for an interval. */
export function isFarAboveZero(values: readonly number[]): boolean {
  return values.length <= 2 && sum(values) > FAR;
}

// The centre of the values, and their squared distances from it with those of the prior.
function centreOf(values: readonly number[]): { centre: number; squares: number } {
  const n = values.length;
  const prior = EXPECTED.values * EXPECTED.deviation ** 2;
  const { drawn, kept } = drawnIn(values, prior);
  const centre = sum(drawn) / n;
  // What was drawn in says less of the deviation than it seems to.
  const squares = prior + sum(drawn.map((value) => (value - centre) ** 2)) * n / kept;
  return { centre, squares };
}

// The values with outliers drawn in, and how many were none.
function drawnIn(
  values: readonly number[],
  prior: number,
): { drawn: readonly number[]; kept: number } {
  const n = values.length;
  const middle = median(values);
  // Four in five normal values are within 1.2816 deviations. The median of the distances would be 0 where most values are
  // alike, as ratios of counts may be.
  const distances = values.map((value) => Math.abs(value - middle)).toSorted((a, b) => a - b);
  const spread = distances[Math.ceil(0.8 * n) - 1] / 1.2816;
  const reach = CLIP * Math.sqrt((prior + n * spread ** 2) / (EXPECTED.values + n));
  return {
    drawn: values.map((value) => Math.min(middle + reach, Math.max(middle - reach, value))),
    kept: distances.filter((distance) => distance <= reach).length,
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((before, value) => before + value, 0);
}

/** The middle value, between the two middle ones when there is an even number of them; of none it is NaN. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}
