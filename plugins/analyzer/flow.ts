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
  readonly runs: readonly KeptRun[];
  /** The names that `open` and `vitals` tell by their place here. */
  readonly steps: readonly string[];
  readonly open: readonly (readonly [run: string, steps: readonly (readonly number[])[]])[];
  readonly vitals:
    readonly (readonly [step: number, run: number, errors: number, factor: number])[];
  readonly standing: readonly ToldFinding[];
  readonly told: readonly ToldFinding[];
}

type KeptRun = readonly [
  run: number,
  id: string,
  traceId: string,
  spanId: string,
  time: number,
  duration: number,
  queue: number,
  succeeded: number,
  version: number,
];

// As many as a series looks back to.
const MOST_RUNS = 64;
// Steps of runs under way: a run that never ends makes room for the next ones.
const MOST_OPEN = 192;
const MOST_STANDING = 32;
const MOST_TOLD = 16;

/** What is known of a workflow and its runs. */
export class Flow {
  /** Runs that have ended by themselves. */
  count: number;
  /** Those that succeeded. */
  succeeded: number;
  /** Runs that were skipped or cancelled: they say nothing of the workflow. */
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
  #openSteps = 0;

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
    this.runs = (kept?.runs ?? []).map(toRun);
    const names = kept?.steps ?? [];
    this.vitals = new Map((kept?.vitals ?? []).map(([step, run, errors, factor]) => [
      names[step],
      { run, errors, ...factor === 0 ? {} : { factor } },
    ]));
    this.standing = [...kept?.standing ?? []];
    this.told = [...kept?.told ?? []];
    this.#open = new Map(
      (kept?.open ?? []).map(([run, steps]) => [
        run,
        new Map(steps.map(([name, ...step]) => [names[name], toOpen(step)])),
      ]),
    );
    for (const steps of this.#open.values()) this.#openSteps += steps.size;
  }

  /** The last `count` runs, oldest first. */
  recent(count: number): readonly EndedRun[] {
    return this.runs.slice(-Math.min(count, RECENT));
  }

  /** What a step of an open run has done. */
  openStep(run: string, step: string, start: number): OpenStep {
    const known = this.#open.get(run)?.get(step);
    if (known !== undefined) return known;
    while (this.#openSteps >= MOST_OPEN) this.#forget(this.#open.keys().next().value!);
    const steps = this.#open.get(run) ?? new Map<string, OpenStep>();
    this.#open.set(run, steps);
    const made = { ...NOTHING, start, end: start };
    steps.set(step, made);
    this.#openSteps++;
    return made;
  }

  #forget(run: string): void {
    this.#openSteps -= this.#open.get(run)?.size ?? 0;
    this.#open.delete(run);
  }

  /** A run has ended; gives what its steps' work came to, or undefined for one that was skipped or cancelled. */
  end(
    span: PluginSpan,
    version: number,
  ): readonly (readonly [step: string, StepWork])[] | undefined {
    const { runId: id = "", traceId, spanId, startTime: time, endTime = time, outcome } = span;
    const steps = [...this.#open.get(id) ?? []];
    this.#forget(id);
    if (outcome === "skipped" || outcome === "cancelled") {
      this.skipped++;
      return undefined;
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

  /** Whether more holds than there is room for. */
  get isFull(): boolean {
    return this.standing.length >= MOST_STANDING;
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
    const names = new Map<string, number>();
    const nameOf = (step: string) => {
      if (!names.has(step)) names.set(step, names.size);
      return names.get(step)!;
    };
    return {
      ...{ count, succeeded, skipped, duration, queue, first, last },
      ...{ standing, told },
      sketch: writeSketch(this.durations),
      runs: runs.map(toKept),
      open: [...this.#open].map(([run, steps]) => [
        run,
        [...steps].map(([step, open]) => [nameOf(step), ...toList(open)]),
      ]),
      vitals: [...this.vitals].map(([step, { run, errors, factor = 0 }]) => [
        nameOf(step),
        run,
        short(errors),
        short(factor),
      ]),
      steps: [...names.keys()],
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

function toKept(ended: EndedRun): KeptRun {
  const { run, id, traceId, spanId, time, duration, queue, succeeded, version } = ended;
  const of = [run, id, traceId, spanId] as const;
  return [...of, time, short(duration), short(queue), Number(succeeded), version];
}

function toRun(kept: KeptRun): EndedRun {
  const [run, id, traceId, spanId, time, duration, queue, succeeded, version] = kept;
  const of = { run, id, traceId, spanId, version };
  return { ...of, time, duration, queue, succeeded: succeeded === 1 };
}

function toList(open: OpenStep): number[] {
  const { start, end, attempts, failures, items, failedItems, busy, costBusy, costItems } = open;
  const counted = [attempts, failures, items, failedItems];
  return [start, end, ...counted, busy, costBusy, costItems, Number(open.counts)];
}

function toOpen(list: readonly number[]): OpenStep {
  const [start, end, attempts, failures, items, failedItems, busy, ...cost] = list;
  const [costBusy, costItems, counts] = cost;
  const counted = { attempts, failures, items, failedItems };
  return { start, end, ...counted, busy, costBusy, costItems, counts: counts === 1 };
}

function short(value: number): number {
  return Number(value.toPrecision(6));
}

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
