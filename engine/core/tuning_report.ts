import type { Measurement } from "./improve.ts";
import type { LedgerEntry } from "./proposal.ts";
import type { TunedWorkflow } from "./tuning.ts";

/** All that there is to tell of a workflow that is tuned, as of one moment. */
export interface TuningReport {
  /** Its file, absolute. */
  readonly file: string;
  /** The moment, nanoseconds since the epoch. */
  readonly at: bigint;
  /** What it is tuned for; absent without an objective. */
  readonly objective?: {
    readonly direction: "minimize" | "maximize";
    /** The expression's text. */
    readonly expression: string;
    /** The step that it is of. */
    readonly of: string;
  };
  /** What no change may break. */
  readonly guards: readonly {
    readonly metric: string;
    readonly of: string;
    readonly below?: number;
    readonly above?: number;
  }[];
  /** Its tunable parameters, what is under measurement, and what waits for a person. */
  readonly tuned: TunedWorkflow;
  /** What was measured for the objective of now, oldest first. */
  readonly measurements: readonly Measurement[];
  /** What was proposed and what became of it, oldest first. */
  readonly entries: readonly LedgerEntry[];
  /** Whether there is more of either, which is older and was left out. */
  readonly more: boolean;
}
