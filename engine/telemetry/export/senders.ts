import type { ReadableLogRecord } from "@opentelemetry/sdk-logs";
import type { ReadableSpan } from "@opentelemetry/sdk-trace-base";
import type { Clock } from "../../core/clock.ts";
import { asItCame, forwardSettings } from "../forward.ts";
import type { Encoding } from "../otlp/decode.ts";
import type { Forwarded } from "../forwarded.ts";
import type { MetricsBatch } from "../metrics/batch.ts";
import { metricsSerializer } from "../metrics/serializer.ts";
import type { ExporterName, OtlpSettings, Signal, TelemetrySettings } from "../settings.ts";
import type { ConsoleOptions } from "./console.ts";
import { logSerializer, spanSerializer } from "./otlp_serializers.ts";
import type { Sender } from "./sender.ts";
import type { Serializer } from "./serializer.ts";

/** What senders need beside the settings. */
export interface SenderPorts {
  /** All that the environment says. */
  readonly settings: TelemetrySettings;
  /** Time. */
  readonly clock: Clock;
  /** Writes to standard output. */
  readonly write: (bytes: Uint8Array) => void;
  /** Writes to standard error. */
  readonly writeText: (text: string) => void;
  /** Whether standard error shows colours. */
  readonly colour: boolean;
}

/** Where spans go, by the settings. Throws SpanloopError. */
export function spanSenders(ports: SenderPorts): Promise<readonly Sender<ReadableSpan>[]> {
  const { tree } = ports.settings.console;
  const onConsole: OnConsole<ReadableSpan> = ({ consoleSpanSender }, options) =>
    consoleSpanSender({ ...options, tree });
  return senders("traces", ports, spanSerializer, onConsole);
}

/** Where log records go, by the settings. Throws SpanloopError. */
export function logSenders(ports: SenderPorts): Promise<readonly Sender<ReadableLogRecord>[]> {
  return senders(
    "logs",
    ports,
    logSerializer,
    ({ consoleLogSender }, options) => consoleLogSender(options),
  );
}

/** Where metrics go that are pushed, by the settings. Throws SpanloopError. */
export function metricSenders(ports: SenderPorts): Promise<readonly Sender<MetricsBatch>[]> {
  return senders(
    "metrics",
    ports,
    metricsSerializer,
    ({ consoleMetricSender }, options) => consoleMetricSender(options),
  );
}

/** Where received metrics and logs go on to: to the same place as the engine's own, as they came. */
export async function forwardSenders(
  { settings, clock }: SenderPorts,
  signal: "metrics" | "logs",
): Promise<readonly (readonly [Encoding, Sender<Forwarded>])[]> {
  const { exporters, otlp } = settings[signal];
  if (!exporters.includes("otlp")) return [];
  const make = async (protocol: OtlpSettings["protocol"]) => {
    const answers = signal === "metrics" ? metricsSerializer(protocol) : logSerializer(protocol);
    const on = { ...forwardSettings(otlp), protocol };
    return await otlpSender(signal, on, asItCame(answers as Serializer<never>), clock);
  };
  // gRPC has protobuf alone; over HTTP a collector takes both.
  if (otlp.protocol === "grpc") return [["protobuf", await make("grpc")]];
  return [["protobuf", await make("http/protobuf")], ["json", await make("http/json")]];
}

type OnConsole<T> = (module: typeof import("./console.ts"), options: ConsoleOptions) => Sender<T>;

async function senders<T>(
  signal: Signal,
  ports: SenderPorts,
  serializer: (protocol: OtlpSettings["protocol"]) => Serializer<T>,
  onConsole: OnConsole<T>,
): Promise<readonly Sender<T>[]> {
  const made = ports.settings[signal].exporters.map((exporter) =>
    senderOf(exporter, signal, ports, serializer, onConsole)
  );
  return (await Promise.all(made)).filter((sender) => sender !== undefined);
}

// Each brings what it needs, gRPC a library of its own: what is not asked for is not loaded.
async function senderOf<T>(
  exporter: ExporterName,
  signal: Signal,
  { settings, clock, write, writeText, colour }: SenderPorts,
  serializer: (protocol: OtlpSettings["protocol"]) => Serializer<T>,
  onConsole: OnConsole<T>,
): Promise<Sender<T> | undefined> {
  switch (exporter) {
    case "otlp": {
      const { otlp } = settings[signal];
      return await otlpSender(signal, otlp, serializer(otlp.protocol), clock);
    }
    case "otlp_file":
      return (await import("./otlp_file.ts"))
        .otlpFileSender(signal, settings.file, serializer("http/json"), clock);
    case "otlp_stdout":
      return (await import("./otlp_file.ts"))
        .otlpStdoutSender(signal, write, serializer("http/json"));
    case "console":
      return onConsole(await import("./console.ts"), { write: writeText, colour });
    // Prometheus comes for the metrics itself.
    case "prometheus":
      return undefined;
  }
}

async function otlpSender<T>(
  signal: Signal,
  settings: OtlpSettings,
  serializer: Serializer<T>,
  clock: Clock,
): Promise<Sender<T>> {
  return settings.protocol === "grpc"
    ? (await import("./otlp_grpc.ts")).otlpGrpcSender(signal, settings, serializer, clock)
    : (await import("./otlp_http.ts")).otlpHttpSender(signal, settings, serializer, clock);
}
