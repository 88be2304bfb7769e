import { formatDuration } from "../core/duration.ts";
import type { RunEvent } from "../core/report.ts";
import { count, counted, milliseconds, rate, roughly } from "./figures.ts";
import { itemRate, type Progress, remaining, type StepProgress, wholeRate } from "./progress.ts";
import { words } from "./style.ts";
import { clean, lines } from "./text.ts";

const QUIET_NS = 10_000_000_000n;

/** A run as plain lines for logs and pipes: one for each step's end, retry and line of output. */
export class PlainLines {
  readonly #progress: Progress;
  readonly #last = new Map<string, bigint>();

  /** Tells what `progress` takes in. */
  constructor(progress: Progress) {
    this.#progress = progress;
  }

  /** The lines for an event that `progress` has just taken in and that changed `step`. */
  of(event: RunEvent, step: StepProgress | undefined, now: bigint): string[] {
    switch (event.type) {
      case "line":
        return lines(event.text).map((line) => `${clean(event.stepId)} | ${line}`);
      case "notice":
        return [`note: ${clean(event.message)}`];
      case "progress":
        return this.#going(event.stepId, now);
      case "journal":
        return step === undefined ? [] : this.#step(step, now);
      case "run":
        return [];
    }
  }

  #step(step: StepProgress, now: bigint): string[] {
    const id = clean(step.id);
    if (step.retryAt !== undefined && step.status === "queued") {
      const wait = formatDuration(Math.max(0, milliseconds(now, step.retryAt)));
      return [`retry ${id} in ${wait}: ${clean(step.failure?.message ?? "it failed")}`];
    }
    if (step.endedAt === undefined || step.startedAt === undefined) return [];
    if (step.reused) return [`reused ${id}`];
    if (step.status === "skipped") return [`skipped ${id}`];
    const took = formatDuration(milliseconds(step.startedAt, step.endedAt));
    const status = step.status === "succeeded" ? "ok" : words(step.status);
    // A step whose condition could not be evaluated has failed without an attempt.
    const never = step.attempts === 0 && !step.forEach;
    const parts = [never ? `${status} ${id}` : `${status} ${id} ${took}`];
    if (step.forEach) {
      parts.push(counted(step.items, "item"));
      const speed = wholeRate(step);
      if (speed !== undefined && step.items > 0) parts.push(rate(speed));
      if (step.failed > 0) parts.push(`${count(step.failed)} failed`);
    } else if (step.attempts > 1) {
      parts.push(counted(step.attempts, "attempt"));
    }
    const why = step.status === "succeeded" || step.failure === undefined
      ? ""
      : `: ${clean(step.failure.message)}`;
    return [parts.join(", ") + why];
  }

  // A long for_each says every ten seconds that it is still going on.
  #going(stepId: string, now: bigint): string[] {
    const step = this.#progress.steps.get(stepId);
    if (step === undefined) return [];
    const since = this.#last.get(stepId) ?? step.startedAt ?? now;
    this.#last.set(stepId, since);
    if (now - since < QUIET_NS) return [];
    this.#last.set(stepId, now);
    const parts = [counted(step.items, "item")];
    if (step.share !== undefined) parts.unshift(`${Math.floor(step.share * 100)} %`);
    const speed = itemRate(step);
    if (speed !== undefined) parts.push(rate(speed));
    if (step.failed > 0) parts.push(`${count(step.failed)} failed`);
    const left = remaining(step);
    if (left !== undefined) parts.push(`${roughly(left)} left`);
    return [`... ${clean(stepId)} ${parts.join(", ")}`];
  }
}
