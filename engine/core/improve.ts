import type { GivenValues, RunOptions } from "./run_options.ts";
import type { Json } from "./json.ts";
import type { Arm, LedgerEntry } from "./proposal.ts";
import type { RunEvent, RunReport } from "./report.ts";

/** What one arm's values came to in a run, by the workflow's objective. */
export interface MeasuredArm {
  /** Which arm; without an experiment the incumbent is the only one. */
  readonly arm: Arm;
  /** The tunable parameters' values that were applied. */
  readonly values: Readonly<Record<string, Json>>;
  /** The objective's value. */
  readonly objective: number;
  /** For how long these values ruled alone, seconds. */
  readonly duration: number;
  /** Items, processed and failed; a step that counts none is one item. */
  readonly items: number;
  /** Items that failed. */
  readonly failed: number;
}

/** What a run's work came to. */
export interface Measurement {
  /** Its run. */
  readonly runId: string;
  /** When it was measured, nanoseconds since the epoch. */
  readonly at: bigint;
  /** The experiment that was open; absent for none. */
  readonly experiment?: string;
  /** What the workflow was tuned for; figures of different goals cannot be compared. */
  readonly goal: string;
  /** The incumbent first. */
  readonly arms: readonly MeasuredArm[];
}

/** What happens while a workflow is improved, in order. */
export type ImproveEvent =
  /** A run begins; `index` counts from 1. */
  | { readonly type: "started"; readonly index: number }
  /** Something happened in it. */
  | { readonly type: "run"; readonly index: number; readonly event: RunEvent }
  /** It is over. */
  | { readonly type: "ended"; readonly index: number; readonly report: RunReport }
  /** A piece of its work was measured. */
  | { readonly type: "measured"; readonly index: number; readonly measurement: Measurement }
  /**
   * Something was decided: a change is tested, waits, is refused; or an experiment came to its verdict. With `index` 0:
   * what is under measurement as it begins.
   */
  | { readonly type: "decided"; readonly index: number; readonly entry: LedgerEntry };

/** How a workflow is improved. */
export interface ImproveOptions extends Pick<RunOptions, "signal" | "force"> {
  /** So many runs at most. */
  readonly runs: number;
  /** Values for all of them; of parameters that are not tunable, since what is given is not tuned (V3). */
  readonly given?: GivenValues;
  /** The file's path as the person wrote it. */
  readonly display?: string;
  /** Called for every event, in order. */
  readonly onEvent?: (event: ImproveEvent) => void;
}

/** What came of it. */
export interface ImproveReport {
  /** The workflow. */
  readonly workflow: string;
  /** Runs that ended. */
  readonly runs: number;
  /** Those of them that did not succeed. */
  readonly failed: number;
  /** The tunable parameters' values before. */
  readonly before: Readonly<Record<string, Json>>;
  /** And after. */
  readonly after: Readonly<Record<string, Json>>;
  /** The verdicts, in order. */
  readonly verdicts: readonly LedgerEntry[];
  /** What took back a change that had been kept, since it came to break a guard; in order. */
  readonly rollBacks: readonly LedgerEntry[];
  /** What was measured, in order. */
  readonly measurements: readonly Measurement[];
  /** Why it ended before its runs were done, a sentence; absent when it did them all, or was cancelled. */
  readonly stopped?: string;
  /** The change that is still under measurement; absent for none. */
  readonly open?: LedgerEntry;
}
