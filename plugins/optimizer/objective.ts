/**
 * What the logarithm of the objective is believed to be, everywhere: a Gaussian process on what was observed, its noise
 * in two parts (what disturbs a whole run, and what disturbs one arm of it), and heavy tails by Student's t.
 */
import { type Factor, factor } from "./factor.ts";
import { Kernel, type Prior, type Site } from "./kernel.ts";
import type { Observation } from "./observation.ts";
import type { Point } from "./space.ts";

/** What is learned about the objective's shape and noise, one number each; serialisable. */
export interface Shape {
  /** Standard deviation of one run's logarithm. */
  readonly noise: number;
  /** Of what bends (`Prior.amplitude`). */
  readonly amplitude: number;
  /** Over which distance (`Prior.length`). */
  readonly length: number;
  /** Of the hour of the day; 0 when it does not matter. */
  readonly hour: number;
}

/** What is believed before anything is known. */
export const SHAPE: Shape = { noise: 0.15, amplitude: 0.5, length: 1.5, hour: 0 };

// How far each may plausibly be from that, as a standard deviation of its logarithm.
const SPREAD = { noise: 0.5, amplitude: 0.5, length: 0.4 };
const HOURS: readonly number[] = [0, 0.2, 0.4];
// The hour is taken to matter once that explains the observations e times as well.
const HOUR_PRICE = 1;
// Degrees of freedom of the noise: tails as heavy as timings have, yet a variance.
const FREEDOM = 4;
/** The variance that one item's own time adds, over the number of items: about that of exponential times. */
export const PER_ITEM = 0.7;

// What is worse than the first observation by more than this, a factor of 3, is only known to be that bad: an abyss far
// away must not bend what is believed nearby.
const WORST = Math.log(3);

// How often outliers are weighed anew.
const TAIL_ROUNDS = 2;
// With fewer observations than this no shape is learned.
const FEW = 4;

/** What is learned of some observations; serialisable. */
export interface Learned {
  /** The shape. */
  readonly shape: Shape;
  /** By how much each observation's own variance is larger than usual: outliers say little. */
  readonly tails: readonly number[];
}

/** A normal belief. */
export interface Belief {
  /** Its mean. */
  readonly mean: number;
  /** Its standard deviation. */
  readonly sd: number;
}

/** What the objective is believed to be. */
export class Objective {
  /** What was learned. */
  readonly learned: Learned;
  readonly #observations: readonly Observation[];
  readonly #kernel: Kernel;
  readonly #factor: Factor;
  readonly #weights: Float64Array;
  readonly #mean: number;
  // How well the shape explains the observations, as a logarithm.
  readonly #evidence: number;

  /** Fits observations (at least one) with what was learned of them. */
  constructor(
    space: { readonly choices: readonly number[]; readonly origin: Point },
    observations: readonly Observation[],
    learned: Learned,
  ) {
    const { shape, tails } = learned;
    this.learned = learned;
    this.#observations = observations;
    this.#kernel = new Kernel(space.choices, space.origin, objectivePrior(shape));
    const logs = capped(observations);
    this.#mean = logs.reduce((sum, log) => sum + log, 0) / logs.length;
    const residuals = logs.map((log) => log - this.#mean);
    const shared = shape.noise * shape.noise / 2;
    this.#factor = factor(observations.length, (i, j) => {
      const a = observations[i];
      const b = observations[j];
      return this.#kernel.of(a, b) + (a.run === b.run ? shared : 0) +
        (i === j ? ownVariance(shape, a.items) * tails[i] : 0);
    });
    this.#weights = this.#factor.solve(residuals);
    const fit = residuals.reduce((sum, r, i) => sum + r * this.#weights[i], 0);
    this.#evidence = -(fit + this.#factor.logDeterminant) / 2 + plausible(shape);
  }

  /**
   * Learns from observations (at least one), beginning with a shape. A few better shapes are tried, not all: what is
   * learned grows with each call.
   */
  static learn(
    space: { readonly choices: readonly number[]; readonly origin: Point },
    observations: readonly Observation[],
    from: Shape,
  ): Objective {
    let tails: readonly number[] = observations.map(() => 1);
    const fit = (shape: Shape) => new Objective(space, observations, { shape, tails });
    let best = fit(from);
    for (let round = 0; round < TAIL_ROUNDS; round++) {
      tails = best.#tails();
      best = fit(from);
    }
    if (observations.length < FEW) return best;
    for (const neighbour of neighbours(from)) {
      const other = fit({ ...best.learned.shape, ...neighbour(best.learned.shape) });
      if (other.#evidence > best.#evidence) best = other;
    }
    return best;
  }

  /** What the objective is at a site, and what comparing it with another takes. */
  at(site: Site): Belief & { readonly to: Float64Array; readonly site: Site } {
    const row = Float64Array.from(this.#observations, (o) => this.#kernel.of(o, site));
    let mean = this.#mean;
    for (let i = 0; i < row.length; i++) mean += row[i] * this.#weights[i];
    const to = this.#factor.forward(row);
    let variance = this.#kernel.of(site, site);
    for (const value of to) variance -= value * value;
    return { mean, sd: Math.sqrt(Math.max(1e-12, variance)), to, site };
  }

  /** How much larger the logarithm is at `a` than at `b`. */
  difference(a: ReturnType<Objective["at"]>, b: ReturnType<Objective["at"]>): Belief {
    let shared = this.#kernel.of(a.site, b.site);
    for (let i = 0; i < a.to.length; i++) shared -= a.to[i] * b.to[i];
    const variance = a.sd * a.sd + b.sd * b.sd - 2 * shared;
    return { mean: a.mean - b.mean, sd: Math.sqrt(Math.max(1e-12, variance)) };
  }

  // By how much each observation's noise is larger than usual, from what all the others say of it.
  #tails(): number[] {
    const { shape, tails } = this.learned;
    const diagonal = this.#factor.inverseDiagonal();
    return tails.map((tail, i) => {
      const own = ownVariance(shape, this.#observations[i].items);
      const left = this.#weights[i] / diagonal[i];
      // The variance of the prediction of the others, with usual noise.
      const z2 = left * left / Math.max(own, 1 / diagonal[i] - own * (tail - 1));
      return Math.max(1, (FREEDOM + z2) / (FREEDOM + 1));
    });
  }
}

// Each observation's logarithm, but for an abyss: against the first one since the last change.
function capped(observations: readonly Observation[]): number[] {
  const first = new Map<number, number>();
  return observations.map(({ epoch, log }) => {
    if (!first.has(epoch)) first.set(epoch, log);
    return Math.min(log, first.get(epoch)! + WORST);
  });
}

function objectivePrior({ amplitude, length, hour }: Shape): Prior {
  return {
    level: 2,
    slope: 0.5,
    amplitude,
    joint: 0.8 * amplitude,
    length,
    choice: 0.3,
    alike: 0.6,
    hour,
    kept: 0.6,
  };
}

/** The variance of what disturbs one arm alone. */
export function ownVariance({ noise }: Shape, items: number): number {
  return noise * noise / 2 + PER_ITEM / items;
}

function plausible({ noise, amplitude, length, hour }: Shape): number {
  const off = (value: number, usual: number, spread: number) => {
    const z = Math.log(value / usual) / spread;
    return -z * z / 2;
  };
  return off(noise, SHAPE.noise, SPREAD.noise) + off(amplitude, SHAPE.amplitude, SPREAD.amplitude) +
    off(length, SHAPE.length, SPREAD.length) - (hour > 0 ? HOUR_PRICE : 0);
}

// One step of each number up and down.
function neighbours(shape: Shape): ((best: Shape) => Partial<Shape>)[] {
  const steps = [1.25, 0.8];
  return [
    ...steps.map((by) => (best: Shape) => ({ noise: best.noise * by })),
    ...steps.map((by) => (best: Shape) => ({ amplitude: best.amplitude * by })),
    ...steps.map((by) => (best: Shape) => ({ length: best.length * by })),
    ...HOURS.filter((hour) => hour !== shape.hour).map((hour) => () => ({ hour })),
  ];
}
