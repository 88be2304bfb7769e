/**
 * Whether the world has changed: how much better the last runs are explained by a shift of the objective, of the error
 * rate, or of both, than by what was believed before each of them. It is a Bayes factor for each possible beginning, so
 * a single outlier does not do, and a lasting small shift does in the end.
 */
import { logCount } from "./harm.ts";
import type { Belief } from "./objective.ts";

/** How one run came out against what was believed before it. */
export interface Surprise {
  /** Which run it was. */
  readonly run: number;
  /** The observed logarithm of the objective minus the believed one; of all arms the one nearest to 0. */
  readonly off: number;
  /** The standard deviation that was expected of that. */
  readonly sd: number;
  /** By how much rates vary beyond chance. */
  readonly dispersion: number;
  /** The failures of each arm. */
  readonly arms: readonly {
    /** The believed logarithm of the error rate. */
    readonly rate: Belief;
    /** How many items it had. */
    readonly items: number;
    /** How many of them failed. */
    readonly failed: number;
  }[];
}

/** How many runs a change may lie back when it is noticed. */
export const LOOKBACK = 10;
// A change is expected once in so many runs.
const INTERVAL = 150;
const OBJECTIVE_SHIFT = 0.8;
const RATE_SHIFT = 1.2;

/** The chance that the world has changed within the last runs, oldest first, and with how many of them it began. */
export function change(runs: readonly Surprise[]): { chance: number; last: number } {
  let best = -Infinity;
  let last = 0;
  for (let n = 1; n <= Math.min(LOOKBACK, runs.length); n++) {
    const some = runs.slice(-n);
    const factor = Math.log((1 + Math.exp(objectiveFactor(some))) / 2) +
      Math.log((1 + Math.exp(rateFactor(some))) / 2);
    if (factor > best) {
      best = factor;
      last = n;
    }
  }
  const odds = Math.exp(best) / INTERVAL;
  return { chance: odds === Infinity ? 1 : odds / (1 + odds), last };
}

function objectiveFactor(runs: readonly Surprise[]): number {
  return shifted(
    (shift) => runs.reduce((sum, { off, sd }) => sum + student((off - shift) / sd), 0),
    0,
    OBJECTIVE_SHIFT,
  );
}

function rateFactor(runs: readonly Surprise[]): number {
  const arms = runs.flatMap(({ arms, dispersion }) => arms.map((arm) => ({ ...arm, dispersion })));
  // What was not known of the rates is shared by all arms at worst.
  const doubt = Math.sqrt(arms.reduce((sum, { rate }) => sum + rate.sd ** 2, 0) / arms.length);
  return shifted(
    (shift) =>
      arms.reduce((sum, { rate, items, failed, dispersion }) => {
        const mean = items * Math.min(1, Math.exp(rate.mean + shift));
        return sum + logCount(failed, mean, dispersion);
      }, 0),
    doubt,
    Math.hypot(doubt, RATE_SHIFT),
  );
}

// Student's t with 4 degrees of freedom, but for its constant.
function student(z: number): number {
  return -2.5 * Math.log(1 + z * z / 4);
}

// How much better a shift spread by `wide` explains than one spread by `narrow`, as a logarithm; by quadrature.
function shifted(explained: (shift: number) => number, narrow: number, wide: number): number {
  const still = narrow === 0 ? explained(0) : average(explained, narrow);
  return average(explained, wide) - still;
}

function average(explained: (shift: number) => number, sd: number): number {
  const parts: number[] = [];
  let total = 0;
  for (let z = -3; z <= 3.01; z += 0.2) {
    const weight = Math.exp(-z * z / 2);
    total += weight;
    parts.push(explained(z * sd) + Math.log(weight));
  }
  const top = Math.max(...parts);
  return top + Math.log(parts.reduce((sum, part) => sum + Math.exp(part - top), 0) / total);
}
