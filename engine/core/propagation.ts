import type { SpanReference } from "./span.ts";

/** The context that came from another program: W3C trace context and baggage. What does not hold is left out. */
export interface RemoteContext {
  /** The caller's trace, 32 hex digits. */
  readonly traceId?: string;
  /** The caller's span, 16 hex digits; there if and only if `traceId` is. */
  readonly parentSpanId?: string;
  /** The caller's trace flags; bit 0 says that it is sampled, bit 1 that the trace id is random. */
  readonly traceFlags?: number;
  /** The tracestate header, without members that do not hold. */
  readonly traceState?: string;
  /** The baggage header, without members that do not hold or go beyond the limits. */
  readonly baggage?: string;
  /** What a person should know of what was left out, a sentence each; absent when there is nothing to say. */
  readonly warnings?: readonly string[];
}

/** Where a context comes from: a process's environment, or the headers of an HTTP request. */
export type Carrier =
  | { readonly environment: Readonly<Record<string, string>> }
  | { readonly headers: Headers };

/** An attempt, and what came with its run, as another program is to hear of it. */
export interface LocalContext {
  /** The attempt's span, as in the journal. */
  readonly span: SpanReference;
  /** The trace flags that came with the run. */
  readonly traceFlags?: number;
  /** The run's tracestate. */
  readonly traceState?: string;
  /** The run's baggage header. */
  readonly baggage?: string;
}

/** Carries trace context and baggage between programs, in the formats that the settings name. Never throws. */
export interface Propagation {
  /** Reads what came from another program. */
  extract(carrier: Carrier): Promise<RemoteContext>;
  /** The attempt's span and trace flags as other programs see them: as they are exported. */
  reference(context: LocalContext): SpanReference & { readonly traceFlags: number };
  /**
   * The variables that hand the context on to a child process, TRACEPARENT and so on. One that is undefined must
   * not reach the child: what the engine inherited is of another span.
   */
  environment(context: LocalContext): Promise<Readonly<Record<string, string | undefined>>>;
  /** The headers, in lower case, that hand the context on with an HTTP request. */
  headers(context: LocalContext): Promise<Readonly<Record<string, string>>>;
}
