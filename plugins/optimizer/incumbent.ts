/** Which of the values that were tried should rule. */
import type { Harm } from "./harm.ts";
import type { Site } from "./kernel.ts";
import type { Objective } from "./objective.ts";
import type { Space, Values } from "./space.ts";

/** What is clear of the guard. */
export interface Clear {
  /** What the chance of breaking it may be at most. */
  readonly chance: number;
  /** The standard normal quantile of 1 - chance. */
  readonly z: number;
}

const CLEAR: Clear = { chance: 0.05, z: 1.6449 };
// Where the hour matters every hour of a day is a chance to break it: together they come to about as much.
const HOURLY: Clear = { chance: 0.002, z: 2.8782 };

// So much better, as a logarithm of the objective, must be what surely breaks the guard, and in proportion what may:
// where a step brings a lot it may be a little risky, and near the guard, where steps bring little, it may not.
const PRICE = 1;

// In a retreat the defaults may rule up to this chance of harm: they are what the owner has accepted.
const BEARABLE = 0.25;

/** What is known when an incumbent is chosen. */
export interface Known {
  /** The space. */
  readonly space: Space;
  /** What the objective is believed to be. */
  readonly objective: Objective;
  /** What the error rate is believed to be. */
  readonly harm: Harm;
  /** Every set of values that was applied, and the defaults. */
  readonly tried: readonly Values[];
  /** When, hours. */
  readonly hours: number;
  /** Since which change of the world. */
  readonly epoch: number;
}

/** What is clear of the guard, given what is believed of error rates. */
export function clearOf(harm: Harm): Clear {
  return harm.hourly ? HOURLY : CLEAR;
}

/** Who rules next. */
export interface Chosen {
  /** Its values. */
  readonly values: Values;
  /** Whether the last one was clear of the guard, so that this one is better and not only safer. */
  readonly better: boolean;
}

/**
 * The best of what was tried, at the price of its chance to break the guard, which is `chance` and no more than what is
 * clear; within maxStep of the incumbent unless that is not clear itself: a retreat may go as far as it takes. When
 * nothing is clear, what is least likely to do harm.
 */
export function choose(
  { space, objective, harm, tried, hours, epoch }: Known,
  incumbent: Values,
  chance: (site: Site) => number,
): Chosen {
  const rank = (values: Values) => {
    const site = { point: space.encode(values), hours, epoch };
    return { values, site, mean: objective.at(site).mean };
  };
  const held = rank(incumbent);
  const heldChance = chance(held.site);
  const most = clearOf(harm).chance;
  const clear = heldChance <= most;
  let best: Values | undefined = clear ? incumbent : undefined;
  let least = clear ? held.mean + PRICE * heldChance : Infinity;
  const ranked = tried.map(rank).sort((a, b) => a.mean - b.mean);
  for (const { values, site, mean } of ranked) {
    if (mean >= least) break;
    if (clear && !space.reaches(values, incumbent)) continue;
    const isBearable = !clear && space.key(values) === space.key(space.defaults);
    const risk = chance(site);
    const cost = mean + PRICE * risk;
    if (risk > (isBearable ? BEARABLE : most) || cost >= least) continue;
    best = values;
    least = cost;
  }
  if (best !== undefined) return { values: best, better: clear && best !== incumbent };
  const safest = ranked.map(({ values, site }) => ({ values, chance: chance(site) }))
    .reduce((a, b) => b.chance < a.chance ? b : a);
  return { values: safest.values, better: false };
}
