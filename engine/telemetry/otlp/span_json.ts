import type { ReceivedAttributes, ReceivedSpan, ReceivedValue } from "../../core/span.ts";
import type { Json, JsonObject } from "../../core/json.ts";

/**
 * A span as an ExportTraceServiceRequest of its own, in OTLP's JSON mapping: one line of the file exporter's
 * format. What is zero or empty is left out.
 */
export function requestJson(span: ReceivedSpan): JsonObject {
  const { resource, scope } = span;
  return {
    resourceSpans: [{
      resource: { attributes: attributesJson(resource) },
      scopeSpans: [{
        scope: {
          name: scope.name,
          ...given("version", scope.version),
          ...scope.attributes === undefined ? {} : { attributes: attributesJson(scope.attributes) },
        },
        spans: [spanJson(span)],
        ...given("schemaUrl", scope.schemaUrl),
      }],
    }],
  };
}

function spanJson(span: ReceivedSpan): JsonObject {
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    ...given("traceState", span.traceState),
    ...given("parentSpanId", span.parentSpanId),
    ...given("flags", span.traceFlags),
    name: span.name,
    kind: KINDS[span.kind],
    startTimeUnixNano: span.startTime.toString(),
    endTimeUnixNano: span.endTime.toString(),
    attributes: attributesJson(span.attributes),
    ...given("droppedAttributesCount", span.dropped?.attributes),
    events: span.events.map(({ time, name, attributes, droppedAttributes }) => ({
      timeUnixNano: time.toString(),
      name,
      attributes: attributesJson(attributes),
      ...given("droppedAttributesCount", droppedAttributes),
    })),
    ...given("droppedEventsCount", span.dropped?.events),
    links: span.links.map((link) => ({
      traceId: link.traceId,
      spanId: link.spanId,
      ...given("traceState", link.traceState),
      ...given("flags", link.traceFlags),
      attributes: attributesJson(link.attributes),
      ...given("droppedAttributesCount", link.droppedAttributes),
    })),
    ...given("droppedLinksCount", span.dropped?.links),
    status: { code: STATUSES[span.status], ...given("message", span.message) },
  };
}

function given(key: string, value: Json | undefined): JsonObject {
  return value === undefined ? {} : { [key]: value };
}

function attributesJson(attributes: ReceivedAttributes): Json[] {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: valueJson(value) }));
}

/** An AnyValue. A number that is whole is taken for an integer: the model does not tell 1 from 1.0. */
export function valueJson(value: ReceivedValue): JsonObject {
  switch (typeof value) {
    case "string":
      return { stringValue: value };
    case "boolean":
      return { boolValue: value };
    case "bigint":
      return { intValue: value.toString() };
    case "number":
      return Number.isSafeInteger(value) && !Object.is(value, -0)
        ? { intValue: value.toString() }
        : { doubleValue: realJson(value) };
  }
  if (value === null) return {};
  if (value instanceof Uint8Array) return { bytesValue: value.toBase64() };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(valueJson) } };
  return { kvlistValue: { values: attributesJson(value as ReceivedAttributes) } };
}

// JSON has no words for these.
function realJson(value: number): Json {
  if (Object.is(value, -0)) return "-0";
  return Number.isFinite(value) ? value : String(value);
}

const KINDS = { internal: 1, server: 2, client: 3, producer: 4, consumer: 5 };
const STATUSES = { unset: 0, ok: 1, error: 2 };
