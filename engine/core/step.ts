import type { Json, JsonObject } from "./json.ts";
import type { Attributes, ItemCount, SpanReference } from "./span.ts";

/** What a script step's default export is given (S5). */
export interface StepContext {
  /** The batch's items; empty outside for_each. */
  readonly items: readonly Json[];
  /** The step's `with:`, without `module` and `permissions`. */
  readonly with: JsonObject;
  /** The run's parameters. */
  readonly params: JsonObject;
  /** Aborted when the attempt is cancelled or its time is up. */
  readonly signal: AbortSignal;
  /** Writes a line to the step's log. */
  log(line: string): void;
  /** Which try this is, from 1. */
  readonly attempt: number;
  /** The same over all attempts at this run's step and range (R6). */
  readonly idempotencyKey: string;
  /** Absolute; the workflow's folder, or `cwd:`. */
  readonly cwd: string;
  /** `path` resolved against `cwd`. */
  path(path: string): string;
}

/**
 * A script step: its default export. The outputs must be JSON; `processed` and `failed` in them are the
 * batch's item counts.
 */
export type Script = (
  context: StepContext,
) => JsonObject | void | Promise<JsonObject | void>;

/** A batch as a step type gets it. */
export interface Batch {
  /** How many items there are. */
  readonly size: number;
  /** The items; parsed when they are first asked for. */
  readonly items: readonly Json[];
  /** The items as NDJSON, one line each with its line end, for a process's stdin. */
  ndjson(): Uint8Array;
}

/** What a step type gets for one attempt. */
export interface AttemptContext {
  /** The run's id. */
  readonly runId: string;
  /** The step's id. */
  readonly stepId: string;
  /** The workflow's folder, absolute. */
  readonly folder: string;
  /** The workflow's own file, absolute. */
  readonly file: string;
  /** The attempt's span. */
  readonly span: SpanReference;
  /** W3C trace flags that came with the run, if it has a caller. */
  readonly traceFlags?: number;
  /** W3C tracestate of the trace, if it has one. */
  readonly traceState?: string;
  /** W3C baggage header of the run, if any: the caller's with what the workflow sets. */
  readonly baggage?: string;
  /** Which try this is, from 1. */
  readonly attempt: number;
  /** Whether an attempt before it was interrupted, so that its processes may still be there (R6). */
  readonly resumed: boolean;
  /** The same over all attempts (R6). */
  readonly idempotencyKey: string;
  /** When the attempt began, nanoseconds since the Unix epoch. */
  readonly startTime: bigint;
  /** The step's resolved `with:`. */
  readonly with: JsonObject;
  /** The run's parameters. */
  readonly params: JsonObject;
  /** In for_each. */
  readonly batch?: Batch;
  /** Absolute. */
  readonly cwd: string;
  /** The declared environment; a process gets it on top of the engine's own. */
  readonly env: Readonly<Record<string, string>>;
  /** Aborted on cancel and timeout; its reason says which. */
  readonly signal: AbortSignal;
  /** A path for SPANLOOP_OUTPUT: not there yet, its folder is; removed by the engine afterwards. */
  readonly outputFile: string;
  /** Reports a line of output, without its line end; masked by the engine. */
  line(stream: "stdout" | "stderr", text: string): void;
  /** Replaces secrets; for what a step type captures itself. */
  mask(text: string): string;
  /** What only some step types need. */
  readonly services: StepServices;
}

/** Ports of the engine that step types may use. */
export interface StepServices {
  /** Runs a workflow as a child of this attempt (S6), or goes on with the child that it had. */
  runWorkflow(request: {
    readonly file: string;
    readonly params: JsonObject;
  }): Promise<JsonObject>;
  /**
   * Waits until an absolute time that `plan` gives on the first call, and that is journalled: after an
   * interruption the wait goes on to the same deadline (R2, R5). Nanoseconds since the Unix epoch.
   */
  waitUntil(plan: (now: bigint) => bigint): Promise<void>;
  /** A new id for a span that this attempt emits, derived from the attempt and `index` (T3). */
  spanId(index: number): string;
}

/** A span that an attempt asks for; it commits with the attempt's end (T3). */
export interface StepSpan {
  /** Its name. */
  readonly name: string;
  /** Its attributes. */
  readonly attributes: Attributes;
}

/** What an attempt gives back. */
export interface StepResult {
  /** Its outputs; the engine masks them. */
  readonly outputs: JsonObject;
  /** Reported item counts; unreported: all processed (S5). */
  readonly items?: ItemCount;
  /** The last lines of output, for the journal. */
  readonly tail?: string;
  /** What the attempt's span says at its end, by keys from semconv/attributes.ts; masked by the engine. */
  readonly attributes?: Attributes;
  /** Spans to commit with the attempt's end. */
  readonly spans?: readonly StepSpan[];
}

/** An attempt at a step whose type a plugin brings. */
export interface PluginStepCall {
  /** The step type's name. */
  readonly step: string;
  /** The step's resolved `with:`. */
  readonly with: JsonObject;
  /** A batch's items; empty outside for_each. */
  readonly items: readonly Json[];
  /** Which try this is, from 1. */
  readonly attempt: number;
  /** The same over all attempts (R6). */
  readonly idempotencyKey: string;
  /** When the attempt began, seconds since the Unix epoch. */
  readonly now: number;
}

/** Whose attempt at a plugin's step it is. */
export interface PluginStepAttempt {
  /** The workflow's own file, absolute. */
  readonly file: string;
  /** The plugin's name. */
  readonly plugin: string;
  /** The run. */
  readonly runId: string;
  /** The step. */
  readonly stepId: string;
  /** The attempt's span. */
  readonly span: SpanReference;
  /** When it began, nanoseconds since the Unix epoch. */
  readonly at: bigint;
}

/** Runs an attempt by a plugin that a workflow's file uses; gives its outputs. Throws StepError. */
export type RunPluginStep = (
  of: PluginStepAttempt,
  call: PluginStepCall,
  options: { readonly signal: AbortSignal; readonly onLine: (line: string) => void },
) => Promise<JsonObject>;

/** How a step type behaves when the engine died during an attempt (R5). */
export type Interruption = "retry" | "continue";

/** A step type: what `uses` names. */
export interface StepType {
  /** Its name. */
  readonly name: string;
  /** `retry`: closed and tried again; `continue`: goes on where it was, in the same span. */
  readonly interruption: Interruption;
  /** Runs one attempt. Throws StepError for a failure with a class; anything else is class `error`. */
  run(context: AttemptContext): Promise<StepResult>;
  /** Ends what an interrupted attempt may have left running (R6). */
  cleanUp?(span: SpanReference): Promise<void>;
}

/** Finds a step type by name, loading its module on first use. */
export type StepTypes = (name: string) => Promise<StepType>;
