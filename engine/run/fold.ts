import type { Json } from "../core/json.ts";
import type { AttemptHistory, StepReport } from "../core/report.ts";
import { ActiveTime } from "./active_time.ts";
import type { EndEntry, Failure, StartEntry, Status } from "../core/span.ts";

/** What a run's journal says of one step so far. */
export interface StepFold {
  /** The step's id. */
  readonly id: string;
  /** Its status. */
  status: Status;
  /** Attempts that were started, interrupted ones not counted. */
  attempts: number;
  /** Its first start, nanoseconds since the epoch. */
  startTime: bigint;
  /** Its last end. */
  endTime: bigint;
  /** Its failure, once it failed. */
  failure?: Failure;
  /** Why it was skipped. */
  reason?: string;
  /** Its outputs; for for_each those of each batch by the batch's first item. */
  outputs?: Json;
  /** In for_each: each ended batch's outputs, null for one without any (F4). */
  batches?: Map<number, Json>;
  /** In for_each. */
  processed?: number;
  failed?: number;
}

/**
 * Folds a run's journal into what is known of it: live, as entries are appended, and again from the store
 * for `resume`, `rerun`, `show` and `diff`. One reading of the journal for all of them.
 *
 * Invariants:
 * - J2: `recorded` gives an attempt's end only if it was in the journal; an interrupted one is not an outcome.
 * - S5: a range's items count once, by its last attempt.
 */
export class RunFold {
  /** The run's own start. */
  run: StartEntry | undefined;
  /** The run's own end. */
  runEnd: EndEntry | undefined;
  /** Steps in the order of their first entry. */
  readonly steps = new Map<string, StepFold>();
  /** Starts without an end, by span id. */
  readonly open = new Map<string, StartEntry>();
  /** Every attempt in the order of its start; kept only with `detail`. */
  readonly attempts: (AttemptHistory & { readonly stepId: string })[] = [];
  /** The time of the last entry, nanoseconds since the epoch. */
  lastTime = 0n;
  /** How long the run has been under way, downtime left out. */
  readonly active = new ActiveTime();
  readonly #detail: boolean;
  readonly #ended = new Map<string, { readonly start: StartEntry; readonly end: EndEntry }>();
  readonly #starts = new Map<string, StartEntry>();
  readonly #attemptBySpan = new Map<string, number>();
  readonly #stepsWithSpan = new Set<string>();
  readonly #keep: boolean;

  /** With `detail` attempts are kept for `show`; with `recover` recorded outcomes for `resume`. */
  constructor(options: { readonly detail?: boolean; readonly recover?: boolean } = {}) {
    this.#detail = options.detail ?? false;
    this.#keep = options.recover ?? false;
  }

  /** The recorded end of try `attempt` at `key`, with its start; undefined if it has none (J2). */
  recorded(key: string, attempt: number): { start: StartEntry; end: EndEntry } | undefined {
    return this.#keep ? this.#ended.get(`${key}#${attempt}`) : undefined;
  }

  /** The start of a try at `key` whose end is missing: the engine died during it. */
  interrupted(key: string): StartEntry | undefined {
    if (!this.#keep) return undefined;
    for (const start of this.open.values()) {
      // A step may be named `run`, which is also the key of the run's own span.
      if (start.key === key && start.role !== "emit" && start.role !== "run") return start;
    }
    return undefined;
  }

  /** Batches of a step that were handed out, by their first item, each once (F2). */
  ranges(stepId: string): readonly StartEntry[] {
    const byFrom = new Map<number, StartEntry>();
    for (const start of this.#starts.values()) {
      if (start.stepId === stepId && start.range !== undefined) byFrom.set(start.range.from, start);
    }
    return [...byFrom.values()].sort((a, b) => (a.range?.from ?? 0) - (b.range?.from ?? 0));
  }

  /** Takes the next entry. */
  apply(entry: StartEntry | EndEntry): void {
    if (entry.type === "start") this.#start(entry);
    else this.#end(entry);
  }

  #start(entry: StartEntry): void {
    const { role, span } = entry;
    if (span.startTime > this.lastTime) this.lastTime = span.startTime;
    this.open.set(span.spanId, entry);
    if (role === "run") {
      this.run = entry;
      this.active.begin(span.startTime, 0);
    } else if (role === "resume") this.active.begin(span.startTime, Number(entry.inputs));
    if (entry.stepId === undefined || role === "emit") return;
    if (this.#keep) this.#starts.set(span.spanId, entry);
    const step = this.#step(entry.stepId, span.startTime);
    if (role === "step") {
      this.#stepsWithSpan.add(entry.stepId);
      step.batches = new Map();
    }
    if (role !== "attempt") return;
    step.attempts++;
    if (this.#detail) {
      this.#attemptBySpan.set(span.spanId, this.attempts.length);
      this.attempts.push({
        stepId: entry.stepId,
        key: entry.key,
        attempt: entry.attempt ?? 1,
        span,
        ...(entry.inputs === undefined ? {} : { inputs: entry.inputs }),
        ...(entry.range === undefined ? {} : { range: entry.range }),
      });
    }
  }

  #end(entry: EndEntry): void {
    const { role, end, outcome } = entry;
    if (end.endTime > this.lastTime) this.lastTime = end.endTime;
    const start = this.open.get(entry.spanId);
    this.open.delete(entry.spanId);
    if (role === "run") this.runEnd = entry;
    if (entry.stepId === undefined || role === "emit") return;
    if (this.#keep && start !== undefined && outcome !== "interrupted") {
      this.#ended.set(`${entry.key}#${start.attempt ?? 1}`, { start, end: entry });
    }
    if (this.#detail) this.#detailEnd(entry);
    const step = this.#step(entry.stepId, end.endTime);
    if (outcome === "interrupted") {
      step.attempts--;
      return;
    }
    if (end.endTime > step.endTime) step.endTime = end.endTime;
    if (role === "attempt" && this.#stepsWithSpan.has(entry.stepId)) {
      this.#batchEnd(step, entry, start);
      return;
    }
    step.status = entry.retryAt === undefined ? outcome : "running";
    step.failure = entry.failure;
    if (entry.reason !== undefined) step.reason = entry.reason;
    if (entry.outputs !== undefined) step.outputs = entry.outputs;
    if (entry.items !== undefined) {
      step.processed = entry.items.processed;
      step.failed = entry.items.failed;
    }
  }

  #batchEnd(step: StepFold, entry: EndEntry, start: StartEntry | undefined): void {
    if (entry.retryAt !== undefined) return;
    step.processed = (step.processed ?? 0) + (entry.items?.processed ?? 0);
    step.failed = (step.failed ?? 0) + (entry.items?.failed ?? 0);
    if (start?.range !== undefined) step.batches?.set(start.range.from, entry.outputs ?? null);
  }

  #detailEnd(entry: EndEntry): void {
    const index = this.#attemptBySpan.get(entry.spanId);
    if (index === undefined) return;
    this.attempts[index] = {
      ...this.attempts[index],
      outcome: entry.outcome,
      endTime: entry.end.endTime,
      ...(entry.outputs === undefined ? {} : { outputs: entry.outputs }),
      ...(entry.failure === undefined ? {} : { failure: entry.failure }),
      ...(entry.tail === undefined ? {} : { tail: entry.tail }),
      ...(entry.items === undefined ? {} : { items: entry.items }),
    };
  }

  #step(id: string, time: bigint): StepFold {
    let step = this.steps.get(id);
    if (step === undefined) {
      step = { id, status: "running", attempts: 0, startTime: time, endTime: time };
      this.steps.set(id, step);
    }
    return step;
  }
}

/** A for_each step's outputs: those of each batch, in item order (F4); null for a batch without any. */
export function outputsOf(step: StepFold): Json {
  if (step.batches === undefined) return step.outputs ?? null;
  return [...step.batches].sort(([a], [b]) => a - b).map(([, outputs]) => outputs);
}

/** A step's report; `queued` when the journal does not know it yet. */
export function reportStep(id: string, step: StepFold | undefined): StepReport {
  if (step === undefined) {
    return { id, status: "queued", attempts: 0, duration_ms: 0, outputs: null, error: null };
  }
  return {
    id,
    status: step.status,
    attempts: step.attempts,
    duration_ms: milliseconds(step.endTime - step.startTime),
    outputs: outputsOf(step),
    error: step.failure === undefined
      ? null
      : { code: step.failure.code, message: step.failure.message },
    ...(step.processed === undefined
      ? {}
      : { items: step.processed + (step.failed ?? 0), failed: step.failed ?? 0 }),
    ...(step.reason === undefined ? {} : { reason: step.reason }),
  };
}

/** Nanoseconds as milliseconds with microsecond precision. */
export function milliseconds(nanoseconds: bigint): number {
  return Number(nanoseconds / 1_000n) / 1_000;
}
