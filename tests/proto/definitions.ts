/**
 * OpenTelemetry's own protobuf definitions, for tests to hold what we encode and decode against: the code
 * that protobufjs generated from the official .proto files, as the OpenTelemetry project published it in
 * otlp-transformer up to 0.213. Nothing of the engine loads it.
 */
import root from "opentelemetry-proto";

/** One message type of the definitions. */
export interface Definition {
  /** The message as plain JavaScript: lowerCamelCase keys, 64-bit integers as strings, bytes as Uint8Array. */
  decode(bytes: Uint8Array): Record<string, unknown>;
  /** The bytes of a message in that form. Throws for a value that its field cannot hold. */
  encode(message: object): Uint8Array;
}

interface Type {
  verify(message: object): string | null;
  fromObject(message: object): unknown;
  encode(message: unknown): { finish(): Uint8Array };
  decode(bytes: Uint8Array): unknown;
  toObject(message: unknown, options: object): Record<string, unknown>;
}

type Service = Readonly<Record<string, Type>>;

// Its types describe an ES module, and it is CommonJS.
const { trace, metrics, logs } = (root as unknown as {
  opentelemetry: { proto: { collector: Record<"trace" | "metrics" | "logs", { v1: Service }> } };
}).opentelemetry.proto.collector;

/** ExportTraceServiceRequest. */
export const traceRequest = definition(trace.v1.ExportTraceServiceRequest);
/** ExportTraceServiceResponse. */
export const traceResponse = definition(trace.v1.ExportTraceServiceResponse);
/** ExportMetricsServiceRequest. */
export const metricsRequest = definition(metrics.v1.ExportMetricsServiceRequest);
/** ExportMetricsServiceResponse. */
export const metricsResponse = definition(metrics.v1.ExportMetricsServiceResponse);
/** ExportLogsServiceRequest. */
export const logsRequest = definition(logs.v1.ExportLogsServiceRequest);
/** ExportLogsServiceResponse. */
export const logsResponse = definition(logs.v1.ExportLogsServiceResponse);

function definition(type: Type): Definition {
  return {
    // With no word on bytes they stay bytes.
    decode: (bytes) => type.toObject(type.decode(bytes), { longs: String }),
    encode: (message) => type.encode(type.fromObject(message)).finish(),
  };
}
