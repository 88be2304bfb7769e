/**
 * How likely values are to break the guard: a Gaussian process on the logarithm of the error rate. Failures are counts
 * whose rate varies from arm to arm more than chance alone would have it, hence negative binomial; their posterior is
 * Laplace's approximation (Rasmussen and Williams 2006, algorithm 3.1, with the expected information).
 */
import { type Factor, factor } from "./factor.ts";
import { Kernel, type Prior, type Site } from "./kernel.ts";
import { below } from "./normal.ts";
import type { Belief } from "./objective.ts";
import type { Observation } from "./observation.ts";
import type { Point } from "./space.ts";

const ROUNDS = 25;
// Below the guard by this part is where a rate must be: room for what the model does not know.
const MARGIN = 0.06;
// The rate at the defaults is guessed at this part of the guard, loosely.
const USUAL = 1 / 6;
const DISPERSIONS: readonly number[] = [0.1, 0.2, 0.3, 0.45, 0.7];
const DISPERSION = 0.3;

/** What is learned of the rates' shape; serialisable. */
export interface Rates {
  /** By how much rates vary beyond chance: the variance of a rate over its square. */
  readonly dispersion: number;
  /** How abruptly they bend: 1 where errors rise smoothly with load, more where they have a wall. */
  readonly roughness: number;
}

/** What is believed of them before anything is known. */
export const RATES: Rates = { dispersion: DISPERSION, roughness: 1 };

const ROUGH: readonly number[] = [1, 2, 4];
// Walls are rarer than slopes: each step of roughness must explain the counts e^2 times as well.
const ROUGH_PRICE = 2;

function harmPrior(hour: number, roughness: number): Prior {
  // What the hour does to the objective it may do to errors, and more: they answer to load faster.
  return {
    level: 2,
    slope: 0.8,
    amplitude: 0.6 * roughness,
    joint: 0.4 * roughness,
    length: 2.2 / roughness,
    choice: 0.3,
    alike: 0.7,
    hour: 2 * hour,
    kept: 0.5,
  };
}

// All arms at one site: they share a rate.
interface Group extends Site {
  readonly arms: Observation[];
}

/** What the error rate is believed to be. */
export class Harm {
  /** What was learned of the rates' shape. */
  readonly rates: Rates;
  // The dispersion that explains the counts best.
  readonly #likeliest: number;
  // How well all this explains them, as a logarithm.
  readonly #evidence: number;
  readonly #groups: Group[];
  readonly #kernel: Kernel;
  readonly #guess: number;
  readonly #limit: number;
  readonly #factor: Factor;
  readonly #pull: Float64Array;
  readonly #roots: Float64Array;
  /** Whether the hour of the day matters. */
  readonly hourly: boolean;

  /** Fits observations with what was learned; `hour` is what the hour of the day does to the objective. */
  constructor(
    space: { readonly choices: readonly number[]; readonly origin: Point },
    observations: readonly Observation[],
    guard: number,
    rates: Rates,
    hour: number,
  ) {
    const { dispersion, roughness } = rates;
    this.rates = rates;
    this.hourly = hour > 0;
    this.#groups = grouped(observations, this.hourly);
    this.#kernel = new Kernel(space.choices, space.origin, harmPrior(hour, roughness));
    this.#limit = Math.log(guard) - MARGIN;
    this.#guess = Math.log(guard * USUAL);
    const n = this.#groups.length;
    const rows = this.#groups.map((a) =>
      Float64Array.from(this.#groups, (b) => this.#kernel.of(a, b))
    );
    const logs = new Float64Array(n).fill(this.#guess);
    const pull = new Float64Array(n);
    const roots = new Float64Array(n);
    let system: Factor | undefined;
    for (let round = 0; round < ROUNDS; round++) {
      const target = new Float64Array(n);
      for (let i = 0; i < n; i++) {
        let gradient = 0;
        let information = 0;
        for (const { items, failed } of this.#groups[i].arms) {
          const mean = items * Math.exp(logs[i]);
          const spread = 1 + dispersion * mean;
          gradient += (failed - mean) / spread;
          information += mean / spread;
        }
        information = Math.max(information, 1e-9);
        roots[i] = Math.sqrt(information);
        target[i] = information * (logs[i] - this.#guess) + gradient;
      }
      system = factor(n, (i, j) => roots[i] * rows[i][j] * roots[j] + (i === j ? 1 : 0));
      const scaled = target.map((_, i) => {
        let sum = 0;
        for (let j = 0; j < n; j++) sum += rows[i][j] * target[j];
        return roots[i] * sum;
      });
      const solved = system.solve(scaled);
      let moved = 0;
      for (let i = 0; i < n; i++) pull[i] = target[i] - roots[i] * solved[i];
      for (let i = 0; i < n; i++) {
        let log = this.#guess;
        for (let j = 0; j < n; j++) log += rows[i][j] * pull[j];
        // A rate is at most 1; and a step of Newton's is not trusted beyond a factor of e^2.
        const next = Math.min(0, Math.max(logs[i] - 2, Math.min(logs[i] + 2, log)));
        moved = Math.max(moved, Math.abs(next - logs[i]));
        logs[i] = next;
      }
      if (moved < 1e-4) break;
    }
    this.#factor = system!;
    this.#pull = pull;
    this.#roots = roots;
    this.#likeliest = likeliest(this.#groups, logs, dispersion);
    const off = logs.reduce((sum, log, i) => sum + (log - this.#guess) * pull[i], 0);
    this.#evidence = explained(this.#groups, logs, dispersion) -
      (off + this.#factor.logDeterminant) / 2 - ROUGH_PRICE * ROUGH.indexOf(roughness);
  }

  /** Learns from observations, beginning with what was learned before: one step of each number. */
  static learn(
    space: { readonly choices: readonly number[]; readonly origin: Point },
    observations: readonly Observation[],
    guard: number,
    from: Rates,
    hour: number,
  ): Harm {
    const fit = (rates: Rates) => new Harm(space, observations, guard, rates, hour);
    let best = fit(from);
    if (best.#likeliest !== from.dispersion) best = fit({ ...from, dispersion: best.#likeliest });
    const at = ROUGH.indexOf(from.roughness);
    for (const roughness of [ROUGH[at - 1], ROUGH[at + 1]]) {
      if (roughness === undefined) continue;
      const other = fit({ ...best.rates, roughness });
      if (other.#evidence > best.#evidence) best = other;
    }
    return best;
  }

  /** The logarithm of the error rate at a site. */
  at(site: Site): Belief {
    const row = Float64Array.from(this.#groups, (group) => this.#kernel.of(group, site));
    let mean = this.#guess;
    for (let i = 0; i < row.length; i++) {
      mean += row[i] * this.#pull[i];
      row[i] *= this.#roots[i];
    }
    let variance = this.#kernel.of(site, site);
    for (const value of this.#factor.forward(row)) variance -= value * value;
    return { mean, sd: Math.sqrt(Math.max(1e-12, variance)) };
  }

  /** The chance that a rate is over the guard. */
  chance({ mean, sd }: Belief): number {
    return below((mean - this.#limit) / sd);
  }

  /** The chance that a rate is over the guard at the worst hour of the day. */
  worst(site: Site): number {
    if (!this.hourly) return this.chance(this.at(site));
    let worst = 0;
    for (let hours = 0; hours < 24; hours += 2) {
      worst = Math.max(worst, this.chance(this.at({ ...site, hours })));
    }
    return worst;
  }

  /**
   * The chance that `items` more at a site would leave its rate under the guard with a chance of harm of at most
   * `allowed`, whose quantile is `z`.
   */
  wouldClear({ mean, sd }: Belief, items: number, z: number): number {
    const expected = items * Math.exp(Math.min(0, mean));
    const information = expected / (1 + this.rates.dispersion * expected);
    const after = sd / Math.sqrt(1 + sd * sd * information);
    const moves = Math.sqrt(Math.max(1e-12, sd * sd - after * after));
    return below((this.#limit - z * after - mean) / moves);
  }
}

function grouped(observations: readonly Observation[], hourly: boolean): Group[] {
  const groups = new Map<string, Group>();
  for (const arm of observations) {
    const hours = hourly ? Math.round(arm.hours % 24) % 24 : 0;
    const key = `${arm.key}/${arm.epoch}/${hours}`;
    const group = groups.get(key);
    if (group === undefined) {
      groups.set(key, { point: arm.point, epoch: arm.epoch, hours, arms: [arm] });
    } else group.arms.push(arm);
  }
  return [...groups.values()];
}

// The dispersion that explains the counts best, given the rates' logarithms.
function likeliest(groups: readonly Group[], logs: Float64Array, used: number): number {
  return DISPERSIONS.reduce(
    (best, one) => explained(groups, logs, one) > explained(groups, logs, best) ? one : best,
    used,
  );
}

// How well rates and a dispersion explain the counts, as a logarithm; an unusual dispersion costs.
function explained(groups: readonly Group[], logs: Float64Array, dispersion: number): number {
  const off = Math.log(dispersion / DISPERSION) / 0.5;
  let sum = -off * off / 2;
  groups.forEach(({ arms }, i) => {
    for (const { items, failed } of arms) {
      sum += logCount(failed, items * Math.exp(logs[i]), dispersion);
    }
  });
  return sum;
}

/** The logarithm of the chance of a negative binomial count. */
export function logCount(count: number, mean: number, dispersion: number): number {
  const shape = 1 / dispersion;
  let sum = shape * Math.log(shape / (shape + mean)) + count * Math.log(mean / (shape + mean));
  // Γ(count + shape) / (Γ(shape) count!), as the product that it is, and beyond that by Stirling's series.
  const exact = Math.min(count, EXACT);
  for (let i = 0; i < exact; i++) sum += Math.log((i + shape) / (i + 1));
  if (count > exact) {
    sum += stirling(count + shape) - stirling(exact + shape) -
      stirling(count + 1) + stirling(exact + 1);
  }
  return sum;
}

const EXACT = 30;

// The logarithm of the gamma function but for its constant; good to 1e-7 from EXACT on.
function stirling(x: number): number {
  return (x - 0.5) * Math.log(x) - x + 1 / (12 * x);
}
