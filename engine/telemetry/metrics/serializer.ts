import { JsonMetricsSerializer, ProtobufMetricsSerializer } from "@opentelemetry/otlp-transformer";
import { wellFormed } from "../export/otlp_serializers.ts";
import type { Serializer } from "../export/serializer.ts";
import type { OtlpSettings } from "../settings.ts";
import type { MetricsBatch } from "./batch.ts";
import { metricsToJson } from "./otlp_json.ts";
import { encodeMetrics } from "./otlp_protobuf.ts";

/** The serializer of metrics for a protocol. */
export function metricsSerializer(protocol: OtlpSettings["protocol"]): Serializer<MetricsBatch> {
  const json = protocol === "http/json";
  const answers = json ? JsonMetricsSerializer : ProtobufMetricsSerializer;
  return {
    serializeRequest: (batches) =>
      json
        ? new TextEncoder().encode(wellFormed(JSON.stringify(metricsToJson(batches))))
        : encodeMetrics(batches),
    rejected(answer) {
      const { partialSuccess } = answers.deserializeResponse(answer);
      return {
        // JSON has 64-bit integers as text.
        rejected: Number(partialSuccess?.rejectedDataPoints ?? 0),
        message: partialSuccess?.errorMessage || undefined,
      };
    },
  };
}
