import type { Json, PluginSpan } from "spanloop";
import { median } from "./change.ts";
import { type KeptSeries, Series, type Told } from "./series.ts";
import {
  addTo,
  type KeptSketch,
  newSketch,
  readSketch,
  type Sketch,
  writeSketch,
} from "./sketch.ts";

/** Runs that are remembered one by one: what rules are of, and sparklines. */
export const RECENT = 32;

/** What a step's work in one run came to. */
export interface StepRun {
  /** The run's number. */
  readonly run: number;
  /** Attempts that ended by themselves: succeeded, failed or timed out. */
  readonly attempts: number;
  /** Those that failed or timed out. */
  readonly failures: number;
  /** Items, processed and failed. */
  readonly items: number;
  /** Items that failed. */
  readonly failedItems: number;
  /** How long attempts took, in all, seconds. */
  readonly busy: number;
  /** From the first attempt's start to the last one's end, seconds. */
  readonly wall: number;
}

/** What it cost and where it stood in its run. */
export interface StepWork extends StepRun {
  /** When its run began, seconds since the epoch. */
  readonly time: number;
  /** What its cost is of. */
  readonly unit: "item" | "attempt";
  /** Seconds an item, or an attempt where no items are counted; absent when nothing says. */
  readonly cost?: number;
  /** Seconds of it on the run's critical path. */
  readonly path: number;
  /** Seconds from the end of what ended last before it to its start. */
  readonly wait: number;
}

/** Sums over all runs. */
export interface Totals {
  /** Attempts that ended by themselves. */
  attempts: number;
  /** Those that failed or timed out. */
  failures: number;
  /** Attempts that were not the first at their work. */
  retries: number;
  /** Runs that it had a part in, and that have ended. */
  runs: number;
  /** Items. */
  items: number;
  /** Items that failed. */
  failedItems: number;
  /** See StepRun. */
  busy: number;
  /** See StepRun. */
  wall: number;
  /** See StepWork. */
  path: number;
  /** See StepWork. */
  wait: number;
}

interface Kept {
  readonly totals: Totals;
  readonly seen: number;
  readonly sketch: KeptSketch;
  readonly recent: readonly (readonly number[])[];
  readonly costs: readonly (number | null)[];
  readonly usual: Usual | null;
  readonly series: KeptSeries;
}

// What it cost before the last runs, seconds, and for how many runs that has not been worked out anew.
type Usual = readonly [cost: number, age: number];

// Runs whose cost is held against that of at least as many before them.
const LAST = 5;
// What is usual is worked out anew with one of so many runs.
const REFRESH = 8;

const NOTHING: Readonly<Totals> = {
  attempts: 0,
  failures: 0,
  retries: 0,
  runs: 0,
  items: 0,
  failedItems: 0,
  busy: 0,
  wall: 0,
  path: 0,
  wait: 0,
};

/** What is known of a step of a workflow. */
export class Step {
  /** Sums over all runs. */
  readonly totals: Totals;
  /** Durations of attempts that ended by themselves, seconds. */
  readonly durations: Sketch;
  /** The last runs, oldest first. */
  readonly recent: StepRun[];
  /** What it cost in each of them, seconds an item or attempt; null where nothing says. */
  readonly costs: (number | null)[];
  /** When it was heard of last, seconds since the epoch. */
  seen: number;
  readonly #series: Series;
  #usual: Usual | null;

  /** Takes up what was kept. */
  constructor(kept?: Kept) {
    this.totals = { ...NOTHING, ...kept?.totals };
    this.seen = kept?.seen ?? 0;
    this.durations = kept === undefined ? newSketch() : readSketch(kept.sketch);
    this.recent = (kept?.recent ?? []).map(toRun);
    this.costs = [...kept?.costs ?? []];
    this.#series = new Series(kept?.series);
    this.#usual = kept?.usual ?? null;
  }

  /** An attempt has ended by itself. */
  attempt({ duration = 0, attempt = 1, endTime = 0 }: PluginSpan, failed: boolean): void {
    const { totals } = this;
    totals.attempts++;
    if (failed) totals.failures++;
    if (attempt > 1) totals.retries++;
    totals.busy += duration;
    addTo(this.durations, duration);
    this.seen = endTime;
  }

  /** A run in which it worked has ended. */
  run({ time, unit: _, cost, path, wait, ...run }: StepWork): Told {
    const { totals } = this;
    totals.runs++;
    totals.items += run.items;
    totals.failedItems += run.failedItems;
    totals.wall += run.wall;
    totals.path += path;
    totals.wait += wait;
    this.recent.push(run);
    this.costs.push(cost ?? null);
    if (this.recent.length > RECENT) {
      this.recent.shift();
      this.costs.shift();
    }
    this.#refresh();
    return cost === undefined ? {} : this.#series.observe(run.run, time, Math.log(cost));
  }

  /** How many times its usual cost it has cost in the last runs, by their medians; undefined for too few. */
  get slowdown(): number | undefined {
    if (this.#usual === null) return undefined;
    const last = this.costs.slice(-LAST).filter((cost) => cost !== null);
    return last.length === 0 ? undefined : median(last) / this.#usual[0];
  }

  #refresh(): void {
    if (this.#usual !== null && this.#usual[1] + 1 < REFRESH) {
      this.#usual = [this.#usual[0], this.#usual[1] + 1];
      return;
    }
    const before = this.costs.slice(0, -LAST).filter((cost) => cost !== null);
    if (before.length >= LAST) this.#usual = [median(before), 0];
  }

  /** What to keep. */
  write(): Kept {
    const { totals, seen, durations, recent, costs } = this;
    return {
      totals,
      seen,
      sketch: writeSketch(durations),
      recent: recent.map(toList),
      costs: costs.map((cost) => cost === null ? null : rounded(cost)),
      usual: this.#usual,
      series: this.#series.write(),
    };
  }
}

/** How a step is held by the plugin's state. */
export const STEP = {
  read: (kept: Json | undefined): Step => new Step(kept as unknown as Kept | undefined),
  write: (step: Step): Json => step.write() as unknown as Json,
};

function toList(run: StepRun): number[] {
  const { attempts, failures, items, failedItems, busy, wall } = run;
  return [run.run, attempts, failures, items, failedItems, rounded(busy), rounded(wall)];
}

function toRun(
  [run, attempts, failures, items, failedItems, busy, wall]: readonly number[],
): StepRun {
  return { run, attempts, failures, items, failedItems, busy, wall };
}

function rounded(value: number): number {
  return Number(value.toPrecision(5));
}
