import type { RunEvent } from "../core/report.ts";
import type { StepProgress } from "./progress.ts";

/** Somebody who shows a run while it goes on. */
export interface Follower {
  /** An event that was taken in, and the step whose status it changed. */
  event(event: RunEvent, step: StepProgress | undefined, now: bigint): void;
  /** A line to leave on the screen. */
  line(text: string): void;
  /** Something to tell at once. */
  notice(message: string): void;
  /** The run has ended, or could not begin; gives the terminal back. */
  close(): void;
}

/** Wall time, nanoseconds since the epoch. */
export function wallTime(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}
