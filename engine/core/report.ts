import type { Json, JsonObject } from "./json.ts";
import type { ValueSource } from "./parameter.ts";
import type { Arm, LedgerEntry } from "./proposal.ts";
import type {
  Failure,
  ItemCount,
  ItemRange,
  JournalRecord,
  Outcome,
  SpanStart,
  Status,
} from "./span.ts";
import type { RunSummary } from "./store.ts";

/** What became of a step, as `run --json` prints it. Durations are milliseconds. */
export interface StepReport {
  /** The step's id. */
  readonly id: string;
  /** Its status. */
  readonly status: Status;
  /** Attempts made, all batches together; 0 for a skipped step. */
  readonly attempts: number;
  /** From its first attempt's start to its last one's end. */
  readonly duration_ms: number;
  /** Its outputs; null when it has none. Per batch, in item order, for for_each (F4). */
  readonly outputs: Json;
  /** Why it failed, or null. */
  readonly error: { readonly code: string; readonly message: string } | null;
  /** In for_each: items counted once each by their last attempt (S5). */
  readonly items?: number;
  /** In for_each: how many of them failed. */
  readonly failed?: number;
  /** For a skipped step: `if`, `upstream`, `reuse`, `not needed`. */
  readonly reason?: string;
}

/** What became of a run, as `run --json` prints it. */
export interface RunReport {
  /** The run. */
  readonly run_id: string;
  /** Its trace. */
  readonly trace_id: string;
  /** The workflow's name. */
  readonly workflow: string;
  /** How it ended. */
  readonly status: Status;
  /** From its start to its end, milliseconds. */
  readonly duration_ms: number;
  /** Parameter values; a secret as its name. */
  readonly parameters: JsonObject;
  /** Steps in the file's order: steps, on_failure, finally. */
  readonly steps: readonly StepReport[];
  /** The workflow's outputs. */
  readonly outputs: JsonObject;
  /** Why the run failed, or null. */
  readonly error: { readonly code: string; readonly message: string } | null;
}

/** One attempt as `show` draws it. */
export interface AttemptHistory {
  /** As in the journal: the step's id, or `load[0,20)`. */
  readonly key: string;
  /** Which try, from 1. */
  readonly attempt: number;
  /** How it ended; absent while it runs or when its engine died. */
  readonly outcome?: Outcome;
  /** Its span's start. */
  readonly span: SpanStart;
  /** When it ended, nanoseconds since the epoch. */
  readonly endTime?: bigint;
  /** Resolved inputs. */
  readonly inputs?: Json;
  /** Outputs. */
  readonly outputs?: Json;
  /** Why it failed. */
  readonly failure?: Failure;
  /** The last lines of its output. */
  readonly tail?: string;
  /** A batch's range. */
  readonly range?: ItemRange;
  /** A batch's items. */
  readonly items?: ItemCount;
}

/** One step as `show` and `diff` see it. */
export interface StepHistory {
  /** Its report so far. */
  readonly report: StepReport;
  /** Its step type. */
  readonly type: string;
  /** Which list it stands in. */
  readonly list: StepList;
  /** What it follows. */
  readonly needs: readonly string[];
  /** When its first attempt, or its for_each span, started; absent if it never did. */
  readonly startTime?: bigint;
  /** When its last one ended. */
  readonly endTime?: bigint;
  /** Whether it lies on the run's critical path: the chain of steps that determined when the run ended. */
  readonly critical: boolean;
  /** Its attempts in the order of their start. */
  readonly attempts: readonly AttemptHistory[];
}

/** The three lists of steps (S3). */
export type StepList = "steps" | "on_failure" | "finally";

/** What one arm of an experiment ruled in a run. */
export interface TrialArm {
  /** Whose values. */
  readonly arm: Arm;
  /** The step whose items it ruled; absent where it ruled the whole run. */
  readonly step?: string;
  /** The values of the experiment's parameters that ruled, as far as the run says. */
  readonly values: Readonly<Record<string, Json>>;
  /** Of a step: the items that it ruled. */
  readonly items?: number;
  /** Of a step: all of its items that were begun. */
  readonly of?: number;
  /** In how many slices; absent where one arm ruled a whole step. */
  readonly slices?: number;
  /** Of a whole run: part of its work was ruled by what came after the experiment's end. */
  readonly partly?: boolean;
}

/** A run's part in an experiment. */
export interface RunTrial {
  /** The experiment. */
  readonly experiment: string;
  /** The change that it tests; absent when the ledger has none. */
  readonly change?: LedgerEntry;
  /** By step, the incumbent's first; none while no work was ruled. */
  readonly arms: readonly TrialArm[];
}

/** A whole run, read from its journal. */
export interface RunHistory {
  /** The run's row. */
  readonly summary: RunSummary;
  /** Its report so far. */
  readonly report: RunReport;
  /** Its steps. */
  readonly steps: readonly StepHistory[];
  /** Ids of the steps on the critical path, in time. */
  readonly criticalPath: readonly string[];
  /** The experiments that it has a part in. */
  readonly trials: readonly RunTrial[];
}

/** A step as `plan` prints it. */
export interface PlanStep {
  /** Its id. */
  readonly id: string;
  /** Which list. */
  readonly list: StepList;
  /** Its step type. */
  readonly uses: string;
  /** What it follows, resolved. */
  readonly needs: readonly string[];
  /** 0 for a step that starts at once, otherwise one more than its deepest need. */
  readonly layer: number;
  /** Its `if`, as written. */
  readonly if?: string;
  /** In for_each: a short description of the source, such as `file data/orders.ndjson`. */
  readonly forEach?: string;
  /** For people. */
  readonly description?: string;
  /** In a dry run: its resolved `with`, where that does not depend on other steps; secrets masked. */
  readonly with?: Json;
}

/** What would run, with which values. */
export interface PlanReport {
  /** The workflow's name. */
  readonly workflow: string;
  /** The file, absolute. */
  readonly file: string;
  /** Parameter values, secrets masked. */
  readonly parameters: JsonObject;
  /** Where each came from. */
  readonly sources: Readonly<Record<string, ValueSource>>;
  /** Steps in the file's order: steps, on_failure, finally. */
  readonly steps: readonly PlanStep[];
}

/** What a caller of `run` can follow while it goes on. Starts and ends come after their commit (J1). */
export type RunEvent =
  /** A committed start or end. */
  | { readonly type: "journal"; readonly record: JournalRecord }
  /** The run was created, or taken up again; comes first. */
  | {
    readonly type: "run";
    readonly runId: string;
    readonly traceId: string;
    readonly resumed: boolean;
    readonly plan: PlanReport;
  }
  /** A line of a step's output, masked. */
  | {
    readonly type: "line";
    readonly stepId: string;
    readonly key: string;
    readonly stream: "stdout" | "stderr";
    readonly text: string;
  }
  /** How far a for_each is. `share` is in [0, 1], absent while the total is not known. */
  | {
    readonly type: "progress";
    readonly stepId: string;
    readonly items: number;
    readonly failed: number;
    readonly share?: number;
  }
  /** Something a person should know: waiting for a group, taking over a lease, cancelling. */
  | { readonly type: "notice"; readonly message: string };
