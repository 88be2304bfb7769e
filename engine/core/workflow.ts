import type { ErrorClass } from "./errors.ts";
import type { Parameter } from "./parameter.ts";
import type { Expression, Template } from "./scope.ts";
import type { PluginUse } from "./plugin_use.ts";
import type { TraceSettings } from "./span.ts";

/** A validated workflow. Immutable; every expression in it is compiled and checked. */
export interface Workflow {
  /** Identifies it in a store (R1). */
  readonly name: string;
  /** For people. */
  readonly description?: string;
  /** Its file's absolute path. */
  readonly file: string;
  /** The folder that paths in it are relative to. */
  readonly folder: string;
  /** Its text, stored with each run (R4). */
  readonly text: string;
  /** Cron schedules. */
  readonly schedules: readonly Schedule[];
  /** The commands that start it. */
  readonly commands: readonly string[];
  /** The plugins that it uses, in the file's order. */
  readonly plugins: readonly PluginUse[];
  /** Declared parameters, by name. */
  readonly params: ReadonlyMap<string, Parameter>;
  /** Environment of every step; values may be templates. */
  readonly env: Readonly<Record<string, Template>>;
  /** Working directory of every step, relative to the folder. */
  readonly cwd?: Template;
  /** Per run. */
  readonly timeout?: Template;
  /** Attempts at once in one run; 8 when absent (F1). */
  readonly maxConcurrency?: Template;
  /** 0 to 9, most urgent last; 5 when absent (A1). */
  readonly priority?: Template;
  /** Runs of one group exclude each other. */
  readonly group?: Group;
  /** The business context that it sets; reaches child processes and requests, and the run's spans. */
  readonly baggage: Baggage;
  /** How a run's spans are exported. */
  readonly trace: TraceSettings;
  /** What the improvement loop optimises. */
  readonly tune?: TuneContract;
  /** Steps in the file's order. */
  readonly steps: readonly Step[];
  /** Run on failed and timed_out (S3). */
  readonly onFailure: readonly Step[];
  /** Run always (S3). */
  readonly finally: readonly Step[];
  /** What a calling workflow gets. */
  readonly outputs: Readonly<Record<string, Template>>;
  /** Places where `raw()` lets a value into the shell unquoted (V2), as `steps.load.run:12:8`. */
  readonly raw: readonly string[];
}

/** A workflow's `baggage:`, by names that become members of W3C baggage and span attributes. */
export interface Baggage {
  /** What it sets, over the caller's; null sets nothing. */
  readonly set: Readonly<Record<string, Template>>;
  /** What of the caller's baggage the run's spans say as well. */
  readonly fromCaller: readonly string[];
}

/** What happens to a new run when one of its kind is under way. */
export type Overlap = "skip" | "queue" | "cancel";

/** A cron trigger. */
export interface Schedule {
  /** Five or six cron fields. */
  readonly cron: string;
  /** An IANA time zone; the machine's when absent. */
  readonly timezone?: string;
  /** When the run before has not ended; default skip. */
  readonly overlap: Overlap;
  /** Ticks missed while nobody served; default latest. */
  readonly catchUp: "none" | "latest" | "all";
  /** Random delay of up to so many milliseconds; default 0. */
  readonly jitterMs: number;
}

/** A concurrency group over all runs of a store. */
export interface Group {
  /** The group's name. */
  readonly name: Template;
  /** Whether a new run waits, is skipped, or cancels the one under way; default queue. */
  readonly overlap: Overlap;
}

/** The workflow-wide tuning contract. */
export interface TuneContract {
  /** What to minimise or maximise, of which step. */
  readonly objective?: {
    readonly direction: "minimize" | "maximize";
    readonly expression: Expression;
    readonly of: string;
  };
  /** Bounds that no change may break, of the whole of a step in one run; durations in seconds. */
  readonly guards: readonly {
    readonly metric: string;
    readonly of: string;
    readonly below?: number;
    /** Never of error_rate. */
    readonly above?: number;
  }[];
  /** Least time between changes, milliseconds. */
  readonly cooldownMs?: number;
  /** When nothing may change. */
  readonly blackout: readonly {
    readonly cron: string;
    readonly timezone?: string;
    readonly forMs: number;
  }[];
  /** Upper bound on changes a day. */
  readonly maxChangesPerDay?: number;
}

/** One step of a workflow. */
export interface Step {
  /** Unique in the workflow; a CEL identifier. */
  readonly id: string;
  /** Where it stands in the file, from 1. */
  readonly line: number;
  /** For people. */
  readonly description?: string;
  /** Ids of the steps it follows, resolved: the step above when the file says nothing (S1). */
  readonly needs: readonly string[];
  /** Its condition (S2). */
  readonly if?: Expression;
  /** Runs it once a batch of items. */
  readonly forEach?: ForEach;
  /** The step type's name: `shell` for `run:`, otherwise what `uses` says. */
  readonly uses: string;
  /** The step type's inputs. For `shell`: `{ run }`, whose expressions are quoted words (V2). */
  readonly with: Template;
  /** A literal `with.module` or `with.file` that the run depends on, relative to the folder (R4). */
  readonly module?: string;
  /** Per attempt. */
  readonly timeout?: Template;
  /** When a failed attempt is tried again. */
  readonly retry?: Retry;
  /** Whether what needs it goes on when it has failed. */
  readonly continueOnError: boolean;
  /** Added to the workflow's environment. */
  readonly env: Readonly<Record<string, Template>>;
  /** Working directory, relative to the folder. */
  readonly cwd?: Template;
  /** The attempts' span. */
  readonly span: {
    readonly name?: string;
    readonly attributes: Readonly<Record<string, Template>>;
  };
}

/** Where a for_each takes its items from, and how many at a time. */
export interface ForEach {
  /** Exactly one of the three. */
  readonly source:
    | { readonly kind: "list"; readonly list: Template }
    | { readonly kind: "glob"; readonly glob: Template }
    | {
      readonly kind: "file";
      readonly file: Template;
      /** By the file's ending when absent. */
      readonly format?: "ndjson" | "csv";
    };
  /** Items a batch; 1 when absent. */
  readonly batch?: Template;
  /** Batches at once; 1 when absent. */
  readonly concurrency?: Template;
  /** What a failed item does to the step (S5). */
  readonly onItemError:
    | { readonly kind: "fail" }
    | { readonly kind: "continue" }
    /** Stops once the share of failed items exceeds `share`, in (0, 1). */
    | { readonly kind: "stop_above"; readonly share: number };
}

/** When and how often a failed attempt is tried again. */
export interface Retry {
  /** All tries, the first included. */
  readonly attempts: number;
  /** How the delay grows. */
  readonly backoff: "constant" | "linear" | "exponential";
  /** The first delay, milliseconds. */
  readonly initialMs: number;
  /** The longest delay, milliseconds. */
  readonly maxMs: number;
  /** `full` draws from [0, delay], `equal` from [delay / 2, delay]. */
  readonly jitter: "none" | "full" | "equal";
  /** Classes that are tried again (F1). */
  readonly on: readonly ErrorClass[];
}
