import { FEWEST, median, type Shift, shift, split } from "./change.ts";
import { Hours, type KeptHours } from "./hours.ts";

/** A run's cost that is out of the ordinary for its hour of the week. */
export interface Anomaly {
  /** What was expected, as given. */
  readonly expected: number;
  /** How many robust standard deviations it is off; negative for less than expected. */
  readonly score: number;
}

/** The level has changed for good. */
export interface Change extends Shift {
  /** The number of the run with which it began. */
  readonly run: number;
  /** The chance of as much in a step that is as it was. */
  readonly chance: number;
  /** The level before. */
  readonly before: number;
  /** The level since. */
  readonly after: number;
  /** Runs that it is told from: before, and since. */
  readonly runs: readonly [before: number, after: number];
}

/** What an observation tells. */
export interface Told {
  /** Present when the run is out of the ordinary, and the one before was not. */
  readonly anomaly?: Anomaly;
  /** Present when the level has changed. */
  readonly change?: Change;
}

/** A series as it is kept. */
export interface KeptSeries {
  /** `[run, value]`, oldest first: those since the last change, the last `WINDOW` of them. */
  readonly window: readonly (readonly [run: number, value: number])[];
  /** See Hours. */
  readonly hours?: KeptHours;
  /** The level of the window and its spread, as they were when they were worked out last; null of nothing. */
  readonly usual: Usual | null;
  /** Observations since then. */
  readonly age: number;
  /** Whether the last one was out of the ordinary. */
  readonly odd: boolean;
}

/** What is usual: the median, and a robust standard deviation. */
type Usual = readonly [level: number, spread: number];

const WINDOW = 64;
// Of one split: measured, a step that is as it was is taken for changed once in about 4,000 runs.
const CHANCE = 0.005;
// An anomaly is told from so many runs on.
const KNOWN = 16;
const SCORE = 4.5;
// What is usual is worked out anew with one of so many runs.
const REFRESH = 8;
// On a logarithmic scale: what is within 3 % of one another is alike; a run that costs less than 1.25 times as much, and
// a level less than 1.1 times as high, are no news.
const LEAST_SPREAD = 0.03;
const LEAST_SHIFT = Math.log(1.25);
const LEAST_CHANGE = Math.log(1.1);
const MAD_TO_SIGMA = 1.4826;

/** The logarithmic cost of a step by run: its level, its hours, what was out of the ordinary, and when it changed. */
export class Series {
  readonly #window: [run: number, value: number][];
  readonly #hours: Hours;
  #usual: Usual | null;
  #age: number;
  #odd: boolean;

  /** Takes up what was kept. */
  constructor(kept: KeptSeries = { window: [], usual: null, age: 0, odd: false }) {
    this.#window = kept.window.map(([run, value]) => [run, value]);
    this.#hours = new Hours(kept.hours);
    this.#usual = kept.usual;
    this.#age = kept.age;
    this.#odd = kept.odd;
  }

  /** Adds what a run at `time`, seconds since the epoch, cost; on a logarithmic scale. */
  observe(run: number, time: number, cost: number): Told {
    const expected = this.#hours.expected(time);
    const value = Number((cost - expected).toFixed(4));
    const anomaly = this.#anomaly(value);
    this.#window.push([run, value]);
    if (this.#window.length > WINDOW) this.#window.shift();
    this.#hours.learn(time, cost);
    const change = this.#change();
    if (change !== undefined || this.#usual === null || ++this.#age >= REFRESH) this.#refresh();
    const news = anomaly !== undefined && !this.#odd;
    this.#odd = anomaly !== undefined;
    return {
      ...news ? { anomaly: { ...anomaly, expected: anomaly.expected + expected } } : {},
      ...change === undefined ? {} : { change },
    };
  }

  /** What to keep. */
  write(): KeptSeries {
    return {
      window: this.#window,
      hours: this.#hours.write(),
      usual: this.#usual,
      age: this.#age,
      odd: this.#odd,
    };
  }

  #anomaly(value: number): Anomaly | undefined {
    if (this.#window.length < KNOWN) return undefined;
    const [level, spread] = this.#usual!;
    const score = (value - level) / spread;
    if (Math.abs(score) < SCORE || Math.abs(value - level) < LEAST_SHIFT) return undefined;
    return { expected: level, score };
  }

  #refresh(): void {
    this.#age = 0;
    const values = this.#window.map(([, value]) => value);
    const level = median(values);
    const off = median(values.map((value) => Math.abs(value - level)));
    this.#usual = [level, Number(Math.max(LEAST_SPREAD, MAD_TO_SIGMA * off).toFixed(4))];
  }

  #change(): Change | undefined {
    if (this.#usual === null || !isOneSided(this.#window, this.#usual[0])) return undefined;
    const values = this.#window.map(([, value]) => value);
    const found = split(values);
    if (found === undefined || found.chance > CHANCE) return undefined;
    const [before, after] = [values.slice(0, found.index), values.slice(found.index)];
    const by = shift(before, after);
    if (Math.abs(by.by) < LEAST_CHANGE) return undefined;
    const [run] = this.#window[found.index];
    this.#hours.disturb();
    this.#window.splice(0, found.index);
    return {
      ...by,
      run,
      chance: found.chance,
      before: median(before),
      after: median(after),
      runs: [before.length, after.length],
    };
  }
}

// Seven looks of eight are spared: a level that has changed soon has a few values in a row on one side of the one before.
function isOneSided(
  window: readonly (readonly [run: number, value: number])[],
  level: number,
) {
  let above = 0;
  for (let i = Math.max(0, window.length - FEWEST); i < window.length; i++) {
    above += Math.sign(window[i][1] - level);
  }
  return Math.abs(above) === FEWEST;
}
