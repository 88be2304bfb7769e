import type { Json, PluginSpan } from "spanloop";
import {
  addTo,
  type KeptSketch,
  newSketch,
  readSketch,
  type Sketch,
  writeSketch,
} from "./sketch.ts";
import { RECENT, type StepWork } from "./step.ts";

/** A run that has ended. */
export interface EndedRun {
  /** Its number: how many had ended before it. */
  readonly run: number;
  /** Its id. */
  readonly id: string;
  /** Its trace. */
  readonly traceId: string;
  /** Its span. */
  readonly spanId: string;
  /** When it began, seconds since the epoch. */
  readonly time: number;
  /** How long it took, seconds. */
  readonly duration: number;
  /** How long it waited before it began, seconds. */
  readonly queue: number;
  /** Whether it succeeded. */
  readonly succeeded: boolean;
  /** The version of the tuned values that it began with. */
  readonly version: number;
}

/** What an open run's step has done so far. */
export interface OpenStep {
  /** When its first attempt began, seconds since the epoch. */
  start: number;
  /** When its last one ended. */
  end: number;
  /** See StepRun. */
  attempts: number;
  /** See StepRun. */
  failures: number;
  /** Items of the whole step, by its last attempt or by its enclosing span. */
  items: number;
  /** Of them those that failed. */
  failedItems: number;
  /** See StepRun. */
  busy: number;
  /** Seconds of what tells its cost: attempts that took as long as the work does, under values that rule. */
  costBusy: number;
  /** Their items, or their number where no items are counted. */
  costItems: number;
  /** Whether it counts items. */
  counts: boolean;
}

/** What a step adds to its workflow's health, as of a run. */
export interface StepVitals {
  /** The last run in which it worked, by number. */
  readonly run: number;
  /** The share of its items, or attempts, that failed in the last runs. */
  readonly errors: number;
  /** How many times its usual cost it costs now; absent when that cannot be told. */
  readonly factor?: number;
}

/** A finding, as it is shown afterwards. */
export interface ToldFinding {
  /** The span's name. */
  readonly name: string;
  /** The step; absent for the workflow. */
  readonly step?: string;
  /** When, seconds since the epoch. */
  readonly at: number;
  /** The run with which it was told. */
  readonly run: string;
  /** Whether it begins or is over; absent for what only happens. */
  readonly state?: "begun" | "over";
  /** A sentence. */
  readonly message: string;
}

interface Kept {
  readonly count: number;
  readonly succeeded: number;
  readonly skipped: number;
  readonly duration: number;
  readonly queue: number;
  readonly first: number;
  readonly last: number;
  readonly sketch: KeptSketch;
  readonly runs: readonly EndedRun[];
  readonly open:
    readonly (readonly [run: string, steps: readonly (readonly [string, OpenStep])[]])[];
  readonly vitals: readonly (readonly [step: string, StepVitals])[];
  readonly standing: readonly ToldFinding[];
  readonly told: readonly ToldFinding[];
}

// As many as a series looks back to.
const MOST_RUNS = 64;
// Runs under way; one that never ends makes room for the next.
const MOST_OPEN = 32;
const MOST_STEPS = 64;
const MOST_TOLD = 24;

/** What is known of a workflow and its runs. */
export class Flow {
  /** Runs that have ended, skipped ones aside. */
  count: number;
  /** Those that succeeded. */
  succeeded: number;
  /** Runs that were skipped. */
  skipped: number;
  /** How long runs took, in all, seconds. */
  duration: number;
  /** How long they waited before they began, in all, seconds. */
  queue: number;
  /** When the first run began, seconds since the epoch. */
  first: number;
  /** When the last one ended. */
  last: number;
  /** Durations of runs, seconds. */
  readonly durations: Sketch;
  /** The last runs, oldest first. */
  readonly runs: EndedRun[];
  /** Of the steps that worked in the last runs. */
  readonly vitals: Map<string, StepVitals>;
  /** What holds now. */
  readonly standing: ToldFinding[];
  /** The last findings, oldest first. */
  readonly told: ToldFinding[];
  readonly #open: Map<string, Map<string, OpenStep>>;

  /** Takes up what was kept. */
  constructor(kept?: Kept) {
    this.count = kept?.count ?? 0;
    this.succeeded = kept?.succeeded ?? 0;
    this.skipped = kept?.skipped ?? 0;
    this.duration = kept?.duration ?? 0;
    this.queue = kept?.queue ?? 0;
    this.first = kept?.first ?? 0;
    this.last = kept?.last ?? 0;
    this.durations = kept === undefined ? newSketch() : readSketch(kept.sketch);
    this.runs = [...kept?.runs ?? []];
    this.vitals = new Map(kept?.vitals);
    this.standing = [...kept?.standing ?? []];
    this.told = [...kept?.told ?? []];
    this.#open = new Map(
      (kept?.open ?? []).map(([run, steps]) => [
        run,
        new Map(steps.map(([id, step]) => [id, { ...step }])),
      ]),
    );
  }

  /** The last `count` runs, oldest first. */
  recent(count: number): readonly EndedRun[] {
    return this.runs.slice(-Math.min(count, RECENT));
  }

  /** What a step of an open run has done; of a run that has more steps than are followed undefined. */
  openStep(run: string, step: string, start: number): OpenStep | undefined {
    let steps = this.#open.get(run);
    if (steps === undefined) {
      if (this.#open.size >= MOST_OPEN) this.#open.delete(this.#open.keys().next().value!);
      this.#open.set(run, steps = new Map());
    }
    let found = steps.get(step);
    if (found === undefined && steps.size < MOST_STEPS) {
      steps.set(step, found = { ...NOTHING, start, end: start });
    }
    return found;
  }

  /** A run has ended; gives what its steps' work came to. */
  end(span: PluginSpan, version: number): readonly (readonly [step: string, StepWork])[] {
    const { runId: id = "", traceId, spanId, startTime: time, endTime = time, outcome } = span;
    const steps = [...this.#open.get(id) ?? []];
    this.#open.delete(id);
    if (outcome === "skipped") {
      this.skipped++;
      return [];
    }
    const run = this.count++;
    const duration = Math.max(0, endTime - time);
    const queue = queuedFor(id, time);
    const succeeded = outcome === "succeeded";
    if (succeeded) this.succeeded++;
    if (run === 0) this.first = time;
    this.last = endTime;
    this.duration += duration;
    this.queue += queue;
    addTo(this.durations, duration);
    this.runs.push({ run, id, traceId, spanId, time, duration, queue, succeeded, version });
    if (this.runs.length > MOST_RUNS) this.runs.shift();
    const path = criticalPath(steps, endTime);
    return steps.map(([step, work]) => {
      const { start, end, costBusy, costItems, counts, ...counted } = work;
      return [step, {
        ...counted,
        unit: counts ? "item" : "attempt",
        run,
        time,
        wall: Math.max(0, end - start),
        wait: waitOf(start, steps, time),
        path: path.get(step) ?? 0,
        ...costBusy > 0 && costItems > 0 ? { cost: costBusy / costItems } : {},
      }];
    });
  }

  /** The finding that holds; undefined for none. */
  holds(name: string, step: string | undefined): ToldFinding | undefined {
    return this.standing.find((one) => one.name === name && one.step === step);
  }

  /** Notes a finding. */
  tell(finding: ToldFinding): void {
    this.told.push(finding);
    if (this.told.length > MOST_TOLD) this.told.shift();
    const holds = this.standing.findIndex((one) =>
      one.name === finding.name && one.step === finding.step
    );
    if (finding.state === "over" && holds >= 0) this.standing.splice(holds, 1);
    if (finding.state === "begun") this.standing.push(finding);
  }

  /** Notes what a step is like as of the last run; steps that no longer work are forgotten. */
  note(step: string, vitals: StepVitals): void {
    this.vitals.set(step, vitals);
    for (const [other, { run }] of this.vitals) {
      if (run > vitals.run - RECENT) continue;
      this.vitals.delete(other);
      for (let i = this.standing.length - 1; i >= 0; i--) {
        if (this.standing[i].step === other) this.standing.splice(i, 1);
      }
    }
  }

  /** What to keep. */
  write(): Kept {
    const { count, succeeded, skipped, duration, queue, first, last } = this;
    const { runs, standing, told } = this;
    return {
      ...{ count, succeeded, skipped, duration, queue, first, last },
      ...{ runs, standing, told },
      sketch: writeSketch(this.durations),
      open: [...this.#open].map(([run, steps]) => [run, [...steps]]),
      vitals: [...this.vitals],
    };
  }
}

/** How a workflow is held by the plugin's state. */
export const FLOW = {
  read: (kept: Json | undefined): Flow => new Flow(kept as unknown as Kept | undefined),
  write: (flow: Flow): Json => flow.write() as unknown as Json,
};

const NOTHING: Omit<OpenStep, "start" | "end"> = {
  attempts: 0,
  failures: 0,
  items: 0,
  failedItems: 0,
  busy: 0,
  costBusy: 0,
  costItems: 0,
  counts: false,
};

type Steps = readonly (readonly [id: string, step: OpenStep])[];

// Back from the run's end: what ended last, then what ended last before that one began, and so on. A step's wait for
// something else than the one before it is not on it.
function criticalPath(steps: Steps, end: number): ReadonlyMap<string, number> {
  const path = new Map<string, number>();
  let until = end;
  for (const [id, step] of steps.toSorted(([, a], [, b]) => b.end - a.end)) {
    if (step.end > until) continue;
    path.set(id, step.end - step.start);
    until = step.start;
  }
  return path;
}

// A step could begin once what ended last before it had ended; the first ones as their run did.
function waitOf(start: number, steps: Steps, began: number): number {
  let ready = began;
  for (const [, { end }] of steps) if (end <= start && end > ready) ready = end;
  return Math.max(0, start - ready);
}

// A run's id tells to a millisecond when it was made (UUIDv7, RFC 9562; R2); of one that is none nothing is known.
function queuedFor(id: string, began: number): number {
  if (!/^[0-9a-f]{8}-[0-9a-f]{4}-7/.test(id)) return 0;
  const made = parseInt(id.slice(0, 8) + id.slice(9, 13), 16) / 1e3;
  const waited = began - made;
  return waited > 0.001 && waited < 1e8 ? waited : 0;
}
