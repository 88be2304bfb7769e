import { emitted, end, received, start, T0 } from "../../tests/contract/store_entries.ts";
import type {
  Attributes,
  EmittedSpan,
  EndEntry,
  ReceivedSpan,
  SpanStart,
  StartEntry,
} from "../core/span.ts";
import type { Heard } from "./heard.ts";

// What the tests of this folder share: events as the host hears them.

/** What an attempt's span is, where it is not as in `store_entries.ts`. */
export interface Attempt {
  /** Of the span. */
  readonly name?: string;
  /** Its workflow; `test` when absent. */
  readonly workflow?: string;
  /** At the start. */
  readonly attributes?: Attributes;
  /** Of the start entry. */
  readonly start?: Partial<StartEntry>;
  /** Of the span at its start. */
  readonly span?: Partial<SpanStart>;
  /** Of the end entry. */
  readonly end?: Partial<EndEntry>;
}

/** The start of an attempt. */
export function startedHeard(attempt: Attempt = {}): Heard & { readonly kind: "journal" } {
  const { name = "step", workflow = "test", attributes = {} } = attempt;
  const entry = start("run-1", "load", attempt.start);
  const span = { ...entry.span, name, attributes, ...attempt.span };
  return {
    kind: "journal",
    event: "started",
    position: 7,
    at: span.startTime,
    workflow,
    depth: 0,
    start: { ...entry, span },
  };
}

/** The end of an attempt. */
export function endedHeard(attempt: Attempt = {}): Heard & { readonly kind: "journal" } {
  const entry = end("run-1", "load", attempt.end);
  return {
    ...startedHeard(attempt),
    event: "ended",
    position: 8,
    at: entry.end.endTime,
    end: { ...entry, position: 8 },
  };
}

/** A span of another program. */
export function receivedHeard(more: Partial<ReceivedSpan> = {}): Heard {
  return { kind: "received", event: "ended", position: 9, at: T0 + 5n, span: received(1, more) };
}

/** A span that a plugin emitted. */
export function emittedHeard(more: Partial<EmittedSpan> = {}): Heard {
  return { kind: "emitted", event: "ended", position: 10, at: T0 + 9n, span: emitted(1, more) };
}
