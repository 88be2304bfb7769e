import {
  createTraceState,
  type HrTime,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Tracer,
} from "@opentelemetry/api";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  AlwaysOnSampler,
  BasicTracerProvider,
  type ReadableSpan,
  type SpanLimits,
} from "@opentelemetry/sdk-trace-base";
import { SERVICE_VERSION } from "../../semconv/attributes.ts";
import type { Attributes, BusEvent, SpanEnd, SpanStart } from "../core/span.ts";
import { emittedEnd, emittedStart } from "./emitted.ts";

/**
 * A span processor of OpenTelemetry's SDK, by its shape: any SpanProcessor of @opentelemetry/sdk-trace-base 2.x
 * is one. Its spans are the SDK's.
 */
export interface SpanProcessor {
  /** Hears of a span's start, with the SDK's span and its parent context. */
  onStart(span: unknown, parentContext: unknown): void;
  /** Hears of a span that is about to end, while it can still be changed. */
  onEnding?(span: unknown): void;
  /** Hears of a span's end, with the SDK's span. */
  onEnd(span: unknown): void;
  /** Resolves once what it has heard of is handed on. */
  forceFlush(): Promise<void>;
  /** Resolves once it has stopped. */
  shutdown(): Promise<void>;
}

const KINDS: Readonly<Record<SpanStart["kind"], SpanKind>> = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
};

const UNLIMITED: Required<SpanLimits> = {
  attributeCountLimit: Infinity,
  attributeValueLengthLimit: Infinity,
  linkCountLimit: Infinity,
  eventCountLimit: Infinity,
  attributePerLinkCountLimit: Infinity,
  attributePerEventCountLimit: Infinity,
};

/**
 * Makes the engine's spans with OpenTelemetry's SDK. The provider is held here and never registered as a
 * global one: under OTEL_DENO=true, and in an application that has its own, the globals are taken. Nothing
 * is sampled away or cut before the processors; limits and sampling are theirs.
 */
export class Tracing {
  readonly #provider: BasicTracerProvider;
  readonly #tracer: Tracer;
  // The SDK asks for ids while it makes a span; the journal has chosen them before.
  #traceId = "";
  #spanId = "";
  readonly #open = new Map<string, Span>();

  /** Uses `processors` as the SDK's span processors; without `more` nothing is cut. */
  constructor(
    processors: readonly SpanProcessor[],
    more: {
      /** What the spans' program is. */
      readonly resource?: Attributes;
      /** How much of a span is kept. */
      readonly limits?: SpanLimits;
    } = {},
  ) {
    this.#provider = new BasicTracerProvider({
      ...(more.resource === undefined
        ? {}
        : { resource: resourceFromAttributes(more.resource as Record<string, string>) }),
      sampler: new AlwaysOnSampler(),
      idGenerator: {
        generateTraceId: () => this.#traceId,
        generateSpanId: () => this.#spanId,
      },
      spanLimits: { ...UNLIMITED, ...more.limits },
      spanProcessors: processors.map(contained),
    });
    const version = more.resource?.[SERVICE_VERSION];
    this.#tracer = this.#provider.getTracer(
      "spanloop",
      typeof version === "string" ? version : undefined,
    );
  }

  /**
   * Makes an SDK span of each span on the bus: started when its start is committed, ended when its end is. What
   * plugins emit starts and ends at once.
   */
  hear(event: BusEvent): void {
    if (event.event === "started" || event.event === "adopted") {
      const { span } = event.event === "started" ? event.record : event.start;
      this.#open.set(span.spanId, this.start(span));
    } else if (event.event === "ended") {
      const { spanId, end } = event.record;
      const span = this.#open.get(spanId);
      this.#open.delete(spanId);
      if (span !== undefined) this.end(span, end);
    } else if (event.event === "lost") {
      for (const { span } of event.open) this.#open.delete(span.spanId);
    } else if (event.event === "emitted") {
      const { span } = event.record;
      this.end(this.start(emittedStart(span)), emittedEnd(span));
    }
  }

  /** Starts an SDK span with the ids and the time of `span`; `remoteParent`: its parent is another process's. */
  start(span: SpanStart, remoteParent = false): Span {
    this.#traceId = span.traceId;
    this.#spanId = span.spanId;
    const context = span.parentSpanId === undefined
      ? ROOT_CONTEXT
      : trace.setSpanContext(ROOT_CONTEXT, {
        traceId: span.traceId,
        spanId: span.parentSpanId,
        traceFlags: TraceFlags.SAMPLED,
        isRemote: remoteParent,
        traceState: span.traceState === undefined ? undefined : createTraceState(span.traceState),
      });
    return this.#tracer.startSpan(span.name, {
      kind: KINDS[span.kind],
      startTime: hrTime(span.startTime),
      attributes: span.attributes as Record<string, string>,
      links: span.links?.map((link) => ({
        context: { traceId: link.traceId, spanId: link.spanId, traceFlags: TraceFlags.SAMPLED },
        attributes: link.attributes as Record<string, string> | undefined,
      })),
    }, context);
  }

  /** Ends an SDK span; `exception`: the attributes of an exception that ended it. */
  end(span: Span, end: SpanEnd, exception?: Attributes): void {
    if (exception !== undefined) {
      span.addEvent("exception", exception as Record<string, string>, hrTime(end.endTime));
    }
    if (!isEmpty(end.attributes)) span.setAttributes(end.attributes as Record<string, string>);
    if (end.error) span.setStatus({ code: SpanStatusCode.ERROR, message: end.message });
    span.end(hrTime(end.endTime));
  }

  /** Lets the processors finish. */
  async shutdown(): Promise<void> {
    await this.#provider.shutdown();
  }
}

/** A processor that hands each span on when it has ended, and keeps nothing. */
export function onEnded(hear: (span: ReadableSpan) => void): SpanProcessor {
  return {
    onStart: () => {},
    onEnd: (span) => hear(span as ReadableSpan),
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
  };
}

/**
 * A processor whose faults stay its own: whatever it throws, the run and the other processors go on (J5). The
 * SDK would let it through to whoever starts a span.
 */
function contained(processor: SpanProcessor): SpanProcessor {
  // Telemetry may be lost; a processor tells of its own faults, as the SDK's do.
  const ignore = () => {};
  const quietly = (call: () => void) => {
    try {
      call();
    } catch {
      ignore();
    }
  };
  return {
    onStart: (span, context) => quietly(() => processor.onStart(span, context)),
    onEnding: (span) => quietly(() => processor.onEnding?.(span)),
    onEnd: (span) => quietly(() => processor.onEnd(span)),
    forceFlush: () => Promise.try(() => processor.forceFlush()).catch(ignore),
    shutdown: () => Promise.try(() => processor.shutdown()).catch(ignore),
  };
}

function hrTime(nanoseconds: bigint): HrTime {
  return [Number(nanoseconds / 1_000_000_000n), Number(nanoseconds % 1_000_000_000n)];
}

function isEmpty(attributes: Attributes): boolean {
  for (const _ in attributes) return false;
  return true;
}
