import type { ReceivedAttributes, ReceivedSpan, ReceivedValue } from "../../engine/core/span.ts";
import { command } from "../../engine/cli/_process_test.ts";
import { listen } from "../../engine/server/listener.ts";
import { systemClock } from "../../engine/system.ts";
import { openStore } from "../../engine/store/open.ts";
import { Bus } from "../../engine/telemetry/bus.ts";
import { EngineLog } from "../../engine/telemetry/log.ts";
import type {
  ReceivedLog,
  ReceivedMetric,
  ReceivedPoint,
} from "../../engine/telemetry/otlp/model.ts";
import { OtlpReceiver } from "../../engine/telemetry/otlp_receiver.ts";
import {
  inOrder,
  type LogMessage,
  type Messages,
  type MetricMessage,
  type PointMessage,
  sorted,
  type SpanMessage,
  type Typed,
  type TypedAttributes,
} from "./messages.ts";
import { speak } from "./spoken_process.ts";

/** Spanloop's own receiver, with a store of its own. */
export interface OwnReceiver extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`. */
  readonly endpoint: string;
  /** What came: spans as the store has them, in the form of `messagesOf`. */
  messages(): Promise<Messages>;
}

/** Serves one on a free port. */
export async function ownReceiver(): Promise<OwnReceiver> {
  const folder = await Deno.makeTempDir({ prefix: "spanloop-receiver-" });
  const store = await openStore(`sqlite:${folder}/store.db`, { durability: "normal" });
  const clock = systemClock();
  const logs: ReceivedLog[] = [];
  const metrics: ReceivedMetric[] = [];
  const receiver = new OtlpReceiver({
    store,
    bus: new Bus((thrown) => console.error(thrown)),
    clock,
    log: new EngineLog(clock),
    listener: {
      logs: (all) => void logs.push(...all),
      metrics: (all) => void metrics.push(...all),
    },
  });
  const listener = listen(
    { host: "127.0.0.1", port: 0 },
    (request) => receiver.handle(request),
    clock.after,
  );
  return {
    endpoint: listener.url,
    async messages() {
      const records = await store.since(0, 1_000_000);
      const spans = records.filter((record) => record.type === "received");
      return {
        spans: spans.map((record) => spanMessage(record.span)),
        logs: logs.map(logMessage),
        metrics: metrics.map(metricMessage),
      };
    },
    async [Symbol.asyncDispose]() {
      await listener.close();
      await store.close();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** The command `receive` in a process of its own. */
export interface ReceiveCommand extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`. */
  readonly endpoint: string;
  /** The process. */
  readonly pid: number;
  /** Ends it: what it says it received, but for the number of requests, and the spans of its store. */
  stop(): Promise<{ readonly counts: unknown; readonly spans: readonly SpanMessage[] }>;
}

/** Starts `spanloop receive` on a free port, with a store of its own. */
export async function receiveCommand(): Promise<ReceiveCommand> {
  const folder = await Deno.makeTempDir({ prefix: "spanloop-receive-" });
  const location = `sqlite:${folder}/store.db`;
  const args = ["receive", "--port", "0", "--json", "--store", location];
  const process = speak(command(folder, args));
  const [, endpoint] = await process.until(/receiving OTLP on (http:\S+);/);
  return {
    endpoint,
    pid: process.pid,
    async stop() {
      const { requests: _, ...counts } = JSON.parse(await process.end("SIGINT"));
      const store = await openStore(location, { durability: "normal", readOnly: true });
      const records = await store.since(0, 1_000_000);
      await store.close();
      const received = records.filter((record) => record.type === "received");
      return { counts, spans: received.map(({ span }) => spanMessage(span)) };
    },
    async [Symbol.asyncDispose]() {
      await process.end("SIGINT");
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/**
 * Messages as far as the receiver keeps them: of a span's flags those of W3C, of a log record neither flags nor how
 * much was dropped.
 */
export function asKept({ spans, logs, metrics }: Messages): Messages {
  const w3c = (flags: number) => flags & 0xff;
  return {
    spans: spans.map((span) => ({
      ...span,
      flags: w3c(span.flags),
      links: span.links.map((link) => ({ ...link, flags: w3c(link.flags) })),
    })),
    logs: logs.map((log) => ({ ...log, flags: 0, dropped: 0 })),
    metrics,
  };
}

const KINDS = { internal: 1, server: 2, client: 3, producer: 4, consumer: 5 };
const STATUSES = { unset: 0, ok: 1, error: 2 };

function spanMessage(span: ReceivedSpan): SpanMessage {
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.parentSpanId ?? "",
    traceState: span.traceState ?? "",
    flags: span.traceFlags ?? 0,
    name: span.name,
    kind: KINDS[span.kind],
    start: String(span.startTime),
    end: String(span.endTime),
    attributes: attributes(span.attributes),
    events: span.events.map((event) => ({
      time: String(event.time),
      name: event.name,
      attributes: attributes(event.attributes),
    })),
    links: span.links.map((link) => ({
      traceId: link.traceId,
      spanId: link.spanId,
      traceState: link.traceState ?? "",
      flags: link.traceFlags ?? 0,
      attributes: attributes(link.attributes),
    })),
    status: { code: STATUSES[span.status], message: span.message ?? "" },
    dropped: [span.dropped?.attributes, span.dropped?.events, span.dropped?.links]
      .map((count) => count ?? 0),
    ...origin(span),
  };
}

function logMessage(log: ReceivedLog): LogMessage {
  return {
    time: String(log.time),
    observed: String(log.observedTime),
    severity: log.severityNumber ?? 0,
    severityText: log.severityText ?? "",
    event: log.eventName ?? "",
    body: typed(log.body),
    attributes: attributes(log.attributes),
    dropped: 0,
    flags: 0,
    traceId: log.traceId ?? "",
    spanId: log.spanId ?? "",
    ...origin(log),
  };
}

const METRIC_KINDS = ["gauge", "sum", "histogram", "exponentialHistogram", "summary"] as const;

function metricMessage(metric: ReceivedMetric): MetricMessage {
  const kind = METRIC_KINDS.find((one) => metric[one] !== undefined) ?? "none";
  const points = kind === "none" ? undefined : metric[kind];
  return {
    name: metric.name ?? "",
    description: metric.description ?? "",
    unit: metric.unit ?? "",
    kind,
    temporality: points?.aggregationTemporality ?? 0,
    monotonic: points?.isMonotonic ?? false,
    points: inOrder((points?.dataPoints ?? []).map(pointMessage)),
    ...origin(metric),
  };
}

function pointMessage(point: ReceivedPoint): PointMessage {
  const histogram = point.bucketCounts !== undefined;
  return {
    start: String(point.startTime ?? 0),
    time: String(point.time),
    attributes: attributes(point.attributes),
    value: number(point),
    count: histogram ? String(point.count ?? 0) : undefined,
    sum: point.sum,
    min: point.min,
    max: point.max,
    counts: point.bucketCounts?.map(String),
    bounds: point.explicitBounds,
    exemplars: inOrder((point.exemplars ?? []).map((one) => ({
      time: String(one.time),
      value: number(one)!,
      traceId: one.traceId ?? "",
      spanId: one.spanId ?? "",
      attributes: attributes(one.attributes),
    }))),
  };
}

function number(
  { asInt, asDouble }: Pick<ReceivedPoint, "asInt" | "asDouble">,
): Typed | undefined {
  if (asInt !== undefined) return { int: String(asInt) };
  return asDouble === undefined ? undefined : { double: asDouble };
}

function origin(
  { resource, scope }: Pick<ReceivedSpan, "resource" | "scope">,
): Pick<SpanMessage, "resource" | "scope"> {
  return {
    resource: attributes(resource),
    scope: { name: scope.name, version: scope.version ?? "" },
  };
}

function attributes(all: ReceivedAttributes): TypedAttributes {
  return sorted(Object.entries(all).map(([key, value]) => [key, typed(value)]));
}

// A number says not which of OTLP's two it was; the engine sends whole ones as integers.
function typed(value: ReceivedValue | undefined): Typed {
  if (value === undefined || value === null) return { none: null };
  if (typeof value === "bigint") return { int: String(value) };
  if (typeof value === "number") {
    return Number.isSafeInteger(value) ? { int: String(value) } : { double: value };
  }
  if (typeof value === "string") return { string: value };
  if (typeof value === "boolean") return { bool: value };
  if (value instanceof Uint8Array) return { bytes: value };
  if (Array.isArray(value)) return { array: value.map(typed) };
  return { map: attributes(value as ReceivedAttributes) };
}
