import type { Random } from "../../plugins/optimizer/random.ts";

/** What disturbs an experiment. */
export interface Noise {
  /** Standard deviation of the logarithm of one run's objective. */
  readonly sigma: number;
  /** How often an arm's objective is an outlier. */
  readonly outliers: number;
  /** The exponent of the outliers' Pareto tail. */
  readonly tail: number;
  /** Their scale. */
  readonly scale: number;
  /** The variance of the gamma factor of a slice's or run's error rate. */
  readonly dispersion: number;
}

/** The noise of the tuner's surfaces. */
export const NOISE: Noise = { sigma: 0.15, outliers: 0.05, tail: 2.5, scale: 0.3, dispersion: 0.3 };

/** The worst of it. */
export const WORST: Noise = {
  sigma: 0.25,
  outliers: 0.08,
  tail: 2.2,
  scale: 0.4,
  dispersion: 0.3,
};

/** The logarithm of an arm's outlier: mostly 0. */
export function outlier(random: Random, { outliers, tail, scale }: Noise): number {
  if (random.next() >= outliers) return 0;
  return Math.log(1 + scale * (1 - random.next()) ** (-1 / tail));
}

/** A factor with mean 1 and the given variance (G. Marsaglia and W. W. Tsang, "A simple method for generating gamma variables", 2000). */
export function gammaFactor(random: Random, variance: number): number {
  if (variance === 0) return 1;
  const d = 1 / variance - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  while (true) {
    const x = random.normal();
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - random.next()) < x * x / 2 + d - d * v + d * Math.log(v)) {
      return d * v * variance;
    }
  }
}

/** How many of `items` fail at a rate. */
export function failures(random: Random, items: number, rate: number): number {
  let failed = 0;
  for (let i = 0; i < items; i++) if (random.next() < rate) failed += 1;
  return failed;
}
