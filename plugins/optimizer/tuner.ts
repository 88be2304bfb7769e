/**
 * A tuner: asked for values to try, told what came of them, and at any time able to recommend the best that is safe.
 *
 * - P1: what it asks and recommends is within bounds, on the step's grid, and an asked candidate is at most maxStep from
 *   the incumbent beside it.
 * - Exposure times the chance of breaking the guard is at most 1 %, unless the candidate is believed safer than the
 *   incumbent; what was never applied gets at most half of a run.
 * - The same seed and the same calls give the same answers, after toJSON and fromJSON too.
 */
import { change, LOOKBACK, type Surprise } from "./change.ts";
import type { Outcome, Question, Suggestion, TunerOptions } from "./exchange.ts";
import { Harm, RATES, type Rates } from "./harm.ts";
import { choose, type Known } from "./incumbent.ts";
import { type Learned, Objective, ownVariance, SHAPE } from "./objective.ts";
import type { Observation } from "./observation.ts";
import { random } from "./random.ts";
import { Space, type Tunable, type Value, type Values } from "./space.ts";
import { nextTrial, type Setting } from "./trial.ts";
import { TunerError } from "./tuner_error.ts";

export type { Outcome, Question, Suggestion, Tunable, TunerOptions, Value, Values };

// Neglected dimensions have a turn in so many.
const PROBE_EVERY = 3;
// How many observations and open suggestions are kept.
const KEPT = 200;
const PENDING = 100;
// From which chance on the world is taken to have changed.
const CHANGED = 0.5;
// What is surprising is judged where a rate was known to this, as a logarithm.
const KNOWN_RATE = 0.4;
// The trust region's radius, e-folds: it grows when the incumbent moves far, and shrinks when it stays for longer than
// so many searches.
const STALE = 4;
const RADIUS = { first: 1.4, least: 0.3, most: 1.8 };

/** What a tuner knows. */
export interface TunerState {
  /** How many suggestions were made. */
  readonly asked: number;
  /** How many outcomes were told. */
  readonly runs: number;
  /** Suggestions that are open. */
  readonly pending: readonly string[];
  /** What was told, oldest first. */
  readonly observations: readonly Observation[];
  /** What was learned about the objective. */
  readonly learned: Learned;
  /** What was learned about error rates. */
  readonly rates: Rates;
  /** How often the world has changed. */
  readonly epoch: number;
  /** What rules. */
  readonly incumbent: Values;
  /** The trust region's radius, e-folds. */
  readonly radius: number;
  /** For how many runs the incumbent has stayed. */
  readonly stale: number;
  /** How the last runs came out against what was believed, since the last change. */
  readonly surprises: readonly Surprise[];
}

/** What toJSON makes and fromJSON takes. */
export interface TunerJson extends TunerState {
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
  #state: TunerState;
  #models: { objective: Objective; harm: Harm } | undefined;

  /** Use createTuner or Tuner.fromJSON. */
  constructor(options: TunerOptions, state?: TunerState) {
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
      rates: RATES,
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

  /**
   * A tuner with other options that knows what this one was told, as far as they still allow it. `ruling` has the values
   * of all tunables, the old ones' too: what was not among the tunables is taken to have had that value all along, and
   * what was observed under another value of what is no longer among them is forgotten. Throws TunerError
   * `tuner.tunable` for options that do not hold.
   */
  with(options: TunerOptions, ruling: Values): Tuner {
    const fresh = new Tuner(options);
    const gone = this.#options.tunables.map(({ name }) => name)
      .filter((name) => !options.tunables.some((one) => one.name === name));
    const translated = (old: Values): Values | undefined => {
      if (gone.some((name) => old[name] !== ruling[name])) return undefined;
      const values = Object.fromEntries(
        options.tunables.map(({ name }) => [name, old[name] ?? ruling[name]]),
      );
      return fresh.#space.holds(values) ? values : undefined;
    };
    const observations = this.#state.observations.flatMap((one) => {
      const values = translated(one.values);
      if (values === undefined) return [];
      return { ...one, values, point: fresh.#space.encode(values), key: fresh.#space.key(values) };
    });
    if (observations.length === 0) return fresh;
    fresh.#state = {
      ...this.#state,
      pending: [],
      surprises: [],
      observations,
      incumbent: translated(this.#state.incumbent) ?? fresh.#state.incumbent,
    };
    fresh.#learn();
    fresh.#choose(observations[observations.length - 1].hours, false);
    return fresh;
  }

  /** Forgets all but the newest `most` observations, at least one. */
  forget(most: number): void {
    const { observations, learned } = this.#state;
    this.#models = undefined;
    this.#state = {
      ...this.#state,
      observations: observations.slice(-most),
      learned: { ...learned, tails: learned.tails.slice(-most) },
    };
  }

  /** What to run next. Throws TunerError `tuner.values` for values that are not allowed. */
  ask({ hours, ruling, except = [], whole = [] }: Question): Suggestion {
    if (!Number.isFinite(hours)) throw new TunerError("tuner.told", "The hours must be a number");
    const { asked, pending } = this.#state;
    const id = `s${asked + 1}`;
    const incumbent = ruling ?? this.#ruling(hours);
    const what = this.#next(hours, incumbent, {
      except: except.map((values) => this.#space.encode(values)),
      whole: this.#options.tunables.map(({ name }) => whole.includes(name)),
    });
    this.#state = { ...this.#state, asked: asked + 1, pending: [...pending, id].slice(-PENDING) };
    return { id, incumbent, ...what };
  }

  /** Learns what came of a suggestion. Throws TunerError `tuner.told` or `tuner.values`, and learns nothing then. */
  tell({ suggestion, hours, arms }: Outcome): void {
    const { pending, observations, runs, epoch, surprises } = this.#state;
    if (suggestion !== undefined && !pending.includes(suggestion)) {
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
    // What ran all the same, or once more, is no vain search.
    const searched = suggestion !== undefined ||
      told.some(({ key }) => observations.every((one) => one.key !== key));
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
    this.#choose(hours, searched);
  }

  /** The chance that values break the guard at that time. Throws TunerError `tuner.values` for what is not allowed. */
  risk(values: Values, { hours }: { hours: number }): number {
    if (this.#state.observations.length === 0) return 0;
    const { harm } = this.#belief();
    const { epoch } = this.#state;
    return harm.chance(harm.at({ point: this.#space.encode(values), hours, epoch }));
  }

  /** The best values that are believed safe: at every hour, or at this one where the hour is known to matter. */
  recommend({ hours }: { hours: number }): Values {
    if (!Number.isFinite(hours)) throw new TunerError("tuner.told", "The hours must be a number");
    return this.#ruling(hours);
  }

  #belief(): { objective: Objective; harm: Harm } {
    return this.#models ??= this.#fit();
  }

  #fit(): { objective: Objective; harm: Harm } {
    const { observations, learned, rates } = this.#state;
    const guard = this.#options.guard.below;
    return {
      objective: new Objective(this.#space, observations, learned),
      harm: new Harm(this.#space, observations, guard, rates, learned.shape.hour),
    };
  }

  // What is learned is kept, so that a tuner that is taken up again believes the same.
  #learn(): void {
    const { observations, learned, rates } = this.#state;
    const guard = this.#options.guard.below;
    const objective = Objective.learn(this.#space, observations, learned.shape);
    const { hour } = objective.learned.shape;
    const harm = Harm.learn(this.#space, observations, guard, rates, hour);
    this.#state = { ...this.#state, learned: objective.learned, rates: harm.rates };
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
      run: told[0].run,
      ...offs.reduce((a, b) => Math.abs(b.off / b.sd) < Math.abs(a.off / a.sd) ? b : a),
      dispersion: harm.rates.dispersion,
      arms: known.map(({ arm, rate }) => ({ rate, items: arm.items, failed: arm.failed })),
    };
  }

  // After a change, what was observed since its beginning counts in full, and what was before in part.
  #notice(): void {
    const { surprises, observations, epoch } = this.#state;
    const { chance, last } = change(surprises);
    if (chance < CHANGED) return;
    const since = surprises[surprises.length - last].run;
    this.#state = {
      ...this.#state,
      epoch: epoch + 1,
      observations: observations.map((o) => o.run >= since ? { ...o, epoch: epoch + 1 } : o),
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
  #choose(hours: number, searched: boolean): void {
    const { incumbent, radius } = this.#state;
    const stale = this.#state.stale + (searched ? 1 : 0);
    const known = this.#known(hours);
    const { values, better } = choose(known, incumbent, (site) => known.harm.worst(site));
    const moved = this.#space.key(values) !== this.#space.key(incumbent);
    const from = this.#space.encode(incumbent);
    const far = better &&
      this.#space.encode(values).some((x, i) => Math.abs(x - from[i]) > radius / 2);
    const wider = far ? radius * 1.4 : stale > STALE ? radius * 0.75 : radius;
    this.#state = {
      ...this.#state,
      incumbent: values,
      radius: Math.max(RADIUS.least, Math.min(RADIUS.most, wider)),
      stale: moved || stale > STALE ? 0 : stale,
    };
  }

  // The incumbent, or what is better at this hour where the hour matters.
  #ruling(hours: number): Values {
    const { incumbent, runs, learned } = this.#state;
    if (runs === 0 || learned.shape.hour === 0) return incumbent;
    const { harm } = this.#belief();
    return choose(this.#known(hours), incumbent, (site) => harm.chance(harm.at(site))).values;
  }

  #next(
    hours: number,
    incumbent: Values,
    limits: Pick<Setting, "except" | "whole">,
  ): Omit<Suggestion, "id" | "incumbent"> {
    const { observations, runs, asked, radius } = this.#state;
    if (runs === 0) {
      return {
        values: incumbent,
        exposure: 1,
        purpose: "baseline",
        reason: "Nothing is known yet: the defaults come first",
      };
    }
    const items = observations.reduce((sum, o) => sum + o.items, 0) /
      new Set(observations.map(({ run }) => run)).size;
    return nextTrial({
      ...this.#known(hours),
      ...limits,
      incumbent,
      items,
      radius,
      probing: asked % PROBE_EVERY === 1,
      random: random(this.#options.seed, asked),
    });
  }
}
