import type { Json, JsonObject } from "../../core/json.ts";
import type { Attributes, AttributeValue } from "../../core/span.ts";
import type { HistogramPoint, Metric, MetricsBatch, NumberPoint } from "./batch.ts";
import { TEMPORALITIES } from "./otlp_protobuf.ts";

/**
 * An ExportMetricsServiceRequest in OTLP's JSON: 64-bit integers are text, ids hexadecimal, enums numbers.
 * https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 */
export function metricsToJson(batches: readonly MetricsBatch[]): JsonObject {
  return {
    resourceMetrics: batches.map(({ resource, scope, metrics }) => ({
      resource: { attributes: attributes(resource) },
      scopeMetrics: [{
        scope: {
          name: scope.name,
          ...(scope.version === undefined ? {} : { version: scope.version }),
        },
        metrics: metrics.map(metric),
      }],
    })),
  };
}

function metric(one: Metric): JsonObject {
  return {
    name: one.name,
    ...(one.description === "" ? {} : { description: one.description }),
    ...(one.unit === "" ? {} : { unit: one.unit }),
    [one.kind]: data(one),
  };
}

function data(one: Metric): JsonObject {
  if (one.kind === "gauge") {
    return { dataPoints: one.points.map((point) => numberPoint(point, one.integer)) };
  }
  const aggregationTemporality = TEMPORALITIES[one.temporality];
  if (one.kind === "histogram") {
    return { dataPoints: one.points.map(histogramPoint), aggregationTemporality };
  }
  return {
    dataPoints: one.points.map((point) => numberPoint(point, one.integer)),
    aggregationTemporality,
    ...(one.monotonic ? { isMonotonic: true } : {}),
  };
}

function numberPoint(point: NumberPoint, integer: boolean): JsonObject {
  return {
    startTimeUnixNano: String(point.startTime),
    timeUnixNano: String(point.time),
    ...(integer ? { asInt: String(BigInt(point.value)) } : { asDouble: double(point.value) }),
    attributes: attributes(point.attributes),
  };
}

function histogramPoint(point: HistogramPoint): JsonObject {
  return {
    startTimeUnixNano: String(point.startTime),
    timeUnixNano: String(point.time),
    count: String(point.count),
    sum: double(point.sum),
    bucketCounts: point.counts.map(String),
    explicitBounds: point.bounds.map(double),
    exemplars: point.exemplars.map(({ time, value, spanId, traceId }) => ({
      timeUnixNano: String(time),
      asDouble: double(value),
      spanId,
      traceId,
    })),
    attributes: attributes(point.attributes),
    ...(point.min === undefined ? {} : { min: double(point.min) }),
    ...(point.max === undefined ? {} : { max: double(point.max) }),
  };
}

function attributes(all: Attributes): Json[] {
  return Object.entries(all).map(([key, value]) => ({ key, value: anyValue(value) }));
}

function anyValue(value: AttributeValue): JsonObject {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  if (typeof value !== "number") return { arrayValue: { values: value.map(anyValue) } };
  return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: double(value) };
}

// JSON has no numbers for these; protobuf's mapping has words.
function double(value: number): Json {
  if (Number.isFinite(value)) return value;
  return Number.isNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
}
