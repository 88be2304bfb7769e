import type { EmittedSpan, SpanEnd, SpanStart } from "../core/span.ts";

/** The start of a span that a plugin emitted, as any span's. */
export function emittedStart(span: EmittedSpan): SpanStart {
  const { traceId, spanId, parentSpanId, name, time, attributes, links } = span;
  return {
    traceId,
    spanId,
    parentSpanId,
    name,
    kind: "internal",
    startTime: time,
    attributes,
    links,
  };
}

/** Its end: it has no length. */
export function emittedEnd({ time }: EmittedSpan): SpanEnd {
  return { endTime: time, error: false, attributes: {} };
}
