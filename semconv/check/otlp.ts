/** Takes the telemetry out of a request of OTLP's JSON encoding, as far as conventions speak of it. */

/** The type of an attribute's value, as registries write it; `map` and `bytes` are no type of theirs. */
export type ValueType =
  | `${"string" | "int" | "double" | "boolean"}${"" | "[]"}`
  | "[]"
  | "any"
  | "map"
  | "bytes";

/** One attribute as it was sent. */
export interface Carried {
  /** Its key. */
  readonly key: string;
  /** Of its value; `[]` for an empty list. */
  readonly type: ValueType;
  /** A text or a number, for values that a registry can list. */
  readonly value?: string | number;
}

/** A piece of telemetry that conventions speak of. */
export type Sample =
  | {
    readonly signal: "resource";
    /** Of all that belongs to it. */
    readonly scopes: readonly string[];
    readonly attributes: readonly Carried[];
  }
  | {
    readonly signal: "span";
    readonly scope: string;
    readonly name: string;
    /** In lower case. */
    readonly kind: string;
    readonly attributes: readonly Carried[];
    /** Whether a limit has left some out. */
    readonly cut: boolean;
    readonly events: readonly {
      readonly name: string;
      readonly attributes: readonly Carried[];
      readonly cut: boolean;
    }[];
    readonly links: readonly { readonly attributes: readonly Carried[] }[];
  }
  | {
    readonly signal: "metric";
    readonly scope: string;
    readonly name: string;
    readonly unit: string;
    readonly instrument: string;
    /** The attributes of each point. */
    readonly points: readonly (readonly Carried[])[];
  }
  | {
    readonly signal: "log";
    readonly scope: string;
    /** For an event. */
    readonly name?: string;
    readonly attributes: readonly Carried[];
    /** Whether a limit has left some out. */
    readonly cut: boolean;
  };

type Node = Readonly<Record<string, unknown>>;

const KINDS = ["unspecified", "internal", "server", "client", "producer", "consumer"];

/** The request's telemetry. Throws TypeError for what is not an export request, with what is wrong. */
export function* samplesOf(request: unknown): Generator<Sample> {
  const top = node(request, "an export request");
  if (
    top.resourceSpans === undefined && top.resourceMetrics === undefined &&
    top.resourceLogs === undefined
  ) {
    throw new TypeError("there are neither resourceSpans nor resourceMetrics nor resourceLogs");
  }
  for (const of of nodes(top.resourceSpans)) {
    yield resource(of, "scopeSpans");
    for (const [scope, span] of scoped(of, "scopeSpans", "spans")) yield spanOf(scope, span);
  }
  for (const of of nodes(top.resourceMetrics)) {
    yield resource(of, "scopeMetrics");
    for (const [scope, one] of scoped(of, "scopeMetrics", "metrics")) yield metricOf(scope, one);
  }
  for (const of of nodes(top.resourceLogs)) {
    yield resource(of, "scopeLogs");
    for (const [scope, record] of scoped(of, "scopeLogs", "logRecords")) {
      const name = typeof record.eventName === "string" && record.eventName !== ""
        ? { name: record.eventName }
        : {};
      yield {
        signal: "log",
        scope,
        ...name,
        attributes: carried(record.attributes),
        cut: isCut(record),
      };
    }
  }
}

function resource(of: Node, scopes: string): Sample {
  return {
    signal: "resource",
    scopes: nodes(of[scopes]).map(scopeName),
    attributes: carried(node(of.resource ?? {}, "a resource").attributes),
  };
}

function* scoped(of: Node, scopes: string, items: string): Generator<readonly [string, Node]> {
  for (const scope of nodes(of[scopes])) {
    for (const item of nodes(scope[items])) yield [scopeName(scope), item];
  }
}

function scopeName(of: Node): string {
  return String(node(of.scope ?? {}, "a scope").name ?? "");
}

function spanOf(scope: string, span: Node): Sample {
  return {
    signal: "span",
    scope,
    name: String(span.name ?? ""),
    kind: KINDS[Number(span.kind ?? 0)] ?? String(span.kind),
    attributes: carried(span.attributes),
    cut: isCut(span),
    events: nodes(span.events).map((event) => ({
      name: String(event.name ?? ""),
      attributes: carried(event.attributes),
      cut: isCut(event),
    })),
    links: nodes(span.links).map((link) => ({ attributes: carried(link.attributes) })),
  };
}

function metricOf(scope: string, metric: Node): Sample {
  const kind = ["sum", "gauge", "histogram", "exponentialHistogram", "summary"]
    .find((name) => metric[name] !== undefined);
  if (kind === undefined) throw new TypeError(`the metric ${String(metric.name)} has no data`);
  const data = node(metric[kind], "a metric's data");
  const instrument = kind === "sum"
    ? data.isMonotonic === true ? "counter" : "updowncounter"
    : kind === "exponentialHistogram"
    ? "histogram"
    : kind;
  return {
    signal: "metric",
    scope,
    name: String(metric.name ?? ""),
    unit: String(metric.unit ?? ""),
    instrument,
    points: nodes(data.dataPoints).map((point) => carried(point.attributes)),
  };
}

function isCut({ droppedAttributesCount }: Node): boolean {
  return Number(droppedAttributesCount ?? 0) > 0;
}

function carried(attributes: unknown): readonly Carried[] {
  return nodes(attributes).map((attribute) => {
    const key = String(attribute.key ?? "");
    return { key, ...valueOf(node(attribute.value ?? {}, `the value of ${key}`)) };
  });
}

function valueOf(any: Node): Omit<Carried, "key"> {
  if (typeof any.stringValue === "string") return { type: "string", value: any.stringValue };
  // OTLP's JSON writes 64-bit integers as texts; both are read.
  if (any.intValue !== undefined) return { type: "int", value: Number(any.intValue) };
  if (any.doubleValue !== undefined) return { type: "double", value: Number(any.doubleValue) };
  if (any.boolValue !== undefined) return { type: "boolean" };
  if (any.bytesValue !== undefined) return { type: "bytes" };
  if (any.kvlistValue !== undefined) return { type: "map" };
  if (any.arrayValue === undefined) return { type: "any" };
  const types = new Set(
    nodes(node(any.arrayValue, "a list").values).map((one) => valueOf(one).type),
  );
  const [first] = types;
  if (first === undefined) return { type: "[]" };
  // A list of whole and other numbers is one of doubles: OTLP has no way to write 1.0 in JSON otherwise.
  if ([...types].every((type) => type === "int" || type === "double")) {
    return { type: types.has("double") ? "double[]" : "int[]" };
  }
  return {
    type: types.size === 1 && ["string", "boolean"].includes(first)
      ? `${first}[]` as "string[]"
      : "any",
  };
}

function nodes(value: unknown): readonly Node[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new TypeError("what should be a list is none");
  return value.map((one) => node(one, "an element of a list"));
}

function node(value: unknown, what: string): Node {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Node;
  throw new TypeError(`${what} is not an object`);
}
