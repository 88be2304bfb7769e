import {
  type ISerializer,
  JsonLogsSerializer,
  JsonTraceSerializer,
  ProtobufLogsSerializer,
  ProtobufTraceSerializer,
} from "@opentelemetry/otlp-transformer";
import type { ReadableLogRecord } from "@opentelemetry/sdk-logs";
import type { ReadableSpan } from "@opentelemetry/sdk-trace-base";
import type { OtlpSettings } from "../settings.ts";
import type { Serializer } from "./serializer.ts";

type Protocol = OtlpSettings["protocol"];

/** The serializer of spans for a protocol. */
export function spanSerializer(protocol: Protocol): Serializer<ReadableSpan> {
  const serializer = protocol === "http/json" ? JsonTraceSerializer : ProtobufTraceSerializer;
  return adapted(serializer, (answer) => [
    answer.partialSuccess?.rejectedSpans,
    answer.partialSuccess?.errorMessage,
  ]);
}

/** The serializer of log records for a protocol. */
export function logSerializer(protocol: Protocol): Serializer<ReadableLogRecord> {
  const serializer = protocol === "http/json" ? JsonLogsSerializer : ProtobufLogsSerializer;
  return adapted(serializer, (answer) => [
    answer.partialSuccess?.rejectedLogRecords,
    answer.partialSuccess?.errorMessage,
  ]);
}

function adapted<T, Answer>(
  serializer: ISerializer<T[], Answer>,
  partial: (answer: Answer) => readonly [unknown, string | undefined],
): Serializer<T> {
  return {
    serializeRequest: (items) => serializer.serializeRequest(items as T[]),
    rejected(answer) {
      const [count, message] = partial(serializer.deserializeResponse(answer));
      // JSON has 64-bit integers as text.
      return { rejected: Number(count ?? 0), message: message || undefined };
    },
  };
}
