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
  return adapted(serializer, protocol === "http/json", (answer) => [
    answer.partialSuccess?.rejectedSpans,
    answer.partialSuccess?.errorMessage,
  ]);
}

/** The serializer of log records for a protocol. */
export function logSerializer(protocol: Protocol): Serializer<ReadableLogRecord> {
  const serializer = protocol === "http/json" ? JsonLogsSerializer : ProtobufLogsSerializer;
  return adapted(serializer, protocol === "http/json", (answer) => [
    answer.partialSuccess?.rejectedLogRecords,
    answer.partialSuccess?.errorMessage,
  ]);
}

// The library writes every whole number as an integer. Past 64 bits no receiver takes one, and the batch is lost with
// it: in protobuf the library sees to that itself, in JSON it does not. Text cannot match: its quotes are escaped.
const INTEGER = /"intValue":(-?\d+(?:e\+\d+)?)(?=[,}])/g;
const LARGE = /"intValue":-?\d{19}|"intValue":-?\d+e/;

function readable(json: Uint8Array): Uint8Array {
  const text = new TextDecoder().decode(json);
  const better = wellFormed(LARGE.test(text) ? withinInt64(text) : text);
  return better === text ? json : new TextEncoder().encode(better);
}

function withinInt64(text: string): string {
  // By their digits: those of -2^63, the shortest that give it back, are of a lesser integer.
  return text.replace(INTEGER, (whole, digits: string) => {
    const fits = !digits.includes("e") && BigInt.asIntN(64, BigInt(digits)) === BigInt(digits);
    return fits ? whole : `"doubleValue":${digits}`;
  });
}

// JSON.stringify escapes the half of a pair of surrogates that stands alone, and nothing else so. Strict readers
// refuse the whole request for it; protobuf's encoder puts the replacement character there.
const HALF = /\\(?:\\|ud[89a-f][0-9a-f]{2})/g;
const MAY_HAVE_HALF = /\\ud[89a-f]/;

/** OTLP's JSON as its readers take it: no half of a pair of surrogates in it. */
export function wellFormed(json: string): string {
  if (!MAY_HAVE_HALF.test(json)) return json;
  return json.replace(HALF, (escape) => escape === "\\\\" ? escape : "\ufffd");
}

function adapted<T, Answer>(
  serializer: ISerializer<T[], Answer>,
  json: boolean,
  partial: (answer: Answer) => readonly [unknown, string | undefined],
): Serializer<T> {
  return {
    serializeRequest(items) {
      const bytes = serializer.serializeRequest(items as T[]);
      return json && bytes !== undefined ? readable(bytes) : bytes;
    },
    rejected(answer) {
      const [count, message] = partial(serializer.deserializeResponse(answer));
      // JSON has 64-bit integers as text.
      return { rejected: Number(count ?? 0), message: message || undefined };
    },
  };
}
