/** Which of the values that were tried should rule. */
import type { Harm } from "./harm.ts";
import type { Site } from "./kernel.ts";
import type { Objective } from "./objective.ts";
import type { Space, Values } from "./space.ts";

/** What an incumbent's chance of breaking the guard may be at most, once what is known of its rate is a lot. */
export const CLEAR = 0.01;

/** The standard normal quantile of 1 - CLEAR. */
export const CLEAR_Z = 2.3263;

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

/** Who rules next. */
export interface Chosen {
  /** Its values. */
  readonly values: Values;
  /** Whether the last one was clear of the guard, so that this one is better and not only safer. */
  readonly better: boolean;
}

/**
 * The best of what was tried that is clear of the guard by `chance`, within maxStep of the incumbent unless that is not
 * clear itself: a retreat may go as far as it takes. When nothing is clear, what is
 * least likely to do harm.
 */
export function choose(
  { space, objective, tried, hours, epoch }: Known,
  incumbent: Values,
  chance: (site: Site) => number,
): Chosen {
  const rank = (values: Values) => {
    const site = { point: space.encode(values), hours, epoch };
    return { values, site, mean: objective.at(site).mean };
  };
  const held = rank(incumbent);
  const clear = chance(held.site) <= CLEAR;
  const ranked = tried.map(rank).sort((a, b) => a.mean - b.mean);
  for (const { values, site, mean } of ranked) {
    if (clear && mean >= held.mean) break;
    if (clear && !space.reaches(values, incumbent)) continue;
    const most = !clear && space.key(values) === space.key(space.defaults) ? BEARABLE : CLEAR;
    if (chance(site) <= most) return { values, better: clear };
  }
  if (clear) return { values: incumbent, better: false };
  const least = ranked.map(({ values, site }) => ({ values, chance: chance(site) }))
    .reduce((a, b) => b.chance < a.chance ? b : a);
  return { values: least.values, better: false };
}
