/**
 * Spans, log records and metrics of OTLP requests in one form, whichever encoding they came in, and however they
 * were put together: each with its resource and its scope. Read by OpenTelemetry's own definitions.
 */
import { logsRequest, metricsRequest, traceRequest } from "../proto/definitions.ts";
import type { Signal } from "./engine_run.ts";

/** A value with its type: `{ int: "7" }`, `{ double: 0.5 }`, `{ array: [{ string: "a" }] }`. */
export type Typed = Readonly<Record<string, unknown>>;

/** Attributes by key. */
export type TypedAttributes = Readonly<Record<string, Typed>>;

/** What every message has of where it came from. */
export interface Origin {
  readonly resource: TypedAttributes;
  readonly scope: { readonly name: string; readonly version: string };
}

/** A span; times are nanoseconds as text, ids hex digits, empty for none. */
export interface SpanMessage extends Origin {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly traceState: string;
  readonly flags: number;
  readonly name: string;
  readonly kind: number;
  readonly start: string;
  readonly end: string;
  readonly attributes: TypedAttributes;
  readonly events: readonly {
    readonly time: string;
    readonly name: string;
    readonly attributes: TypedAttributes;
  }[];
  readonly links: readonly {
    readonly traceId: string;
    readonly spanId: string;
    readonly traceState: string;
    readonly flags: number;
    readonly attributes: TypedAttributes;
  }[];
  readonly status: { readonly code: number; readonly message: string };
  readonly dropped: readonly number[];
}

/** A log record. */
export interface LogMessage extends Origin {
  readonly time: string;
  readonly observed: string;
  readonly severity: number;
  readonly severityText: string;
  readonly event: string;
  readonly body: Typed;
  readonly attributes: TypedAttributes;
  readonly dropped: number;
  readonly flags: number;
  readonly traceId: string;
  readonly spanId: string;
}

/** A point of a metric; what its kind has not is undefined. */
export interface PointMessage {
  readonly start: string;
  readonly time: string;
  readonly attributes: TypedAttributes;
  readonly value?: Typed;
  readonly count?: string;
  readonly sum?: number;
  readonly min?: number;
  readonly max?: number;
  readonly counts?: readonly string[];
  readonly bounds?: readonly number[];
  readonly exemplars: readonly {
    readonly time: string;
    readonly value: Typed;
    readonly traceId: string;
    readonly spanId: string;
    readonly attributes: TypedAttributes;
  }[];
}

/** A metric as it was collected once. */
export interface MetricMessage extends Origin {
  readonly name: string;
  readonly description: string;
  readonly unit: string;
  readonly kind: string;
  readonly temporality: number;
  readonly monotonic: boolean;
  readonly points: readonly PointMessage[];
}

/** Some requests' messages. */
export interface Messages {
  readonly spans: readonly SpanMessage[];
  readonly logs: readonly LogMessage[];
  readonly metrics: readonly MetricMessage[];
}

/** A request as it came. */
export interface EncodedRequest {
  readonly signal: Signal;
  readonly json: boolean;
  readonly body: Uint8Array;
}

const DEFINITIONS = { traces: traceRequest, metrics: metricsRequest, logs: logsRequest };
const decoder = new TextDecoder("utf-8", { fatal: true });

// deno-lint-ignore no-explicit-any -- a message as it came
type Raw = any;

/** The messages of requests. Throws for what is not OTLP. */
export function messagesOf(requests: readonly EncodedRequest[]): Messages {
  const spans: SpanMessage[] = [];
  const logs: LogMessage[] = [];
  const metrics: MetricMessage[] = [];
  for (const { signal, json, body } of requests) {
    const request: Raw = json ? JSON.parse(decoder.decode(body)) : DEFINITIONS[signal].decode(body);
    each(
      request.resourceSpans,
      "scopeSpans",
      "spans",
      (raw, origin) => spans.push(span(raw, origin)),
    );
    each(
      request.resourceLogs,
      "scopeLogs",
      "logRecords",
      (raw, origin) => logs.push(log(raw, origin)),
    );
    each(
      request.resourceMetrics,
      "scopeMetrics",
      "metrics",
      (raw, origin) => metrics.push(metric(raw, origin)),
    );
  }
  return { spans, logs, metrics };
}

/** Messages in an order that does not depend on how they came. */
export function inOrder<T>(messages: readonly T[]): T[] {
  const keyed = messages.map((message) => [JSON.stringify(message), message] as const);
  return keyed.sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0).map(([, message]) => message);
}

/** A JavaScript value as OTLP has it: whole numbers within 2^53 are integers. */
export function typed(value: unknown): Typed {
  if (typeof value === "string") return { string: value };
  if (typeof value === "boolean") return { bool: value };
  if (typeof value === "number") {
    return Number.isSafeInteger(value) ? { int: String(value) } : { double: value };
  }
  if (Array.isArray(value)) return { array: value.map(typed) };
  throw new TypeError(`no attribute's value: ${value}`);
}

/** Attributes as OTLP has them, by key in order. */
export function typedAttributes(attributes: Readonly<Record<string, unknown>>): TypedAttributes {
  return sorted(Object.entries(attributes).map(([key, value]) => [key, typed(value)]));
}

function each(
  resources: Raw[] | undefined,
  scopes: string,
  items: string,
  take: (raw: Raw, origin: Origin) => void,
): void {
  for (const resource of resources ?? []) {
    for (const scope of resource[scopes] ?? []) {
      const origin = {
        resource: attributes(resource.resource?.attributes),
        scope: { name: scope.scope?.name ?? "", version: scope.scope?.version ?? "" },
      };
      for (const raw of scope[items] ?? []) take(raw, origin);
    }
  }
}

function span(raw: Raw, origin: Origin): SpanMessage {
  return {
    traceId: hex(raw.traceId),
    spanId: hex(raw.spanId),
    parentSpanId: hex(raw.parentSpanId),
    traceState: raw.traceState ?? "",
    flags: raw.flags ?? 0,
    name: raw.name,
    kind: raw.kind,
    start: String(raw.startTimeUnixNano),
    end: String(raw.endTimeUnixNano),
    attributes: attributes(raw.attributes),
    events: (raw.events ?? []).map((event: Raw) => ({
      time: String(event.timeUnixNano),
      name: event.name,
      attributes: attributes(event.attributes),
    })),
    links: (raw.links ?? []).map((link: Raw) => ({
      traceId: hex(link.traceId),
      spanId: hex(link.spanId),
      traceState: link.traceState ?? "",
      flags: link.flags ?? 0,
      attributes: attributes(link.attributes),
    })),
    status: { code: raw.status?.code ?? 0, message: raw.status?.message ?? "" },
    dropped: ["Attributes", "Events", "Links"].map((what) => raw[`dropped${what}Count`] ?? 0),
    ...origin,
  };
}

function log(raw: Raw, origin: Origin): LogMessage {
  return {
    time: String(raw.timeUnixNano),
    observed: String(raw.observedTimeUnixNano),
    severity: raw.severityNumber ?? 0,
    severityText: raw.severityText ?? "",
    event: raw.eventName ?? "",
    body: any(raw.body),
    attributes: attributes(raw.attributes),
    dropped: raw.droppedAttributesCount ?? 0,
    flags: raw.flags ?? 0,
    traceId: hex(raw.traceId),
    spanId: hex(raw.spanId),
    ...origin,
  };
}

const KINDS = ["gauge", "sum", "histogram", "exponentialHistogram", "summary"];

function metric(raw: Raw, origin: Origin): MetricMessage {
  const kind = KINDS.find((one) => raw[one] !== undefined) ?? "none";
  return {
    name: raw.name,
    description: raw.description ?? "",
    unit: raw.unit ?? "",
    kind,
    temporality: raw[kind]?.aggregationTemporality ?? 0,
    monotonic: raw[kind]?.isMonotonic ?? false,
    points: inOrder((raw[kind]?.dataPoints ?? []).map(point)),
    ...origin,
  };
}

function point(raw: Raw): PointMessage {
  const text = (value: Raw) => value === undefined ? undefined : String(value);
  return {
    start: String(raw.startTimeUnixNano ?? 0),
    time: String(raw.timeUnixNano),
    attributes: attributes(raw.attributes),
    value: number(raw),
    count: text(raw.count),
    sum: raw.sum,
    min: raw.min,
    max: raw.max,
    counts: raw.bucketCounts?.map(String),
    bounds: raw.explicitBounds,
    exemplars: inOrder((raw.exemplars ?? []).map((one: Raw) => ({
      time: String(one.timeUnixNano),
      value: number(one),
      traceId: hex(one.traceId),
      spanId: hex(one.spanId),
      attributes: attributes(one.filteredAttributes),
    }))),
  };
}

function number(raw: Raw): Typed | undefined {
  if (raw.asInt !== undefined) return { int: String(raw.asInt) };
  return raw.asDouble === undefined ? undefined : { double: raw.asDouble };
}

function any(raw: Raw): Typed {
  const [kind, value] = Object.entries<Raw>(raw ?? {})[0] ?? ["none", null];
  if (kind === "intValue") return { int: String(value) };
  if (kind === "arrayValue") return { array: (value.values ?? []).map(any) };
  if (kind === "kvlistValue") return { map: attributes(value.values) };
  return { [kind.replace(/Value$/, "")]: value };
}

function attributes(raw: Raw[] = []): TypedAttributes {
  const entries = raw.map(({ key, value }) => [key, any(value)] as const);
  if (new Set(entries.map(([key]) => key)).size !== entries.length) {
    throw new TypeError(`a key stands twice: ${entries.map(([key]) => key)}`);
  }
  return sorted(entries);
}

/** Attributes by key in order. */
export function sorted(entries: readonly (readonly [string, Typed])[]): TypedAttributes {
  return Object.fromEntries(entries.toSorted(([a], [b]) => a < b ? -1 : 1));
}

function hex(id: string | Uint8Array | undefined): string {
  if (id === undefined) return "";
  return typeof id === "string" ? id.toLowerCase() : id.toHex();
}
