import type {
  ReceivedEvent,
  ReceivedLink,
  ReceivedScope,
  ReceivedSpan,
  SpanKind,
} from "../../core/span.ts";

/** The spans of a request. */
export interface DecodedTraces {
  /** Those that can be taken, in the order of the request. */
  readonly spans: readonly ReceivedSpan[];
  /** How many cannot, because they have no valid id. */
  readonly rejected: number;
  /** What is wrong with the first of those. */
  readonly reason?: string;
}

/** A span while it is read. */
export type BuildingSpan = { -readonly [K in keyof ReceivedSpan]: ReceivedSpan[K] };

/** A span's event while it is read. */
export type BuildingEvent = { -readonly [K in keyof ReceivedEvent]: ReceivedEvent[K] };

/** A span's link while it is read. */
export type BuildingLink = { -readonly [K in keyof ReceivedLink]: ReceivedLink[K] };

/** A scope while it is read. */
export type BuildingScope = { -readonly [K in keyof ReceivedScope]: ReceivedScope[K] };

/** Span kinds by their number; one that is not known is internal, as the definitions say of 0. */
export const KINDS: readonly SpanKind[] = [
  "internal",
  "internal",
  "server",
  "client",
  "producer",
  "consumer",
];

/** Statuses by their number. */
export const STATUSES: readonly ReceivedSpan["status"][] = ["unset", "ok", "error"];

/** Takes the spans whose ids are valid (W3C trace context: neither may be all zero), counts the others. */
export class SpanList {
  readonly #spans: ReceivedSpan[] = [];
  #rejected = 0;
  #reason: string | undefined;

  /** Adds a span, or counts it. Ids are lower-case hex digits, or what came in their place. */
  add(span: BuildingSpan): void {
    const wrong = problem(span);
    if (wrong === undefined) {
      this.#spans.push(span);
      return;
    }
    this.#rejected++;
    this.#reason ??= `${wrong}, of the span ${JSON.stringify(span.name.slice(0, 100))}`;
  }

  /** What was added. */
  result(): DecodedTraces {
    return {
      spans: this.#spans,
      rejected: this.#rejected,
      ...this.#reason === undefined ? {} : { reason: this.#reason },
    };
  }
}

/** Whether a link leads somewhere. One that does not is dropped, and counted as dropped. */
export function isReference(traceId: string, spanId: string): boolean {
  return isId(traceId, 32) && isId(spanId, 16);
}

function problem(span: BuildingSpan): string | undefined {
  if (!isId(span.traceId, 32)) return "The trace id is not 16 bytes, or all zero";
  if (!isId(span.spanId, 16)) return "The span id is not 8 bytes, or all zero";
  const parent = span.parentSpanId;
  if (parent === undefined) return undefined;
  if (parent.length !== 16) return "The parent's span id is not 8 bytes";
  // Some senders write a root's missing parent so.
  if (parent === ZERO_SPAN) delete span.parentSpanId;
  return undefined;
}

function isId(hex: string, length: number): boolean {
  return hex.length === length && hex !== ZERO_SPAN && hex !== ZERO_TRACE;
}

const ZERO_SPAN = "0".repeat(16);
const ZERO_TRACE = "0".repeat(32);

// What follows keeps what is zero or empty absent, as protobuf has it, so that both encodings give the same.

/** Sets or removes a text. */
export function setText<K extends string>(
  to: { [key in K]?: string },
  key: K,
  text: string,
): void {
  if (text !== "") to[key] = text;
  else delete to[key];
}

/** Sets or removes a count of dropped attributes. */
export function setCount(to: { droppedAttributes?: number }, count: number): void {
  if (count !== 0) to.droppedAttributes = count;
  else delete to.droppedAttributes;
}

/** Sets the W3C trace flags from OTLP's flags, whose low 8 bits they are. */
export function setFlags(to: { traceFlags?: number }, flags: number): void {
  if ((flags & 0xff) !== 0) to.traceFlags = flags & 0xff;
  else delete to.traceFlags;
}

/** Sets one of the counts of what was dropped of a span. */
export function setDropped(
  span: BuildingSpan,
  what: keyof NonNullable<ReceivedSpan["dropped"]>,
  count: number,
): void {
  if (count === 0) return;
  span.dropped = { ...span.dropped, [what]: count };
}
