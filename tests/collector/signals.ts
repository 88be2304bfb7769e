// The engine's traces, metrics and logs as they come out of a real OpenTelemetry Collector, held against the journal
// and against what the engine wrote to files. `deno task test:collector` runs this.
import assert from "node:assert/strict";
import { type EngineRun, runEngine, type Signal } from "./engine_run.ts";
import { farEnd } from "./far_end.ts";
import { assertLogs, assertMetrics, assertSpans } from "./journal.ts";
import { inOrder, type Messages, messagesOf } from "./messages.ts";
import { collectorPath } from "./path.ts";
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

for (const way of WAYS) {
  const { env, onward, temporality } = way;
  const how = `${Object.values(env).join(" ")}, ${temporality}, on as ${Object.values(onward)}`;
  Deno.test(`all signals come through the collector as the journal has them: ${how} (J3, T1)`, async () => {
    await using end = farEnd();
    await using collector = await startCollector(collectorPath(), {
      ...onward,
      endpoint: end.endpoint,
    });
    const ran = await runEngine({
      ...target(collector, way),
      OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: temporality,
      OTEL_METRIC_EXPORT_INTERVAL: "20",
    });
    assert.deepEqual(await collector.stop(), [], "the collector has nothing to complain about");
    assert.doesNotMatch(ran.err, /not exported/);
    assert.deepEqual([...end.types], [
      `application/${onward.encoding === "json" ? "json" : "x-protobuf"}`,
    ]);
    const messages = end.messages();
    assertSpans(messages, ran);
    assertLogs(messages, ran);
    assertMetrics(messages, ran, temporality);
    assertSame(messages, written(ran));
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
for (const protocol of ["http/protobuf", "grpc"]) {
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
