import type { ReadableLogRecord } from "@opentelemetry/sdk-logs";
import type { ReadableSpan } from "@opentelemetry/sdk-trace-base";
import type { Clock } from "../../core/clock.ts";
import type { OtlpSettings, Signal, TelemetrySettings } from "../settings.ts";
import { logSerializer, spanSerializer } from "./otlp_serializers.ts";
import type { Sender } from "./sender.ts";
import type { Serializer } from "./serializer.ts";

/** Where spans go, by the settings. Throws SpanloopError. */
export async function spanSenders(
  settings: TelemetrySettings,
  clock: Clock,
): Promise<Sender<ReadableSpan>[]> {
  const { exporters, otlp } = settings.traces;
  const senders: Sender<ReadableSpan>[] = [];
  for (const exporter of exporters) {
    if (exporter === "otlp") {
      senders.push(await otlpSender("traces", otlp, spanSerializer(otlp.protocol), clock));
    }
  }
  return senders;
}

/** Where log records go, by the settings. Throws SpanloopError. */
export async function logSenders(
  settings: TelemetrySettings,
  clock: Clock,
): Promise<Sender<ReadableLogRecord>[]> {
  const { exporters, otlp } = settings.logs;
  const senders: Sender<ReadableLogRecord>[] = [];
  for (const exporter of exporters) {
    if (exporter === "otlp") {
      senders.push(await otlpSender("logs", otlp, logSerializer(otlp.protocol), clock));
    }
  }
  return senders;
}

// gRPC brings a library of its own, which takes time to load.
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
