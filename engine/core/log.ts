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
  /** Keys from semconv/attributes.ts. */
  readonly attributes?: Attributes;
  /** The span it belongs to, as in the journal. */
  readonly span?: SpanReference;
  /** The run it belongs to. */
  readonly runId?: string;
}

/** Takes log records: the one way in which the engine says something that is not a span. Never throws. */
export interface Logger {
  /** Writes a record; its time is the call's. */
  log(record: Omit<LogRecord, "time">): void;
}
