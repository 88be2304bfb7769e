import type { ReceivedLog, ReceivedMetric, ReceivedPoints } from "./model.ts";
import { type Frame, readJsonRequest } from "./message_json.ts";
import { type OnMessage, readRequest } from "./message_protobuf.ts";
import { LOG_RECORD, type Message, METRIC } from "./messages.ts";
import type { DecodedTraces } from "./trace.ts";
import { decodeTracesJson } from "./trace_json.ts";
import { decodeTracesProtobuf } from "./trace_protobuf.ts";

/** How a request is encoded. */
export type Encoding = "protobuf" | "json";

/** Decodes an ExportTraceServiceRequest. Throws DecodeError, and nothing else. */
export function decodeTraces(bytes: Uint8Array, encoding: Encoding): DecodedTraces {
  return encoding === "json" ? decodeTracesJson(bytes) : decodeTracesProtobuf(bytes);
}

/** Decodes an ExportMetricsServiceRequest. Throws DecodeError, and nothing else. */
export function decodeMetrics(bytes: Uint8Array, encoding: Encoding): readonly ReceivedMetric[] {
  return decode<ReceivedMetric>(bytes, encoding, METRIC, METRICS_FRAME);
}

/** Decodes an ExportLogsServiceRequest. Throws DecodeError, and nothing else. */
export function decodeLogs(bytes: Uint8Array, encoding: Encoding): readonly ReceivedLog[] {
  return decode<ReceivedLog>(bytes, encoding, LOG_RECORD, LOGS_FRAME);
}

/** How many points a metric has. */
export function pointsOf(metric: ReceivedMetric): number {
  const kinds: readonly (ReceivedPoints | undefined)[] = [
    metric.gauge,
    metric.sum,
    metric.histogram,
    metric.exponentialHistogram,
    metric.summary,
  ];
  return kinds.reduce((sum, points) => sum + (points?.dataPoints.length ?? 0), 0);
}

const METRICS_FRAME: Frame = ["resourceMetrics", "scopeMetrics", "metrics"];
const LOGS_FRAME: Frame = ["resourceLogs", "scopeLogs", "logRecords"];

function decode<T>(
  bytes: Uint8Array,
  encoding: Encoding,
  type: Message,
  frame: Frame,
): readonly T[] {
  const all: T[] = [];
  // The table says what the interface says; decode_test.ts holds both against OpenTelemetry's definitions.
  const onMessage: OnMessage = (message, resource, scope) =>
    void all.push({ ...message, resource, scope } as T);
  if (encoding === "json") readJsonRequest(bytes, frame, type, onMessage);
  else readRequest(bytes, type, onMessage);
  return all;
}
