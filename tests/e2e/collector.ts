import { gunzipSync } from "node:zlib";
import { logsRequest, metricsRequest, traceRequest } from "../proto/definitions.ts";

/** A span as OTLP had it, read by OpenTelemetry's own definitions. */
export interface CollectedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly start: string;
  readonly end: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly resource: Readonly<Record<string, unknown>>;
  readonly links: readonly { traceId: string; spanId: string; type: unknown }[];
  readonly events: readonly { name: string; attributes: Readonly<Record<string, unknown>> }[];
  readonly error: boolean;
  readonly dropped: number;
}

/** A log record as OTLP had it. */
export interface CollectedLog {
  readonly body: unknown;
  readonly event: string | undefined;
  readonly traceId: string;
  readonly spanId: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** What came, in order. */
export interface Collector extends AsyncDisposable {
  readonly endpoint: string;
  readonly spans: CollectedSpan[];
  readonly logs: CollectedLog[];
  /** The names of the metrics that came, with their points. */
  readonly metrics: Map<string, unknown>;
  /** Every request's body, decompressed, with its path and headers. */
  readonly requests: { path: string; headers: Headers; body: Uint8Array }[];
}

/**
 * An OTLP/HTTP collector of its own, on a free port. `answer` may hold an answer back or refuse; what it answers
 * nothing to is taken.
 */
export function collect(
  answer: (request: Request) => Response | undefined | Promise<Response | undefined> = () =>
    undefined,
): Collector {
  const spans: CollectedSpan[] = [];
  const logs: CollectedLog[] = [];
  const metrics = new Map<string, unknown>();
  const requests: Collector["requests"] = [];
  const options = { port: 0, hostname: "127.0.0.1", onListen() {} };
  const server = Deno.serve(options, async (request) => {
    const refused = await answer(request);
    const bytes = new Uint8Array(await request.arrayBuffer());
    if (refused !== undefined) return refused;
    const { headers } = request;
    const body = headers.get("content-encoding") === "gzip" ? gunzipSync(bytes) : bytes;
    const path = new URL(request.url).pathname;
    requests.push({ path, headers, body });
    const json = headers.get("content-type") === "application/json";
    // deno-lint-ignore no-explicit-any -- the message as it came
    const message: any = json ? JSON.parse(new TextDecoder().decode(body)) : {
      "/v1/traces": traceRequest,
      "/v1/metrics": metricsRequest,
      "/v1/logs": logsRequest,
    }[path]!
      .decode(body);
    for (const { resource, scopeSpans } of message.resourceSpans ?? []) {
      for (const span of scopeSpans.flatMap((scope: { spans: unknown[] }) => scope.spans)) {
        spans.push({
          name: span.name,
          traceId: hex(span.traceId)!,
          spanId: hex(span.spanId)!,
          parentSpanId: hex(span.parentSpanId),
          start: String(span.startTimeUnixNano),
          end: String(span.endTimeUnixNano),
          attributes: values(span.attributes),
          resource: values(resource.attributes),
          links: (span.links ?? []).map((link: typeof span) => ({
            traceId: hex(link.traceId),
            spanId: hex(link.spanId),
            type: values(link.attributes)["spanloop.link.type"],
          })),
          events: (span.events ?? []).map((event: typeof span) => ({
            name: event.name,
            attributes: values(event.attributes),
          })),
          error: span.status?.code === 2,
          dropped: span.droppedAttributesCount ?? 0,
        });
      }
    }
    for (const { scopeLogs } of message.resourceLogs ?? []) {
      for (
        const record of scopeLogs.flatMap((scope: { logRecords: unknown[] }) => scope.logRecords)
      ) {
        logs.push({
          body: value(record.body),
          event: record.eventName || undefined,
          traceId: hex(record.traceId) ?? "",
          spanId: hex(record.spanId) ?? "",
          attributes: values(record.attributes),
        });
      }
    }
    for (const { scopeMetrics } of message.resourceMetrics ?? []) {
      for (const metric of scopeMetrics.flatMap((scope: { metrics: unknown[] }) => scope.metrics)) {
        metrics.set(metric.name, metric);
      }
    }
    return new Response();
  });
  return {
    endpoint: `http://127.0.0.1:${server.addr.port}`,
    spans,
    logs,
    metrics,
    requests,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

function hex(id: string | Uint8Array | undefined): string | undefined {
  if (id === undefined || id.length === 0) return undefined;
  return typeof id === "string" ? id : id.toHex();
}

type Any = Readonly<Record<string, unknown>> | undefined;

function value(any: Any): unknown {
  if (any === undefined) return undefined;
  const [kind, inner] = Object.entries(any)[0] ?? [];
  if (kind === "intValue") return Number(inner);
  return kind === "arrayValue" ? ((inner as { values?: Any[] }).values ?? []).map(value) : inner;
}

function values(attributes: readonly { key: string; value: Any }[] = []): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value: any }) => [key, value(any)]));
}
