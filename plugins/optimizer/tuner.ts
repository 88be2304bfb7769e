/**
 * A tuner: asked for values to try, told what came of them, and at any time able to recommend the best that is safe.
 *
 * - P1: what it asks and recommends is within bounds, on the step's grid, and an asked candidate is at most maxStep from
 *   the incumbent beside it.
 * - Exposure times the chance of breaking the guard is at most 1 %, unless the candidate is believed safer than the
 *   incumbent; what was never applied gets at most half of a run.
 * - The same seed and the same calls give the same answers, after toJSON and fromJSON too.
 */
import { type Candidate, Candidates } from "./candidates.ts";
import { change, LOOKBACK, type Surprise } from "./change.ts";
import { Harm } from "./harm.ts";
import { choose, CLEAR_Z, type Known } from "./incumbent.ts";
import type { Site } from "./kernel.ts";
import { expectedGain } from "./normal.ts";
import {
  type Belief,
  type Learned,
  Objective,
  ownVariance,
  SHAPE,
  type Shape,
} from "./objective.ts";
import type { Observation } from "./observation.ts";
import { differs, probes } from "./probes.ts";
import { random } from "./random.ts";
import { type Point, Space, type Tunable, type Value, type Values } from "./space.ts";
import { TunerError } from "./tuner_error.ts";

export type { Tunable, Value, Values };

/** What to tune. */
export interface TunerOptions {
  /** What may be changed. */
  readonly tunables: readonly Tunable[];
  /** The share of items that may fail, in (0, 1). */
  readonly guard: { readonly below: number };
  /** Where its randomness begins. */
  readonly seed: number;
}

/** What to run next. */
export interface Suggestion {
  /** What `tell` is to name. */
  readonly id: string;
  /** What to try. */
  readonly values: Values;
  /** What rules until then. */
  readonly incumbent: Values;
  /** The share of the run's items, in (0, 1], that should run with `values`; the rest with `incumbent`. */
  readonly exposure: number;
  /** Why in one word: baseline, explore or settle. */
  readonly purpose: string;
  /** Why in one sentence. */
  readonly reason: string;
}

/** What came of a suggestion. */
export interface Outcome {
  /** The suggestion's id. */
  readonly suggestion: string;
  /** When, hours. */
  readonly hours: number;
  /** What ran: the values that were applied, the objective per item (above 0), the items and how many failed. */
  readonly arms: readonly {
    readonly values: Values;
    readonly objective: number;
    readonly items: number;
    readonly failed: number;
  }[];
}

// The share of items that may break the guard by a run's candidate, on average.
const HARM = 0.01;
// A run may be slower than the defaults by this factor, with the chance that 2 standard deviations leave.
const SLOWER = 1.25;
const NEW = 0.5;
// At this distance, in e-folds, from all that was tried it gets half of that, and less further away.
const FAMILIAR = 0.7;
// A candidate is judged by what so many runs like the next would tell of its safety.
const AHEAD = 4;
// What promises less than this share of the objective is not worth a trial.
const LEAST = 1e-5;
// What may have less of a run than this is left alone until more is known.
const LEAST_SHARE = 0.05;
const FEWEST_ITEMS = 4;
// Neglected dimensions are tried at most so often.
const PROBE_EVERY = 2;
// Observations that are kept.
const KEPT = 200;
const PENDING = 100;
// From which chance on the world is taken to have changed.
const CHANGED = 0.7;
const KNOWN_RATE = 0.4;
const RADIUS = { first: 1.4, least: 0.3, most: 1.8 };

interface Scored extends Candidate {
  readonly worth: number;
  readonly exposure: number;
  readonly gain: Belief;
  readonly chance: number;
}

interface State {
  readonly asked: number;
  readonly runs: number;
  readonly pending: readonly string[];
  readonly observations: readonly Observation[];
  readonly learned: Learned;
  readonly dispersion: number;
  readonly epoch: number;
  readonly incumbent: Values;
  readonly radius: number;
  readonly stale: number;
  readonly surprises: readonly Surprise[];
}

/** What toJSON makes and fromJSON takes. */
export interface TunerJson extends State {
  /** The form's version. */
  readonly version: 1;
  /** What it was created with. */
  readonly options: TunerOptions;
}

/** Creates a tuner. Throws TunerError `tuner.tunable` for options that do not hold. */
export function createTuner(options: TunerOptions): Tuner {
  return new Tuner(options);
}

/** See the top of this file. */
export class Tuner {
  readonly #options: TunerOptions;
  readonly #space: Space;
  #state: State;
  #models: { objective: Objective; harm: Harm } | undefined;

  /** Use createTuner or Tuner.fromJSON. */
  constructor(options: TunerOptions, state?: State) {
    const { guard, seed } = options;
    if (!(guard.below > 0 && guard.below < 1)) {
      throw new TunerError("tuner.tunable", "The guard must be above 0 and below 1");
    }
    if (!Number.isSafeInteger(seed)) {
      throw new TunerError("tuner.tunable", "The seed must be a whole number");
    }
    this.#space = new Space(options.tunables);
    this.#options = options;
    this.#state = state ?? {
      asked: 0,
      runs: 0,
      pending: [],
      observations: [],
      learned: { shape: SHAPE, tails: [] },
      dispersion: 0.3,
      epoch: 0,
      incumbent: this.#space.defaults,
      radius: RADIUS.first,
      stale: 0,
      surprises: [],
    };
  }

  /** Takes up a tuner where toJSON left it. Throws TunerError `tuner.state` for another version's. */
  static fromJSON(json: TunerJson): Tuner {
    if (json.version !== 1) {
      throw new TunerError(
        "tuner.state",
        `Version ${json.version} of a tuner is unknown: begin anew`,
      );
    }
    const { version: _, options, ...state } = structuredClone(json);
    return new Tuner(options, state);
  }

  /** All that it knows, as JSON. */
  toJSON(): TunerJson {
    return structuredClone({ version: 1, options: this.#options, ...this.#state });
  }

  /** What to run next. */
  ask({ hours }: { hours: number }): Suggestion {
    if (!Number.isFinite(hours)) throw new TunerError("tuner.told", "The hours must be a number");
    const { asked, pending } = this.#state;
    const id = `s${asked + 1}`;
    const incumbent = this.#ruling(hours);
    const what = this.#next(hours, incumbent);
    this.#state = { ...this.#state, asked: asked + 1, pending: [...pending, id].slice(-PENDING) };
    return { id, incumbent, ...what };
  }

  /** Learns what came of a suggestion. Throws TunerError `tuner.told` or `tuner.values`, and learns nothing then. */
  tell({ suggestion, hours, arms }: Outcome): void {
    const { pending, observations, runs, epoch, surprises } = this.#state;
    if (!pending.includes(suggestion)) {
      throw new TunerError(
        "tuner.told",
        `Suggestion ${suggestion} is not open: tell each one once`,
      );
    }
    if (!Number.isFinite(hours)) throw new TunerError("tuner.told", "The hours must be a number");
    if (arms.length === 0) {
      throw new TunerError("tuner.told", "Nothing was run: tell at least one arm");
    }
    const told = arms.map(({ values, objective, items, failed }): Observation => {
      if (!(objective > 0) || objective === Infinity) {
        throw new TunerError(
          "tuner.told",
          `The objective is ${objective}: it must be a number above 0`,
        );
      }
      if (!Number.isSafeInteger(items) || items < 1) {
        throw new TunerError(
          "tuner.told",
          `There were ${items} items: leave out an arm without any`,
        );
      }
      if (!Number.isSafeInteger(failed) || failed < 0 || failed > items) {
        throw new TunerError(
          "tuner.told",
          `${failed} of ${items} items failed: it must be 0 to ${items}`,
        );
      }
      return {
        values: { ...values },
        point: this.#space.encode(values),
        key: this.#space.key(values),
        hours,
        epoch,
        run: runs,
        log: Math.log(objective),
        items,
        failed,
      };
    });
    const surprise = this.#surprise(told);
    this.#models = undefined;
    this.#state = {
      ...this.#state,
      pending: pending.filter((id) => id !== suggestion),
      observations: [...observations, ...told].slice(-KEPT),
      runs: runs + 1,
      surprises: surprise === undefined ? surprises : [...surprises, surprise].slice(-LOOKBACK),
    };
    this.#notice();
    this.#learn();
    this.#choose(hours);
  }

  /** The best values that are believed safe: at every hour, or at this one where the hour is known to matter. */
  recommend({ hours }: { hours: number }): Values {
    if (!Number.isFinite(hours)) throw new TunerError("tuner.told", "The hours must be a number");
    return this.#ruling(hours);
  }

  #site(values: Values, hours: number): Site {
    return { point: this.#space.encode(values), hours, epoch: this.#state.epoch };
  }

  #belief(): { objective: Objective; harm: Harm } {
    return this.#models ??= this.#fit();
  }

  #fit(): { objective: Objective; harm: Harm } {
    const { observations, learned, dispersion } = this.#state;
    const objective = new Objective(this.#space, observations, learned);
    return { objective, harm: this.#harm(dispersion, learned.shape) };
  }

  #harm(dispersion: number, { hour }: Shape): Harm {
    const { observations } = this.#state;
    return new Harm(this.#space, observations, this.#options.guard.below, dispersion, hour);
  }

  // What is learned is kept, so that a tuner that is taken up again believes the same.
  #learn(): void {
    const { observations, learned, dispersion } = this.#state;
    const objective = Objective.learn(this.#space, observations, learned.shape);
    const { shape } = objective.learned;
    const usual = this.#harm(dispersion, shape);
    const harm = usual.likeliest === dispersion ? usual : this.#harm(usual.likeliest, shape);
    this.#state = { ...this.#state, learned: objective.learned, dispersion: harm.dispersion };
    this.#models = { objective, harm };
  }

  // How a run came out against what was believed. A change shows in all its arms, an outlier in one;
  // and it is told only where it was known well enough what to expect.
  #surprise(told: readonly Observation[]): Surprise | undefined {
    if (this.#state.runs === 0) return undefined;
    const { objective, harm } = this.#belief();
    const { noise } = objective.learned.shape;
    const known = told.map((arm) => ({ arm, at: objective.at(arm), rate: harm.at(arm) }))
      .filter(({ at, rate }) => at.sd <= noise && rate.sd <= KNOWN_RATE);
    if (known.length === 0) return undefined;
    const offs = known.map(({ arm, at }) => {
      const own = ownVariance(objective.learned.shape, arm.items);
      return { off: arm.log - at.mean, sd: Math.sqrt(at.sd ** 2 + noise * noise / 2 + own) };
    });
    return {
      ...offs.reduce((a, b) => Math.abs(b.off / b.sd) < Math.abs(a.off / a.sd) ? b : a),
      dispersion: harm.dispersion,
      arms: known.map(({ arm, rate }) => ({ rate, items: arm.items, failed: arm.failed })),
    };
  }

  // After a change, what was observed since its beginning counts in full, and what was before in part.
  #notice(): void {
    const { surprises, observations, runs, epoch } = this.#state;
    const { chance, last } = change(surprises);
    if (chance < CHANGED) return;
    this.#state = {
      ...this.#state,
      epoch: epoch + 1,
      observations: observations.map((o) => o.run >= runs - last ? { ...o, epoch: epoch + 1 } : o),
      surprises: [],
      radius: RADIUS.first,
      stale: 0,
    };
  }

  #known(hours: number): Known {
    const { observations, epoch } = this.#state;
    const { defaults } = this.#space;
    const tried = new Map([[this.#space.key(defaults), defaults]]);
    for (const { key, values } of observations) tried.set(key, values);
    return { ...this.#belief(), space: this.#space, tried: [...tried.values()], hours, epoch };
  }

  // Makes the best of what was tried the incumbent, if it is clear of the guard at every hour.
  #choose(hours: number): void {
    const { incumbent, radius, stale } = this.#state;
    const known = this.#known(hours);
    const { values, better } = choose(known, incumbent, (site) => known.harm.worst(site));
    const moved = this.#space.key(values) !== this.#space.key(incumbent);
    const from = this.#space.encode(incumbent);
    const far = better &&
      this.#space.encode(values).some((x, i) => Math.abs(x - from[i]) > radius / 2);
    const wider = far ? radius * 1.4 : stale >= 4 ? radius * 0.75 : radius;
    this.#state = {
      ...this.#state,
      incumbent: values,
      radius: Math.max(RADIUS.least, Math.min(RADIUS.most, wider)),
      stale: moved || stale >= 4 ? 0 : stale + 1,
    };
  }

  // The incumbent, or what is better at this hour where the hour matters.
  #ruling(hours: number): Values {
    const { incumbent, runs, learned } = this.#state;
    if (runs === 0 || learned.shape.hour === 0) return incumbent;
    const { harm } = this.#belief();
    return choose(this.#known(hours), incumbent, (site) => harm.chance(harm.at(site))).values;
  }

  #next(hours: number, incumbent: Values): Omit<Suggestion, "id" | "incumbent"> {
    const { observations, runs, asked, radius, epoch } = this.#state;
    const alone = (purpose: string, reason: string) => ({
      values: incumbent,
      exposure: 1,
      purpose,
      reason,
    });
    if (runs === 0) return alone("baseline", "Nothing is known yet: the defaults come first");
    const { objective, harm } = this.#belief();
    const items = observations.reduce((sum, o) => sum + o.items, 0) /
      new Set(observations.map(({ run }) => run)).size;
    const held = objective.at(this.#site(incumbent, hours));
    const usual = objective.at(this.#site(this.#space.defaults, hours));
    const heldHarm = harm.chance(harm.at(held.site));
    const places = [...new Map(observations.map((o) => [o.key, o.point])).values()];
    const scored = ({ values, point, key }: Candidate): Scored | undefined => {
      const site = { point, hours, epoch };
      const rate = harm.at(site);
      const chance = harm.chance(rate);
      const at = objective.at(site);
      const gain = objective.difference(held, at);
      const exposure = Math.min(
        this.#exposure(
          chance,
          heldHarm,
          held.mean - usual.mean,
          at.mean - usual.mean + 2 * gain.sd,
        ),
        NEW / (1 + (novelty(this.#space.choices, point, places) / FAMILIAR) ** 2),
      );
      if (exposure < LEAST_SHARE || exposure * items < FEWEST_ITEMS) return undefined;
      const noise = ownVariance(objective.learned.shape, exposure * items) +
        ownVariance(objective.learned.shape, (1 - exposure) * items);
      const learned = gain.sd ** 2 / Math.sqrt(gain.sd ** 2 + noise / AHEAD);
      const cleared = harm.wouldClear(rate, AHEAD * exposure * items, CLEAR_Z);
      const worth = expectedGain(gain.mean, learned) * cleared;
      return { values, point, key, worth, exposure, gain, chance };
    };
    const best = (some: readonly Candidate[]) =>
      some.map(scored).filter((s) => s !== undefined)
        .reduce(
          (a: Scored | undefined, b) => a === undefined || b.worth > a.worth ? b : a,
          undefined,
        );
    const trial = (purpose: string, { values, exposure, gain, chance }: Scored) => ({
      values,
      exposure,
      purpose,
      reason: `${this.#space.difference(incumbent, values)}: expected ${
        percent(1 - Math.exp(-gain.mean))
      } less, give or take ${percent(gain.sd)}; chance of breaking the guard ${percent(chance)}`,
    });
    const candidates = new Candidates(this.#space, incumbent);
    const dice = random(this.#options.seed, asked);
    if (asked % PROBE_EVERY === 1) {
      const neglected = probes(
        this.#space.choices,
        held.site.point,
        observations.map((o) => o.point),
      );
      const probe = best(
        candidates.fresh(neglected).filter(({ point }) =>
          differs(this.#space.choices, held.site.point, point)
        ),
      );
      if (probe !== undefined) return trial("probe", probe);
    }
    const tried = observations.map((o) => o.values).filter((v) =>
      this.#space.reaches(v, incumbent)
    );
    let found = candidates.around(radius, dice, tried).map(scored).filter((s) => s !== undefined)
      .sort((a, b) => b.worth - a.worth);
    if (found.length > 0) {
      const closer = candidates.near(found.slice(0, 4).map((f) => f.point), radius, dice);
      found = [...found, ...closer.map(scored).filter((s) => s !== undefined)]
        .sort((a, b) => b.worth - a.worth);
    }
    if (found.length === 0 || found[0].worth < LEAST) {
      return alone("settle", "Nothing nearby promises more than the incumbent");
    }
    return trial("explore", found[0]);
  }

  // The largest share of a run that a candidate may have.
  #exposure(chance: number, heldHarm: number, held: number, slow: number): number {
    let exposure = NEW;
    if (chance > 0 && chance >= heldHarm) exposure = Math.min(exposure, HARM / chance);
    const rest = Math.exp(held);
    const worst = Math.exp(Math.min(20, slow));
    if (worst > SLOWER) {
      exposure = Math.min(exposure, Math.max(0, (SLOWER - rest) / (worst - rest)));
    }
    return exposure;
  }
}

// How far a place is from all that was tried, in e-folds; another choice counts as much as a factor of 2.
function novelty(choices: readonly number[], point: Point, tried: readonly Point[]): number {
  let nearest = Infinity;
  for (const other of tried) {
    let squared = 0;
    for (let i = 0; i < point.length; i++) {
      const apart = point[i] - other[i];
      squared += choices[i] === 0 ? apart * apart : apart === 0 ? 0 : 0.5;
    }
    nearest = Math.min(nearest, squared);
  }
  return Math.sqrt(nearest);
}

function percent(share: number): string {
  return `${(100 * share).toPrecision(2)} %`;
}
