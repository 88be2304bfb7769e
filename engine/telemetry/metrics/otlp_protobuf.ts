import type { Attributes, AttributeValue } from "../../core/span.ts";
import type {
  Exemplar,
  HistogramPoint,
  Metric,
  MetricsBatch,
  NumberPoint,
  Temporality,
} from "./batch.ts";
import { ProtobufWriter } from "./protobuf_writer.ts";

/**
 * An ExportMetricsServiceRequest in protobuf, with the exemplars that OpenTelemetry's own serialiser leaves
 * out. Field numbers are those of opentelemetry/proto/metrics/v1/metrics.proto, 1.x.
 */
export function encodeMetrics(batches: readonly MetricsBatch[]): Uint8Array {
  const writer = new ProtobufWriter();
  for (const { resource, scope, metrics } of batches) {
    writer.message(1, () => {
      writer.message(1, () => attributes(writer, 1, resource));
      writer.message(2, () => {
        writer.message(1, () => {
          writer.string(1, scope.name);
          if (scope.version !== undefined) writer.string(2, scope.version);
        });
        for (const one of metrics) writer.message(2, () => metric(writer, one));
      });
    });
  }
  return writer.finish();
}

/** AggregationTemporality's numbers. */
export const TEMPORALITIES: Readonly<Record<Temporality, number>> = { delta: 1, cumulative: 2 };

function metric(writer: ProtobufWriter, one: Metric): void {
  writer.string(1, one.name);
  if (one.description !== "") writer.string(2, one.description);
  if (one.unit !== "") writer.string(3, one.unit);
  if (one.kind === "histogram") {
    writer.message(9, () => {
      for (const point of one.points) writer.message(1, () => histogramPoint(writer, point));
      writer.uint(2, TEMPORALITIES[one.temporality]);
    });
    return;
  }
  writer.message(one.kind === "gauge" ? 5 : 7, () => {
    for (const point of one.points) {
      writer.message(1, () => numberPoint(writer, point, one.integer));
    }
    if (one.kind === "gauge") return;
    writer.uint(2, TEMPORALITIES[one.temporality]);
    if (one.monotonic) writer.uint(3, 1);
  });
}

function numberPoint(writer: ProtobufWriter, point: NumberPoint, integer: boolean): void {
  writer.fixed64(2, point.startTime);
  writer.fixed64(3, point.time);
  if (integer) writer.fixed64(6, BigInt(point.value));
  else writer.double(4, point.value);
  attributes(writer, 7, point.attributes);
}

function histogramPoint(writer: ProtobufWriter, point: HistogramPoint): void {
  writer.fixed64(2, point.startTime);
  writer.fixed64(3, point.time);
  writer.fixed64(4, BigInt(point.count));
  writer.double(5, point.sum);
  writer.packedFixed64(6, point.counts);
  if (point.bounds.length > 0) writer.packedDouble(7, point.bounds);
  for (const one of point.exemplars) writer.message(8, () => exemplar(writer, one));
  attributes(writer, 9, point.attributes);
  if (point.min !== undefined) writer.double(11, point.min);
  if (point.max !== undefined) writer.double(12, point.max);
}

function exemplar(writer: ProtobufWriter, { time, value, spanId, traceId }: Exemplar): void {
  writer.fixed64(2, time);
  writer.double(3, value);
  writer.bytes(4, Uint8Array.fromHex(spanId));
  writer.bytes(5, Uint8Array.fromHex(traceId));
}

function attributes(writer: ProtobufWriter, field: number, all: Attributes): void {
  for (const [key, value] of Object.entries(all)) {
    writer.message(field, () => {
      writer.string(1, key);
      writer.message(2, () => anyValue(writer, value));
    });
  }
}

function anyValue(writer: ProtobufWriter, value: AttributeValue): void {
  if (typeof value === "string") writer.string(1, value);
  else if (typeof value === "boolean") writer.uint(2, value ? 1 : 0);
  else if (typeof value !== "number") {
    writer.message(5, () => {
      for (const one of value) writer.message(1, () => anyValue(writer, one));
    });
  } else if (Number.isSafeInteger(value)) writer.int64(3, BigInt(value));
  else writer.double(4, value);
}
