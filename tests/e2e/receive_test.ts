import assert from "node:assert/strict";
import { type HrTime, SpanKind, SpanStatusCode, TraceFlags } from "@opentelemetry/api";
import { type ExportResult, ExportResultCode } from "@opentelemetry/core";
import {
  createOtlpHttpExportDelegate,
  httpAgentFactoryFromOptions,
} from "@opentelemetry/otlp-exporter-base/node-http";
import {
  type ISerializer,
  JsonLogsSerializer,
  JsonMetricsSerializer,
  JsonTraceSerializer,
  LogsExporterMetricsHelper,
  MetricsExporterMetricsHelper,
  ProtobufLogsSerializer,
  ProtobufMetricsSerializer,
  ProtobufTraceSerializer,
  TraceExporterMetricsHelper,
} from "@opentelemetry/otlp-transformer";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  BatchLogRecordProcessor,
  LoggerProvider,
  type ReadableLogRecord,
} from "@opentelemetry/sdk-logs";
import { MeterProvider, type ResourceMetrics } from "@opentelemetry/sdk-metrics";
import type { ReadableSpan } from "@opentelemetry/sdk-trace-base";
import type { ReceivedSpan } from "../../engine/core/span.ts";
import { openStore } from "../../engine/store/open.ts";
import { CollectOnly } from "./collect_only.ts";
import { receiverProcess } from "./receive_process.ts";

// The exporters of OpenTelemetry's JavaScript SDK are this delegate with these serializers.
const ENCODINGS = {
  json: {
    type: "application/json",
    traces: JsonTraceSerializer,
    metrics: JsonMetricsSerializer,
    logs: JsonLogsSerializer,
  },
  protobuf: {
    type: "application/x-protobuf",
    traces: ProtobufTraceSerializer,
    metrics: ProtobufMetricsSerializer,
    logs: ProtobufLogsSerializer,
  },
};

const resource = resourceFromAttributes({ "service.name": "shop", "host.cpus": 8 });

for (const encoding of ["json", "protobuf"] as const) {
  for (const compression of ["gzip", "none"] as const) {
    Deno.test(`the SDK's exporters arrive to the nanosecond: ${encoding}, ${compression}`, async () => {
      await using receiver = await receiverProcess(["--print", "--json"]);
      const { type, traces, metrics, logs } = ENCODINGS[encoding];
      const delegate = <T, R>(path: string, serializer: ISerializer<T, R>, helper: Helper<T>) =>
        createOtlpHttpExportDelegate(
          {
            url: `${receiver.url}${path}`,
            headers: () => Promise.resolve({ "content-type": type }),
            compression,
            timeoutMillis: 10_000,
            concurrencyLimit: 4,
            agentFactory: httpAgentFactoryFromOptions({ keepAlive: false }),
          },
          serializer,
          "test",
          helper,
          undefined,
        );

      const spans = sentSpans();
      const spanDelegate = delegate("/v1/traces", traces, TraceExporterMetricsHelper);
      await exported((done) => spanDelegate.export(spans, done));

      const metricDelegate = delegate("/v1/metrics", metrics, MetricsExporterMetricsHelper);
      await exported(async (done) => metricDelegate.export(await sentMetrics(), done));

      const logDelegate = delegate("/v1/logs", logs, LogsExporterMetricsHelper);
      const records = await sentLogs();
      await exported((done) => logDelegate.export(records, done));

      const { lines, counts } = await receiver.stop();
      assert.deepEqual(counts, {
        requests: 3,
        refused: {},
        spans: 3,
        rejected_spans: 0,
        own_spans: 0,
        repeated_spans: 0,
        metric_points: 3,
        log_records: 1,
      });
      assert.deepEqual(await stored(receiver.store), spans.map(expected));
      // What a person sees of what is not stored.
      assert.equal(lines.length, 3 + 2 + 1);
      assert.match(lines[3], /shop {2}metric {2}orders \{order\}: 5, 7$/);
      assert.match(lines[4], /shop {2}metric {2}latency s: 2 values, sum 0\.75$/);
      assert.match(lines[5], /shop {2}log {2}WARN stock is low$/);
    });
  }
}

Deno.test("what a sender was told is taken outlives a kill of the receiver (J1)", async () => {
  await using receiver = await receiverProcess([]);
  const taken: string[] = [];
  let killed: Promise<void> | undefined;
  const send = async (number: number) => {
    const spanId = (number + 1).toString(16).padStart(16, "0");
    const span = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId, name: spanId };
    const response = await fetch(`${receiver.url}/v1/traces`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] }),
    });
    await response.body?.cancel();
    if (response.status === 200) taken.push(spanId);
    // While others are on their way.
    if (taken.length >= 40) killed ??= receiver.kill();
  };
  await Promise.allSettled(Array.from({ length: 200 }, (_, i) => send(i)));
  await killed;
  const found = new Set((await stored(receiver.store)).map(({ spanId }) => spanId));
  assert.ok(taken.length >= 40);
  assert.deepEqual(taken.filter((spanId) => !found.has(spanId)), []);
});

type Helper<T> = Parameters<typeof createOtlpHttpExportDelegate<T, unknown>>[3];

async function exported(
  start: (done: (result: ExportResult) => void) => void | Promise<void>,
): Promise<void> {
  const result = await new Promise<ExportResult>((resolve) => void start(resolve));
  assert.equal(result.code, ExportResultCode.SUCCESS, String(result.error));
}

async function stored(location: string): Promise<ReceivedSpan[]> {
  const store = await openStore(location, { durability: "normal" });
  try {
    const records = await store.since(0, 1_000);
    return records.map((record) => record.type === "received" ? record.span : assert.fail());
  } finally {
    await store.close();
  }
}

function sentSpans(): ReadableSpan[] {
  const span = (change: Partial<ReadableSpan>): ReadableSpan => ({
    name: "GET /items",
    kind: SpanKind.SERVER,
    spanContext: () => ({
      traceId: "0af7651916cd43dd8448eb211c80319c",
      spanId: "b7ad6b7169203331",
      traceFlags: TraceFlags.SAMPLED,
    }),
    startTime: [1_700_000_000, 123_456_789],
    endTime: [1_700_000_001, 1],
    status: { code: SpanStatusCode.UNSET },
    attributes: {},
    links: [],
    events: [],
    duration: [0, 876_543_212],
    ended: true,
    resource,
    instrumentationScope: { name: "shop.http", version: "1.2.3" },
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
    ...change,
  });
  const context = (spanId: string) => () => ({
    traceId: "0af7651916cd43dd8448eb211c80319c",
    spanId,
    traceFlags: TraceFlags.SAMPLED,
  });
  return [
    span({}),
    span({
      name: "naïve ☃",
      kind: SpanKind.CLIENT,
      spanContext: context("00f067aa0ba902b7"),
      parentSpanContext: {
        traceId: "0af7651916cd43dd8448eb211c80319c",
        spanId: "b7ad6b7169203331",
        traceFlags: TraceFlags.SAMPLED,
      },
      status: { code: SpanStatusCode.ERROR, message: "no" },
      attributes: {
        text: "é",
        yes: true,
        whole: 42,
        largest: Number.MAX_SAFE_INTEGER,
        real: 0.1,
        list: ["a", "b"],
        numbers: [1, 2.5],
      },
      events: [{ name: "exception", time: [1_700_000_000, 999_999_999], attributes: { a: 1 } }],
      links: [{
        context: {
          traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
          spanId: "00f067aa0ba902b8",
          traceFlags: TraceFlags.SAMPLED,
        },
        attributes: { why: "retry" },
      }],
      droppedAttributesCount: 1,
      droppedEventsCount: 2,
      droppedLinksCount: 3,
    }),
    span({
      name: "later",
      kind: SpanKind.INTERNAL,
      spanContext: context("00f067aa0ba902b9"),
      startTime: [4_000_000_000, 999_999_999],
      endTime: [4_000_000_001, 0],
      status: { code: SpanStatusCode.OK },
      instrumentationScope: { name: "shop.other" },
    }),
  ];
}

// What the receiver should have stored of a span.
function expected(span: ReadableSpan): ReceivedSpan {
  const { traceId, spanId } = span.spanContext();
  const { attributes, droppedAttributesCount: lost, status } = span;
  const { name, version } = span.instrumentationScope;
  return {
    traceId,
    spanId,
    traceFlags: 1,
    name: span.name,
    kind: (["internal", "server", "client", "producer", "consumer"] as const)[span.kind],
    startTime: nanoseconds(span.startTime),
    endTime: nanoseconds(span.endTime),
    status: (["unset", "ok", "error"] as const)[status.code],
    attributes: attributes as ReceivedSpan["attributes"],
    links: span.links.map(({ context, attributes }) => ({
      traceId: context.traceId,
      spanId: context.spanId,
      traceFlags: 1,
      attributes: attributes as ReceivedSpan["attributes"],
    })),
    events: span.events.map(({ name, time, attributes }) => ({
      name,
      time: nanoseconds(time),
      attributes: attributes as ReceivedSpan["attributes"],
    })),
    resource: resource.attributes as ReceivedSpan["resource"],
    scope: { name, ...version === undefined ? {} : { version } },
    ...span.parentSpanContext === undefined ? {} : { parentSpanId: span.parentSpanContext.spanId },
    ...status.message === undefined ? {} : { message: status.message },
    ...lost === 0 ? {} : { dropped: { attributes: 1, events: 2, links: 3 } },
  };
}

function nanoseconds([seconds, rest]: HrTime): bigint {
  return BigInt(seconds) * 1_000_000_000n + BigInt(rest);
}

async function sentMetrics(): Promise<ResourceMetrics> {
  const reader = new CollectOnly();
  const provider = new MeterProvider({ resource, readers: [reader] });
  const meter = provider.getMeter("shop");
  const orders = meter.createCounter("orders", { unit: "{order}" });
  orders.add(5, { kind: "a" });
  orders.add(7, { kind: "b" });
  const latency = meter.createHistogram("latency", { unit: "s" });
  latency.record(0.25);
  latency.record(0.5);
  const { resourceMetrics } = await reader.collect();
  await provider.shutdown();
  return resourceMetrics;
}

async function sentLogs(): Promise<ReadableLogRecord[]> {
  const records: ReadableLogRecord[] = [];
  const provider = new LoggerProvider({
    resource,
    processors: [
      new BatchLogRecordProcessor({
        exporter: {
          export: (batch, done) => {
            records.push(...batch);
            done({ code: ExportResultCode.SUCCESS });
          },
          forceFlush: () => Promise.resolve(),
          shutdown: () => Promise.resolve(),
        },
      }),
    ],
  });
  provider.getLogger("shop").emit({
    severityNumber: 13,
    severityText: "WARN",
    body: "stock is low",
  });
  await provider.forceFlush();
  await provider.shutdown();
  return records;
}
