import type { ReadableSpan, SpanProcessor } from "@opentelemetry/sdk-trace-base";

/** A span as a processor saw it. */
export interface SeenSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly traceState?: string;
  readonly kind: number;
  readonly error: boolean;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly links: readonly { readonly spanId: string; readonly type: unknown }[];
  readonly scope: string;
}

/** A processor that keeps what it sees, in order. */
export class SpanLog implements SpanProcessor {
  readonly started: string[] = [];
  readonly ended: SeenSpan[] = [];

  onStart(span: { spanContext(): { spanId: string } }): void {
    this.started.push(span.spanContext().spanId);
  }

  onEnd(span: ReadableSpan): void {
    const { traceId, spanId } = span.spanContext();
    this.ended.push({
      name: span.name,
      traceId,
      spanId,
      parentSpanId: span.parentSpanContext?.spanId,
      traceState: span.parentSpanContext?.traceState?.serialize(),
      kind: span.kind,
      error: span.status.code === 2,
      attributes: span.attributes,
      links: span.links.map(({ context, attributes }) => ({
        spanId: context.spanId,
        type: attributes?.["spanloop.link.type"],
      })),
      scope: span.instrumentationScope.name,
    });
  }

  forceFlush(): Promise<void> {
    return Promise.resolve();
  }

  shutdown(): Promise<void> {
    return Promise.resolve();
  }

  /** Spans by name, in the order of their end. */
  named(name: string): readonly SeenSpan[] {
    return this.ended.filter((span) => span.name === name);
  }
}
