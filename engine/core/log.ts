import type { Attributes, SpanReference } from "./span.ts";

/** How grave a log record is; OpenTelemetry's severity text in lower case. */
export type Severity = "debug" | "info" | "warn" | "error";

/** One log record. */
export interface LogRecord {
  /** When it happened, nanoseconds since the Unix epoch. */
  readonly time: bigint;
  /** How grave it is. */
  readonly severity: Severity;
  /** The text, masked, without a line end. */
  readonly body: string;
  /** For an event: its name, from the registry. */
  readonly eventName?: string;
  /** Keys from semconv/attributes.ts; values masked. */
  readonly attributes?: Attributes;
  /** The span it belongs to, as in the journal. */
  readonly span?: SpanReference;
  /** The name of the workflow it belongs to. */
  readonly workflow?: string;
  /** The run it belongs to. */
  readonly runId?: string;
  /** The step it belongs to. */
  readonly stepId?: string;
}

/** Hears log records of all runs, in the order in which they were written. */
export type LogConsumer = (record: LogRecord) => void;

/** Takes log records: the one way in which the engine says something that is not a span. Never throws. */
export interface Logger {
  /** Whether anybody hears records of this severity; asked before one is made that costs something. */
  enabled(severity: Severity): boolean;
  /** Writes a record, which its writer has masked; without a time it is the call's. */
  log(record: Omit<LogRecord, "time"> & { readonly time?: bigint }): void;
}
