import type { PlanReport, RunEvent, StepList } from "../core/report.ts";
import { milliseconds } from "./figures.ts";
import type { EndEntry, Failure, JournalRecord, StartEntry, Status } from "../core/span.ts";

/** A step as far as it has come. Times are nanoseconds since the epoch. */
export interface StepProgress {
  /** Its id. */
  readonly id: string;
  /** Which list it stands in. */
  readonly list: StepList;
  /** Whether it is a for_each. */
  readonly forEach: boolean;
  /** Queued, also while it waits for its next try. */
  status: Status;
  /** Its first attempt's start. */
  startedAt?: bigint;
  /** Its end. */
  endedAt?: bigint;
  /** Attempts started. */
  attempts: number;
  /** Attempts under way. */
  running: number;
  /** When its next try is due. */
  retryAt?: bigint;
  /** Items done, in for_each. */
  items: number;
  /** Items failed, in for_each. */
  failed: number;
  /** How far a for_each is, in [0, 1], when that is known. */
  share?: number;
  /** Items done at moments of the last seconds, for the rate. */
  samples: readonly { readonly at: bigint; readonly items: number; readonly share?: number }[];
  /** Whether it is a for_each that began in another process, so that this one has not seen all its time. */
  carriedOn?: boolean;
  /** Whether its outcome was taken over from an earlier run. */
  reused?: boolean;
  /** Why its last attempt failed. */
  failure?: Failure;
  /** The last lines of that attempt's output. */
  tail?: string;
}

const WINDOW_NS = 10_000_000_000n;
const SAMPLE_NS = 250_000_000n;

/**
 * A run as its events tell it. Sub-workflows' events that reach the same listener are left out: the step that
 * calls them stands for them.
 */
export class Progress {
  /** Steps in the file's order. */
  readonly steps = new Map<string, StepProgress>();
  /** How many steps have each status. */
  readonly counts = new Map<Status, number>();
  /** The run's id, once it is known. */
  runId: string | undefined;
  /** The workflow's name, once it is known. */
  workflow = "";
  /** When the run's span started. */
  startedAt: bigint | undefined;
  /** Whether the run was taken up again. */
  resumed = false;
  /** Steps that changed status, oldest first; a step that changed again stands at its last place. */
  readonly recent = new Set<StepProgress>();

  /** Takes in an event that was seen at `now`; the step whose status it changed, if it did. */
  apply(event: RunEvent, now: bigint): StepProgress | undefined {
    switch (event.type) {
      case "run":
        if (this.runId !== undefined) return undefined;
        this.runId = event.runId;
        this.resumed = event.resumed;
        this.startedAt = now;
        this.#plan(event.plan);
        return undefined;
      case "journal":
        return this.#record(event.record);
      case "progress": {
        const step = this.steps.get(event.stepId);
        if (step === undefined) return undefined;
        step.items = event.items;
        step.failed = event.failed;
        if (event.share !== undefined) step.share = event.share;
        this.#sample(step, now);
        return undefined;
      }
      case "line":
      case "notice":
        return undefined;
    }
  }

  #plan(plan: PlanReport): void {
    this.workflow = plan.workflow;
    for (const { id, list, forEach } of plan.steps) {
      this.steps.set(id, {
        id,
        list,
        forEach: forEach !== undefined,
        status: "queued",
        attempts: 0,
        running: 0,
        items: 0,
        failed: 0,
        samples: [],
      });
    }
    this.counts.set("queued", this.steps.size);
  }

  #record(record: JournalRecord): StepProgress | undefined {
    if (record.runId !== this.runId) return undefined;
    if (record.role === "run") {
      if (record.type === "start") this.startedAt = record.span.startTime;
      return undefined;
    }
    const step = record.stepId === undefined ? undefined : this.steps.get(record.stepId);
    if (step === undefined || record.role === "emit") return undefined;
    return record.type === "start" ? this.#start(step, record) : this.#end(step, record);
  }

  #start(step: StepProgress, entry: StartEntry): StepProgress | undefined {
    if (step.forEach && step.startedAt === undefined && entry.role === "attempt") {
      step.carriedOn = true;
    }
    step.startedAt ??= entry.span.startTime;
    if (entry.role === "attempt") {
      step.attempts++;
      step.running++;
      step.retryAt = undefined;
    }
    return entry.role === "skip" ? undefined : this.#become(step, "running");
  }

  #end(step: StepProgress, entry: EndEntry): StepProgress | undefined {
    if (entry.role === "attempt") step.running = Math.max(0, step.running - 1);
    if (entry.items !== undefined && entry.role === "step") {
      step.items = entry.items.processed + entry.items.failed;
      step.failed = entry.items.failed;
    }
    if (entry.failure !== undefined) {
      step.failure = entry.failure;
      if (entry.role === "attempt") step.tail = entry.tail;
    }
    if (entry.outcome === "interrupted") return this.#become(step, "queued");
    if (entry.role === "attempt" && step.forEach) return undefined;
    if (entry.retryAt !== undefined) {
      step.retryAt = entry.retryAt;
      return this.#become(step, "queued");
    }
    step.endedAt = entry.end.endTime;
    if (entry.reason === "reuse") step.reused = true;
    return this.#become(step, entry.outcome);
  }

  #become(step: StepProgress, status: Status): StepProgress | undefined {
    if (step.status === status) return undefined;
    this.counts.set(step.status, (this.counts.get(step.status) ?? 0) - 1);
    this.counts.set(status, (this.counts.get(status) ?? 0) + 1);
    step.status = status;
    this.recent.delete(step);
    this.recent.add(step);
    return step;
  }

  #sample(step: StepProgress, now: bigint): void {
    const last = step.samples.at(-1);
    if (last !== undefined && now - last.at < SAMPLE_NS) return;
    const kept = step.samples.filter(({ at }) => now - at <= WINDOW_NS);
    step.samples = [...kept, {
      at: now,
      items: step.items,
      ...step.share === undefined ? {} : { share: step.share },
    }];
  }
}

/** Items a second over the last ten seconds; undefined until two moments are known. */
export function itemRate(step: StepProgress): number | undefined {
  const [first, last] = [step.samples[0], step.samples.at(-1)];
  if (first === undefined || last === undefined || last.at === first.at) return undefined;
  return (last.items - first.items) / (Number(last.at - first.at) / 1e9);
}

/** Milliseconds until a for_each is done if it goes on as in the last ten seconds; undefined if unknown. */
export function remaining(step: StepProgress): number | undefined {
  const [first, last] = [step.samples[0], step.samples.at(-1)];
  if (first?.share === undefined || last?.share === undefined || last.share <= first.share) {
    return undefined;
  }
  const perMs = (last.share - first.share) / (Number(last.at - first.at) / 1e6);
  return (1 - last.share) / perMs;
}

/** Items a second over the whole step; undefined while it runs, and when part of it was in another process. */
export function wholeRate(step: StepProgress): number | undefined {
  if (step.carriedOn) return undefined;
  if (step.startedAt === undefined || step.endedAt === undefined) return undefined;
  const ms = milliseconds(step.startedAt, step.endedAt);
  return ms <= 0 ? undefined : step.items / ms * 1_000;
}
