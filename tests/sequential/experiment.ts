import type { Verdict } from "../../engine/core/proposal.ts";
import { batchOf, NONE, plus } from "../../engine/parameters/count.ts";
import {
  type Count,
  type Evidence,
  judge,
  RULES,
  type Rules,
} from "../../engine/parameters/verdict.ts";
import { type Random, random } from "../../plugins/optimizer/random.ts";
import { failures, gammaFactor, NOISE, type Noise, outlier } from "./noise.ts";

/** A simulated experiment: what is true, and what disturbs it. */
export interface Truth {
  /** How many times better the candidate is. */
  readonly ratio: number;
  readonly noise: Noise;
  /** Items of the two arms in a pair; a run that is split has an error of its arms in common. */
  readonly items: { readonly candidate: number; readonly incumbent: number };
  /** Whole runs are the arms: each has all of the noise. */
  readonly whole: boolean;
  /** The true error rates. */
  readonly errors: { readonly candidate: number; readonly incumbent: number };
  /** The error rates' factor is the same for both arms: they share the environment. */
  readonly sharedErrors: boolean;
  /**
   * What moves both arms, as a logarithm: it grows by `trend` from slice to slice and wanders with the deviation and the
   * correlation from one to the next.
   */
  readonly common: {
    readonly trend: number;
    readonly deviation: number;
    readonly correlation: number;
  };
  /** A guard on the error rate. */
  readonly guard: number | undefined;
  /** Items fail by whole batches, not one by one. */
  readonly wholeBatches: boolean;
  /** The incumbent's runs that are known from before the experiment, and their true error rate. */
  readonly before: { readonly runs: number; readonly errors: number };
  /** Items of a batch: the evidence is judged after each of the candidate's. */
  readonly batch: number;
}

/** Nothing is better, and the error rates are right at the guard. */
export const NULL: Truth = {
  ratio: 1,
  noise: NOISE,
  items: { candidate: 250, incumbent: 250 },
  whole: false,
  errors: { candidate: 0.02, incumbent: 0.02 },
  sharedErrors: false,
  common: { trend: 0, deviation: 0, correlation: 0 },
  guard: 0.02,
  wholeBatches: false,
  before: { runs: 0, errors: 0 },
  batch: 50,
};

/** What a simulated experiment came to. */
export interface Outcome {
  readonly verdict: Verdict;
  /** Items that the candidate had by then. */
  readonly items: number;
}

/** Runs experiment number `index` of a seed until there is a verdict, looked at after every batch and every pair. */
export function experiment(
  truth: Truth,
  seed: number,
  index: number,
  rules: Rules = RULES,
): Outcome {
  const chance = random(seed, index);
  const pairs: number[] = [];
  const counts: { candidate: Count[]; incumbent: Count[] } = { candidate: [], incumbent: [] };
  const seen: Evidence = {
    pairs,
    guards: truth.guard === undefined
      ? []
      : [{ metric: "error_rate", of: "load", below: truth.guard, counts }],
  };
  for (let run = 0; run < truth.before.runs; run++) {
    const rate = rateOf(truth.before.errors, gammaFactor(chance, truth.noise.dispersion));
    counts.incumbent.push(slice(truth, truth.items.incumbent, rate, chance));
  }
  let items = 0;
  const common = wandering(truth.common, chance);
  while (true) {
    const factor = gammaFactor(chance, truth.noise.dispersion);
    const arms = chance.next() < 0.5
      ? ["candidate", "incumbent"] as const
      : ["incumbent", "candidate"] as const;
    const logs = { candidate: -Math.log(truth.ratio), incumbent: 0 };
    for (const arm of arms) {
      logs[arm] += common() + error(truth, truth.items[arm], chance);
      const own = truth.sharedErrors ? factor : gammaFactor(chance, truth.noise.dispersion);
      const rate = rateOf(truth.errors[arm], own);
      counts[arm].push(NONE);
      for (let from = 0; from < truth.items[arm]; from += truth.batch) {
        const size = Math.min(truth.batch, truth.items[arm] - from);
        counts[arm].push(plus(counts[arm].pop()!, batch(truth, size, rate, chance)));
        if (arm === "candidate") items += size;
        const verdict = truth.guard === undefined ? undefined : judge(seen, rules);
        if (verdict !== undefined) return { verdict, items };
      }
    }
    pairs.push(logs.incumbent - logs.candidate);
    const verdict = judge(seen, rules);
    if (verdict !== undefined) return { verdict, items };
  }
}

// What fails always does so in every slice.
function rateOf(errors: number, factor: number): number {
  return errors === 1 ? 1 : Math.min(0.95, errors * factor);
}

function batch(truth: Truth, items: number, rate: number, chance: Random): Count {
  const failed = truth.wholeBatches
    ? items * failures(chance, 1, rate)
    : failures(chance, items, rate);
  return batchOf(items, failed);
}

// All the batches of a slice of what ruled before.
function slice(truth: Truth, items: number, rate: number, chance: Random): Count {
  let count = NONE;
  for (let from = 0; from < items; from += truth.batch) {
    count = plus(count, batch(truth, Math.min(truth.batch, items - from), rate, chance));
  }
  return count;
}

/** The log ratio of a pair without anything that moves both arms. */
export function logRatio(truth: Truth, chance: Random): number {
  const { candidate, incumbent } = truth.items;
  return Math.log(truth.ratio) + error(truth, incumbent, chance) - error(truth, candidate, chance);
}

// The surfaces' noise: a run that is split has half of its error in common, which cancels and is not drawn.
function error({ noise, whole }: Truth, items: number, chance: Random): number {
  const variance = whole ? noise.sigma ** 2 : noise.sigma ** 2 / 2 + 0.5 / items;
  return Math.sqrt(variance) * chance.normal() + outlier(chance, noise);
}

function wandering(
  { trend, deviation, correlation }: Truth["common"],
  chance: Random,
): () => number {
  let [risen, wander] = [0, deviation * chance.normal()];
  return () => {
    risen += trend;
    wander = correlation * wander +
      deviation * Math.sqrt(1 - correlation ** 2) * chance.normal();
    return risen + wander;
  };
}
