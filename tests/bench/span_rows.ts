import { BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { createEngine } from "../../engine/engine.ts";
import type { BusEvent, EndRecord, StartRecord } from "../../engine/core/span.ts";
import { systemClock, systemRandom } from "../../engine/system.ts";
import { Bus } from "../../engine/telemetry/bus.ts";
import { ExportQueue } from "../../engine/telemetry/export/queue.ts";
import { spanSerializer } from "../../engine/telemetry/export/otlp_serializers.ts";
import { Tracing } from "../../engine/telemetry/provider.ts";
import { readTelemetrySettings } from "../../engine/telemetry/settings.ts";
import { TraceExport } from "../../engine/telemetry/traces.ts";
import { alternate, shown, spread } from "./figures.ts";
import type { Measured, Row, Setting } from "./row.ts";
import { scriptChain } from "./workflow_files.ts";

const LAG_US = 20;
const OVER_US = 15;

/** Rows about single spans. */
export const spanRows: readonly Row[] = [
  {
    id: "bus-lag",
    work: "from a commit's return to a subscriber in process, chain of 2,000 no-op steps",
    goal: `<= ${LAG_US} us at the median`,
    measure: measureLag,
  },
  {
    id: "span-cost",
    work: "a span from the bus to a serialized batch, beside the SDK's own batch processor",
    goal: `<= ${OVER_US} us over the SDK's`,
    measure: measureCost,
  },
];

async function measureLag(setting: Setting): Promise<Measured> {
  const steps = setting.quick ? 20 : 2_000;
  const file = scriptChain(setting.folder, { name: "lag", steps, module: "noop" });
  const lags: number[] = [];
  let published = 0;
  const { publish } = Bus.prototype;
  // The recorder publishes as soon as the commit returns.
  Bus.prototype.publish = function (records) {
    published = performance.now();
    publish.call(this, records);
  };
  const engine = await createEngine({ near: file, store: `sqlite:${setting.folder}/lag.db` });
  try {
    await engine.run(file, {
      onEvent({ type }) {
        if (type === "journal") lags.push((performance.now() - published) * 1e3);
      },
    });
  } finally {
    Bus.prototype.publish = publish;
    await engine.close();
  }
  const lag = spread(lags);
  // Two readings of the clock with nothing between them: what it can tell.
  const raw = spread(lags.map(() => {
    published = performance.now();
    return (performance.now() - published) * 1e3;
  }));
  return {
    raw: `${shown(raw, 1)} us`,
    engine: `${shown(lag, 1)} us`,
    ratio: `+${(lag.median - raw.median).toFixed(1)} us`,
    met: lag.median <= LAG_US,
    notes: [
      `${lags.length} records to \`onEvent\` of engine.run. Raw: two readings of the clock with nothing between them.`,
    ],
  };
}

async function measureCost(setting: Setting): Promise<Measured> {
  const count = setting.quick ? 100 : 50_000;
  const serializer = spanSerializer("http/protobuf");
  const spans = Array.from({ length: count }, (_, i) => recordsOf(i));
  const { settings } = readTelemetrySettings({});
  const batch = { ...settings.traces.batch, maxQueue: count };
  const sdk = async () => {
    const processor = new BatchSpanProcessor({
      export(spans, done) {
        serializer.serializeRequest(spans);
        done({ code: 0 });
      },
      shutdown: () => Promise.resolve(),
    }, { maxQueueSize: count, maxExportBatchSize: batch.maxBatch });
    const tracing = new Tracing([processor]);
    return await timed(spans, ({ record, start }) => {
      tracing.end(tracing.start(start.span), record.end);
    }, () => processor.forceFlush());
  };
  const ours = async () => {
    const queue = new ExportQueue({
      sender: {
        signal: "traces" as const,
        name: "bench",
        send(spans) {
          serializer.serializeRequest(spans as never);
          return Promise.resolve({ status: "ok" } as const);
        },
        close: () => Promise.resolve(),
      },
      settings: batch,
      clock: systemClock(),
      random: systemRandom(),
      onDropped: ({ message }) => {
        throw new Error(message);
      },
    });
    const traces = new TraceExport({
      queues: [queue] as never,
      settings,
      resource: {},
      sampled: () => true,
      redact: (attributes) => attributes,
    });
    const bus = new Bus((thrown) => {
      throw thrown;
    });
    bus.subscribe((event: BusEvent) => traces.hear(event));
    return await timed(spans, ({ start, record }) => bus.publish([start, record]), async () => {
      await queue.flush(10_000);
    });
  };
  await alternate(1, sdk, ours); // warms up
  const { raw, engine } = await alternate(setting.pairs, sdk, ours);
  const over = spread(engine.map((us, i) => us - raw[i]));
  return {
    raw: `${shown(spread(raw), 1)} us`,
    engine: `${shown(spread(engine), 1)} us`,
    ratio: `+${shown(over, 1)} us`,
    met: over.median <= OVER_US,
    notes: [
      "Both make the SDK's span and serialize it in protobuf; ours joins, places, samples and queues it.",
    ],
  };
}

interface Records {
  readonly start: StartRecord;
  readonly record: EndRecord;
}

// Microseconds a span, in turns of 64 as commits come.
async function timed(
  spans: readonly Records[],
  each: (span: Records) => void,
  flush: () => Promise<void>,
): Promise<number> {
  const from = performance.now();
  for (let at = 0; at < spans.length; at += 64) {
    for (const span of spans.slice(at, at + 64)) each(span);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await flush();
  return (performance.now() - from) * 1e3 / spans.length;
}

function recordsOf(i: number): Records {
  const spanId = (i + 1).toString(16).padStart(16, "0");
  const common = { runId: "r", role: "attempt", key: `s${i}`, stepId: `s${i}` } as const;
  return {
    start: {
      ...common,
      type: "start",
      attempt: 1,
      position: 2 * i,
      span: {
        traceId: "0af7651916cd43dd8448eb211c80319c",
        spanId,
        parentSpanId: "b7ad6b7169203331",
        name: `s${i}`,
        kind: "internal",
        startTime: 1_700_000_000_000_000_000n + BigInt(i),
        attributes: {
          "cicd.pipeline.name": "orders",
          "cicd.pipeline.run.id": "0190a000-0000-7000-8000-000000000001",
          "cicd.pipeline.task.name": `s${i}`,
          "cicd.pipeline.task.run.id": `0190a000-0000-7000-8000-000000000001/s${i}/1`,
          "spanloop.step.id": `s${i}`,
          "spanloop.step.type": "shell",
          "spanloop.attempt": 1,
        },
      },
    },
    record: {
      ...common,
      type: "end",
      position: 2 * i + 1,
      spanId,
      outcome: "succeeded",
      end: {
        endTime: 1_700_000_001_000_000_000n + BigInt(i),
        error: false,
        attributes: { "cicd.pipeline.task.run.result": "success", "process.exit.code": 0 },
      },
    },
  };
}
