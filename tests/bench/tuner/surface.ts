import type { Tunable, Values } from "../../../plugins/optimizer/tuner.ts";

/** What disturbs observations: log-normal noise, outliers with a Pareto tail, and error rates that vary. */
export interface Noise {
  /** Standard deviation of a run's logarithm. */
  readonly sigma: number;
  /** How often an observation is an outlier. */
  readonly outliers: number;
  /** The tail's exponent. */
  readonly tail: number;
  /** The tail's scale. */
  readonly scale: number;
  /** The variance of the rate's gamma factor. */
  readonly dispersion: number;
}

/** A pipeline with a known optimum, as formulas. */
export interface Surface {
  /** Its name in the table. */
  readonly name: string;
  /** What may be changed. */
  readonly tunables: readonly Tunable[];
  /** Items of one run. */
  readonly items: number;
  /** What disturbs it. */
  readonly noise: Noise;
  /** The true objective at a time in hours. */
  objective(values: Values, hours: number): number;
  /** The true error rate. */
  errors(values: Values, hours: number): number;
  /** The best objective that is allowed at a time; S6: the mean over the day. */
  best(hours: number): number;
  /** Whether the hour of the day matters: then regret is of the mean over the day. */
  readonly daily?: boolean;
  /** The run from which on everything is different. */
  readonly step?: number;
}

/** The guard of all surfaces. */
export const GUARD = 0.02;

/** The noise that holds where nothing else is said. */
export const NOISE: Noise = { sigma: 0.15, outliers: 0.05, tail: 2.5, scale: 0.3, dispersion: 0.3 };

/** A whole number on a log scale. */
export function logInteger(name: string, min: number, max: number, start: number): Tunable {
  return { name, kind: "integer", scale: "log", min, max, default: start };
}

/** One of a list. */
export function choice(name: string, choices: readonly string[], start: string): Tunable {
  return { name, kind: "choice", choices, default: start };
}

/** The Universal Scalability Law: throughput of c workers (N. J. Gunther, "Guerrilla Capacity Planning", 2007). */
export function scaled(c: number, sigma: number, kappa: number): number {
  return c / (1 + sigma * (c - 1) + kappa * c * (c - 1));
}
