import { median } from "./change.ts";

/** How a series has moved. */
export interface Trend {
  /** How many times as great it is at the end as at the beginning. */
  readonly factor: number;
  /** The chance of as clear a trend in a series without one. */
  readonly chance: number;
}

const FEWEST = 8;

/**
 * The trend of positive values: the median of the slopes of all pairs of their logarithms (P. K. Sen, "Estimates of the
 * regression coefficient based on Kendall's tau", JASA 63, 1968), with the chance by H. B. Mann's test ("Nonparametric
 * tests against trend", Econometrica 13, 1945). Undefined for too few.
 */
export function trendOf(values: readonly number[]): Trend | undefined {
  const count = values.length;
  if (count < FEWEST) return undefined;
  const logs = values.map(Math.log);
  const slopes: number[] = [];
  let score = 0;
  for (let j = 1; j < count; j++) {
    for (let i = 0; i < j; i++) {
      slopes.push((logs[j] - logs[i]) / (j - i));
      score += Math.sign(logs[j] - logs[i]);
    }
  }
  const spread = Math.sqrt(count * (count - 1) * (2 * count + 5) / 18);
  const z = Math.max(0, Math.abs(score) - 1) / spread;
  return { factor: Math.exp(median(slopes) * (count - 1)), chance: twoTails(z) };
}

// Of the normal distribution, to 1.5e-7 (M. Abramowitz and I. A. Stegun, "Handbook of Mathematical Functions", 7.1.26).
function twoTails(z: number): number {
  const t = 1 / (1 + 0.3275911 * z / Math.SQRT2);
  const poly = t * (0.254829592 +
    t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return poly * Math.exp(-z * z / 2);
}
