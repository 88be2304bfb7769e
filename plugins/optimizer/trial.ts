/**
 * What to try next, and on how much of a run: the candidate that promises the most improvement that would also turn out
 * to be clear of the guard, given what the next runs could tell. A candidate's share is bounded by
 *
 * - harm: share times the chance of breaking the guard is at most `HARM`, unless it is believed safer than the
 *   incumbent;
 * - novelty: at most half, and less the further it is from all that was tried, of whole runs no less than a quarter;
 * - slowness: not so much that a run which has both would be a quarter slower than with the defaults.
 */
import { type Candidate, Candidates } from "./candidates.ts";
import { clearOf, type Known } from "./incumbent.ts";
import { expectedGain } from "./normal.ts";
import { type Belief, ownVariance } from "./objective.ts";
import { differs, probes } from "./probes.ts";
import type { Random } from "./random.ts";
import type { Point, Values } from "./space.ts";

// The share of items that may break the guard by a run's candidate, on average.
const HARM = 0.01;
// What is new gets at most this share.
const NEW = 0.5;
// Of whole runs it gets no less than this for being new: pairs of runs would take too long.
const NEW_RUNS = 0.25;
// At this distance from all that was tried, in e-folds, it gets half of that, and less further away.
const FAMILIAR = 0.7;
// A run may be slower than the defaults by this factor, with the chance that 2 standard deviations leave.
const SLOWER = 1.25;
// What may have less of a run than this is left alone until more is known.
const LEAST_SHARE = 0.03;
// In a retreat it must tell more than that: each run breaks the guard.
const LEAST_IN_RETREAT = 0.05;
const FEWEST_ITEMS = 4;
// A candidate is judged by what so many runs like the next would tell of it.
const AHEAD = 10;
// What promises less than this, as a logarithm of the objective, is not worth a run.
const LEAST_WORTH = 1e-5;
// A neglected dimension is not tried when this many standard deviations speak against it.
const HOPELESS = 1.5;
// Closer than this, in e-folds, to what is excepted is about the same.
const ALIKE = 0.1;
// The best candidates from which closer ones are drawn.
const BEST = 4;

/** What is tried next. */
export interface Trial {
  /** What to try. */
  readonly values: Values;
  /** The share of the run's items, in (0, 1], that should run with it. */
  readonly exposure: number;
  /** Why in one word. */
  readonly purpose: "explore" | "probe" | "settle";
  /** Why in one sentence. */
  readonly reason: string;
  /** What is expected of `values`; absent where they are the incumbent's. */
  readonly expected?: {
    /** How much better they are, as a natural logarithm of the objectives' ratio; above 0 is better. */
    readonly gain: Belief;
    /** The chance that they break the guard. */
    readonly harm: number;
  };
}

/** What a trial is chosen by, beside what is known. */
export interface Setting extends Known {
  /** What rules now. */
  readonly incumbent: Values;
  /** Where not to look, nor close by. */
  readonly except: readonly Point[];
  /** The dimensions in which a run has one value throughout. */
  readonly whole: readonly boolean[];
  /** The items of a usual run. */
  readonly items: number;
  /** The trust region's radius, e-folds. */
  readonly radius: number;
  /** Whether what was neglected has its turn. */
  readonly probing: boolean;
  /** Where candidates come from. */
  readonly random: Random;
}

interface Scored extends Candidate {
  readonly worth: number;
  readonly exposure: number;
  readonly gain: Belief;
  readonly chance: number;
}

/** The next trial. */
export function nextTrial(setting: Setting): Trial {
  const { space, tried, incumbent, radius } = setting;
  const score = scorer(setting);
  const scored = (candidates: readonly Candidate[]) =>
    candidates.map(score).filter((one) => one !== undefined);
  const byWorth = (a: Scored, b: Scored) => b.worth - a.worth;
  const candidates = new Candidates(space, incumbent);
  const center = space.encode(incumbent);
  if (setting.probing) {
    const places = probes(space.choices, center, tried.map((values) => space.encode(values)));
    const [probe] = scored(
      candidates.fresh(places).filter(({ point }) => differs(space.choices, center, point)),
    ).filter(({ gain }) => gain.mean > -HOPELESS * gain.sd).sort(byWorth);
    if (probe !== undefined) return trial(setting, "probe", probe);
  }
  const again = tried.filter((values) => space.reaches(values, incumbent));
  const found = scored(candidates.around(radius, setting.random, again)).sort(byWorth);
  if (found.length > 0) {
    const from = found.slice(0, BEST).map(({ point }) => point);
    found.push(...scored(candidates.near(from, radius, setting.random)));
    found.sort(byWorth);
  }
  if (found.length > 0 && found[0].worth >= LEAST_WORTH) return trial(setting, "explore", found[0]);
  return {
    values: incumbent,
    exposure: 1,
    purpose: "settle",
    reason: "Nothing nearby promises more than the incumbent",
  };
}

// Judges candidates; undefined is what may not have enough of a run to tell anything.
function scorer(setting: Setting): (candidate: Candidate) => Scored | undefined {
  const { space, objective, harm, tried, incumbent, except, items, hours, epoch } = setting;
  const at = (values: Values) => objective.at({ point: space.encode(values), hours, epoch });
  const held = at(incumbent);
  const usual = at(space.defaults);
  const heldRate = harm.at(held.site);
  const heldChance = harm.chance(heldRate);
  const clear = clearOf(harm);
  const least = heldChance > clear.chance ? LEAST_IN_RETREAT : LEAST_SHARE;
  const places = tried.map((values) => space.encode(values));
  const { shape } = objective.learned;
  const here = held.site.point;
  return (candidate) => {
    if (except.some((place) => distance(space.choices, candidate.point, place) < ALIKE)) {
      return undefined;
    }
    const site = { point: candidate.point, hours, epoch };
    const rate = harm.at(site);
    const chance = harm.chance(rate);
    const there = objective.at(site);
    const gain = objective.difference(held, there);
    const slowest = there.mean + 2 * gain.sd - usual.mean;
    // Where runs are not split, a share of them is the candidate's alone.
    const isSplit = items >= FEWEST_ITEMS / NEW &&
      !setting.whole.some((whole, i) => whole && candidate.point[i] !== here[i]);
    const unfamiliar = NEW /
      (1 + (novelty(space.choices, candidate.point, places) / FAMILIAR) ** 2);
    // Where both surely break the guard, what is only known less well is no safer.
    const isSafer = chance < heldChance && rate.mean < heldRate.mean;
    const slowed = unslowed(Math.exp(held.mean - usual.mean), Math.exp(Math.min(20, slowest)));
    const exposure = Math.min(
      chance > 0 && !isSafer ? HARM / chance : 1,
      ...isSplit ? [unfamiliar, slowed] : [Math.max(unfamiliar, NEW_RUNS)],
    );
    if (exposure < least || (isSplit && exposure * items < FEWEST_ITEMS)) return undefined;
    const [part, rest] = isSplit ? [exposure, 1 - exposure] : [1, 1];
    const noise = ownVariance(shape, part * items) + ownVariance(shape, rest * items);
    const learned = gain.sd ** 2 / Math.sqrt(gain.sd ** 2 + noise / AHEAD);
    const cleared = harm.wouldClear(rate, AHEAD * part * items, clear.z);
    const worth = expectedGain(gain.mean, learned) * cleared;
    return { ...candidate, worth, exposure, gain, chance };
  };
}

// The share at which a run stays within SLOWER, both sides as factors of the defaults.
function unslowed(held: number, slowest: number): number {
  return slowest <= SLOWER ? 1 : Math.max(0, (SLOWER - held) / (slowest - held));
}

// How far a place is from all that was tried, in e-folds; another choice counts as much as a factor of 2.
function novelty(choices: readonly number[], point: Point, tried: readonly Point[]): number {
  let nearest = Infinity;
  for (const other of tried) nearest = Math.min(nearest, distance(choices, point, other));
  return nearest;
}

function distance(choices: readonly number[], a: Point, b: Point): number {
  let squared = 0;
  for (let i = 0; i < a.length; i++) {
    const apart = a[i] - b[i];
    squared += choices[i] === 0 ? apart * apart : apart === 0 ? 0 : Math.LN2 ** 2;
  }
  return Math.sqrt(squared);
}

function trial(
  { space, incumbent }: Setting,
  purpose: Trial["purpose"],
  { values, exposure, gain, chance }: Scored,
): Trial {
  const expected = percent(1 - Math.exp(-gain.mean));
  return {
    values,
    exposure,
    purpose,
    expected: { gain, harm: chance },
    reason: `${space.difference(incumbent, values)}: expected ${expected} less, give or take ${
      percent(gain.sd)
    }; chance of breaking the guard ${percent(chance)}`,
  };
}

function percent(share: number): string {
  return `${(100 * share).toPrecision(2)} %`;
}
