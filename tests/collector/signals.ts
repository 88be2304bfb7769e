// The engine's traces, metrics and logs as they come out of a real OpenTelemetry Collector, held against the journal
// and against what the engine wrote to files. `deno task test:collector` runs this.
import assert from "node:assert/strict";
import { type EngineRun, runEngine, type Signal } from "./engine_run.ts";
import { farEnd } from "./far_end.ts";
import { assertLogs, assertMetrics, assertSpans } from "./journal.ts";
import { inOrder, type Messages, messagesOf } from "./messages.ts";
import { collectorPath } from "./path.ts";
import { asKept, ownReceiver, receiveCommand } from "./receiver.ts";
import { type Onward, type Running, startCollector } from "./running.ts";

const encoder = new TextEncoder();

/** What the engine wrote to its files. */
function written({ file }: EngineRun): Messages {
  return messagesOf(
    Object.entries(file).flatMap(([signal, lines]) =>
      lines.map((line) => ({
        signal: signal as Signal,
        json: true,
        body: encoder.encode(line),
      }))
    ),
  );
}

function assertSame(one: Messages, other: Messages): void {
  assert.deepEqual(inOrder(one.spans), inOrder(other.spans));
  assert.deepEqual(inOrder(one.logs), inOrder(other.logs));
  assert.deepEqual(inOrder(one.metrics), inOrder(other.metrics));
}

interface Way {
  readonly env: Readonly<Record<string, string>>;
  readonly onward: Omit<Onward, "endpoint">;
  readonly temporality: "cumulative" | "delta";
}

const WAYS: readonly Way[] = [
  {
    env: { OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf", OTEL_EXPORTER_OTLP_COMPRESSION: "gzip" },
    onward: { encoding: "proto" },
    temporality: "cumulative",
  },
  {
    env: { OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf", OTEL_BSP_MAX_EXPORT_BATCH_SIZE: "3" },
    onward: { encoding: "json", compression: "none" },
    temporality: "delta",
  },
  {
    env: { OTEL_EXPORTER_OTLP_PROTOCOL: "http/json" },
    onward: { encoding: "proto", compression: "none" },
    temporality: "delta",
  },
  {
    env: { OTEL_EXPORTER_OTLP_PROTOCOL: "http/json", OTEL_EXPORTER_OTLP_COMPRESSION: "gzip" },
    onward: { encoding: "json" },
    temporality: "cumulative",
  },
  {
    env: { OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" },
    onward: { encoding: "proto" },
    temporality: "delta",
  },
  {
    env: { OTEL_EXPORTER_OTLP_PROTOCOL: "grpc", OTEL_EXPORTER_OTLP_COMPRESSION: "gzip" },
    onward: { encoding: "json" },
    temporality: "cumulative",
  },
];

function target({ http, grpc }: Running, { env }: Way): Record<string, string> {
  return {
    ...env,
    OTEL_EXPORTER_OTLP_ENDPOINT: env.OTEL_EXPORTER_OTLP_PROTOCOL === "grpc" ? grpc : http,
  };
}

const called = ({ env, onward, temporality }: Way) =>
  `${Object.values(env).join(" ")}, ${temporality}, on as ${Object.values(onward)}`;

/** Runs the engine, which sends to the collector, which sends on to `endpoint`: all that it takes has gone there. */
async function runThrough(way: Way, endpoint: string): Promise<EngineRun> {
  await using collector = await startCollector(collectorPath(), { ...way.onward, endpoint });
  const ran = await runEngine({
    ...target(collector, way),
    OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: way.temporality,
    OTEL_METRIC_EXPORT_INTERVAL: "20",
  });
  assert.deepEqual(await collector.stop(), [], "the collector has nothing to complain about");
  assert.doesNotMatch(ran.err, /not exported/);
  return ran;
}

for (const way of WAYS) {
  Deno.test(`all signals come through the collector as the journal has them: ${called(way)} (J3, T1)`, async () => {
    await using end = farEnd();
    const ran = await runThrough(way, end.endpoint);
    const type = way.onward.encoding === "json" ? "json" : "x-protobuf";
    assert.deepEqual([...end.types], [`application/${type}`]);
    const messages = end.messages();
    assertSpans(messages, ran);
    assertLogs(messages, ran);
    assertMetrics(messages, ran, way.temporality);
    assertSame(messages, written(ran));
  });

  Deno.test(`all signals come through the collector to the receiver: ${called(way)} (T2)`, async () => {
    await using end = await ownReceiver();
    const ran = await runThrough(way, end.endpoint);
    assertSame(await end.messages(), asKept(written(ran)));
  });
}

for (const way of [WAYS[0], WAYS[5]]) {
  Deno.test(`\`spanloop receive\` stores what comes through the collector: ${called(way)} (T2)`, async () => {
    await using end = await receiveCommand();
    const ran = await runThrough(way, end.endpoint);
    const { counts, spans } = await end.stop();
    const sent = written(ran);
    assert.deepEqual(inOrder(spans), inOrder(asKept(sent).spans));
    assert.deepEqual(counts, {
      refused: {},
      rejected_spans: 0,
      own_spans: 0,
      repeated_spans: 0,
      spans: sent.spans.length,
      log_records: sent.logs.length,
      metric_points: sent.metrics.flatMap(({ points }) => points).length,
    });
  });
}

Deno.test("the collector reads the lines of the engine's OTLP files", async () => {
  const ran = await runEngine({
    OTEL_TRACES_EXPORTER: "otlp_file",
    OTEL_METRICS_EXPORTER: "otlp_file",
    OTEL_LOGS_EXPORTER: "otlp_file",
  });
  await using end = farEnd();
  await using collector = await startCollector(collectorPath(), { endpoint: end.endpoint });
  for (const [signal, lines] of Object.entries(ran.file)) {
    for (const body of lines) {
      const answer = await fetch(`${collector.http}/v1/${signal}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
      });
      assert.equal(answer.status, 200, await answer.text());
    }
  }
  await collector.stop();
  const messages = end.messages();
  assertSpans(messages, ran);
  assertLogs(messages, ran);
  assertMetrics(messages, ran, "cumulative");
  assertSame(messages, written(ran));
});

const OUT_OF_RANGE = `name: numbers
steps:
  - id: one
    span: { attributes: { huge: "\${{ 1e300 }}", past: "\${{ 9223372036854775808.0 }}", least: "\${{ -9223372036854775808.0 }}" } }
    run: "true"
`;
for (const protocol of ["http/protobuf", "http/json", "grpc"]) {
  Deno.test(`a whole number that no 64-bit integer holds costs no span: ${protocol}`, async () => {
    await using end = farEnd();
    await using collector = await startCollector(collectorPath(), { endpoint: end.endpoint });
    const env = { OTEL_EXPORTER_OTLP_PROTOCOL: protocol };
    const way = { env, onward: {}, temporality: "cumulative" } as const;
    const ran = await runEngine(target(collector, way), OUT_OF_RANGE);
    await collector.stop();
    const one = end.messages().spans.find(({ name }) => name === "one");
    assert.deepEqual(one?.attributes.huge, { double: 1e300 }, ran.err);
    assert.deepEqual(one?.attributes.past, { double: 2 ** 63 });
    // As an integer or as a real: both are exact.
    assert.equal(Number(Object.values(one!.attributes.least)[0]), -(2 ** 63));
  });
}
