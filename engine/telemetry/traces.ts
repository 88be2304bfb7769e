import type { ReadableSpan } from "@opentelemetry/sdk-trace-base";
import type {
  Attributes,
  BusEvent,
  EmittedSpan,
  SpanLink,
  SpanReference,
  StartEntry,
} from "../core/span.ts";
import * as keys from "../../semconv/attributes.ts";
import { emittedEnd, emittedStart } from "./emitted.ts";
import { exceptionAttributes, exceptionOf } from "./exceptions.ts";
import type { ExportQueue } from "./export/queue.ts";
import { linkedTraceId, type Placement, Placements } from "./placement.ts";
import { onEnded, Tracing } from "./provider.ts";
import type { Redact } from "./redact.ts";
import type { Sampled } from "./sampler.ts";
import type { TelemetrySettings } from "./settings.ts";

/**
 * Exports the spans that end on the bus: those that the run's `trace` settings and the sampler let through,
 * cut to the limits and redacted (T1), and what plugins emit about them.
 *
 * Invariants:
 * - J3: a span is exported once, when its end is committed.
 * - J5: a queue that is full costs a count.
 */
export class TraceExport {
  readonly #queues: readonly ExportQueue<ReadableSpan>[];
  readonly #placements: Placements;
  readonly #tracing: Tracing;
  readonly #redact: Redact;
  readonly #asEvents: boolean;

  /** Puts spans into `queues`. */
  constructor(ports: {
    readonly queues: readonly ExportQueue<ReadableSpan>[];
    readonly settings: TelemetrySettings;
    readonly resource: Attributes;
    readonly sampled: Sampled;
    readonly redact: Redact;
  }) {
    const { limits } = ports.settings.traces;
    this.#queues = ports.queues;
    this.#redact = ports.redact;
    this.#asEvents = ports.settings.exceptions !== "logs";
    this.#placements = new Placements(ports.sampled);
    this.#tracing = new Tracing([
      onEnded((span) => this.#queues.forEach((queue) => queue.add(span))),
    ], {
      resource: ports.resource,
      limits: {
        attributeCountLimit: limits.attributeCount,
        attributeValueLengthLimit: limits.attributeValueLength ?? Infinity,
        linkCountLimit: limits.linkCount,
        eventCountLimit: limits.eventCount,
        attributePerLinkCountLimit: limits.attributePerLinkCount,
        attributePerEventCountLimit: limits.attributePerEventCount,
      },
    });
  }

  /** Hears the bus. */
  hear(event: BusEvent): void {
    this.#placements.hear(event);
    if (event.event === "emitted") return this.#emitted(event.record.span);
    if (event.event !== "ended") return;
    const { start, record } = event;
    const place = this.#placements.of(start.span.spanId);
    this.#placements.closed(start);
    if (place === undefined || !place.exported || !place.sampled) return;
    if (this.#misses()) return;
    const { end } = record;
    const failure = this.#asEvents ? exceptionOf(record) : undefined;
    const exception = failure === undefined
      ? undefined
      : this.#redact(exceptionAttributes(failure));
    const span = this.#tracing.start({
      ...start.span,
      traceId: place.traceId,
      parentSpanId: place.parentSpanId,
      attributes: this.#redact(start.span.attributes),
      links: linksOf(start, place),
    }, start.role === "run" && start.span.traceFlags !== undefined);
    this.#tracing.end(span, { ...end, attributes: this.#redact(end.attributes) }, exception);
  }

  #emitted(emitted: EmittedSpan): void {
    const place = this.#placements.emitted(emitted);
    if (!place.sampled || this.#misses()) return;
    const start = emittedStart(emitted);
    const span = this.#tracing.start({
      ...start,
      traceId: place.traceId,
      parentSpanId: place.parentSpanId,
      attributes: this.#redact(start.attributes),
      links: start.links?.map((link) => {
        const { traceId, spanId } = this.#placements.known(link.spanId) ?? link;
        return { traceId, spanId };
      }),
    });
    this.#tracing.end(span, emittedEnd(emitted));
  }

  // A queue that is full costs a count, not the making of a span.
  #misses(): boolean {
    if (!this.#queues.every((queue) => queue.full)) return false;
    this.#queues.forEach((queue) => queue.miss());
    return true;
  }

  /** What a child process or a called server is told of the span that called it: ids that are exported. */
  exported(span: SpanReference): SpanReference {
    const place = this.#placements.of(span.spanId);
    return place === undefined ? span : { traceId: place.traceId, spanId: place.spanId };
  }

  /** Whether what belongs to this open span is sampled; undefined: it is not open. */
  sampled(spanId: string): boolean | undefined {
    return this.#placements.of(spanId)?.sampled;
  }
}

function linksOf({ span }: StartEntry, place: Placement): readonly SpanLink[] | undefined {
  const links = span.links?.map((link) => moved(link, place));
  if (place.linkedTo === undefined) return links;
  const toStep = {
    ...place.linkedTo,
    attributes: { [keys.SPANLOOP_LINK_TYPE]: keys.SPANLOOP_LINK_TYPE_VALUE_BATCH },
  };
  return [...links ?? [], toStep];
}

// The try before stands where this one does; before a batch that is a trace of its own it is one, too.
function moved(link: SpanLink, { traceId, linkedTo }: Placement): SpanLink {
  const type = link.attributes?.[keys.SPANLOOP_LINK_TYPE];
  const before = type === keys.SPANLOOP_LINK_TYPE_VALUE_RETRY ||
    type === keys.SPANLOOP_LINK_TYPE_VALUE_RESUME;
  if (!before) return link;
  return { ...link, traceId: linkedTo === undefined ? traceId : linkedTraceId(link.spanId) };
}
