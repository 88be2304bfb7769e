/**
 * The messages of metrics and logs as tables, which message_protobuf.ts and message_json.ts both go by. Numbers and
 * types are those of opentelemetry/proto/metrics/v1/metrics.proto and logs/v1/logs.proto.
 */

/** What a field holds. `time` is a fixed64 that stays a bigint; `id16` and `id8` are bytes shown as hex digits. */
export type FieldType =
  | "string"
  | "bool"
  | "double"
  | "uint32"
  | "fixed32"
  | "sint32"
  | "uint64"
  | "fixed64"
  | "sfixed64"
  | "time"
  | "id16"
  | "id8"
  | "value"
  | "attributes"
  | readonly string[] // an enum, by its names
  | Message;

/** What one value of a field is; attributes are read together. */
export type OneType = Exclude<FieldType, "attributes">;

/** One field of a message. */
export interface Field {
  /** Its number. */
  readonly number: number;
  /** Its name in JSON. */
  readonly json: string;
  /** Its name in our model; the same when absent. */
  readonly as?: string;
  /** What it holds. */
  readonly type: FieldType;
  /** Whether it is a list; absent lists are empty ones. Attributes are one record, and never absent. */
  readonly repeated?: boolean;
  /** Whether zero is told from absent. */
  readonly presence?: boolean;
}

/** A message by its fields. */
export interface Message {
  /** In the order of their definition. */
  readonly fields: readonly Field[];
  /** By number. */
  readonly byNumber: ReadonlyMap<number, Field>;
}

/** A message that was read. */
export type Read = Record<string, unknown>;

function message(...fields: readonly Field[]): Message {
  return { fields, byNumber: new Map(fields.map((field) => [field.number, field])) };
}

function field(
  number: number,
  json: string,
  type: FieldType,
  more: Pick<Field, "as" | "repeated" | "presence"> = {},
): Field {
  return { number, json, type, ...more };
}

const list = { repeated: true };
const optional = { presence: true };

const TEMPORALITIES = ["UNSPECIFIED", "DELTA", "CUMULATIVE"]
  .map((name) => `AGGREGATION_TEMPORALITY_${name}`);

const SEVERITIES = [
  "UNSPECIFIED",
  ...["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"].flatMap((name) =>
    ["", "2", "3", "4"].map((level) => name + level)
  ),
].map((name) => `SEVERITY_NUMBER_${name}`);

/** logs.v1.LogRecord. */
export const LOG_RECORD = message(
  field(1, "timeUnixNano", "time", { as: "time" }),
  field(2, "severityNumber", SEVERITIES),
  field(3, "severityText", "string"),
  field(5, "body", "value", optional),
  field(6, "attributes", "attributes"),
  field(9, "traceId", "id16"),
  field(10, "spanId", "id8"),
  field(11, "observedTimeUnixNano", "time", { as: "observedTime" }),
  field(12, "eventName", "string"),
);

const EXEMPLAR = message(
  field(2, "timeUnixNano", "time", { as: "time" }),
  field(3, "asDouble", "double", optional),
  field(4, "spanId", "id8"),
  field(5, "traceId", "id16"),
  field(6, "asInt", "sfixed64", optional),
  field(7, "filteredAttributes", "attributes", { as: "attributes" }),
);

const NUMBER_POINT = message(
  field(2, "startTimeUnixNano", "time", { as: "startTime" }),
  field(3, "timeUnixNano", "time", { as: "time" }),
  field(4, "asDouble", "double", optional),
  field(5, "exemplars", EXEMPLAR, list),
  field(6, "asInt", "sfixed64", optional),
  field(7, "attributes", "attributes"),
  field(8, "flags", "uint32"),
);

const HISTOGRAM_POINT = message(
  field(2, "startTimeUnixNano", "time", { as: "startTime" }),
  field(3, "timeUnixNano", "time", { as: "time" }),
  field(4, "count", "fixed64"),
  field(5, "sum", "double", optional),
  field(6, "bucketCounts", "fixed64", list),
  field(7, "explicitBounds", "double", list),
  field(8, "exemplars", EXEMPLAR, list),
  field(9, "attributes", "attributes"),
  field(10, "flags", "uint32"),
  field(11, "min", "double", optional),
  field(12, "max", "double", optional),
);

const BUCKETS = message(
  field(1, "offset", "sint32"),
  field(2, "bucketCounts", "uint64", list),
);

const EXPONENTIAL_POINT = message(
  field(1, "attributes", "attributes"),
  field(2, "startTimeUnixNano", "time", { as: "startTime" }),
  field(3, "timeUnixNano", "time", { as: "time" }),
  field(4, "count", "fixed64"),
  field(5, "sum", "double", optional),
  field(6, "scale", "sint32"),
  field(7, "zeroCount", "fixed64"),
  field(8, "positive", BUCKETS),
  field(9, "negative", BUCKETS),
  field(10, "flags", "uint32"),
  field(11, "exemplars", EXEMPLAR, list),
  field(12, "min", "double", optional),
  field(13, "max", "double", optional),
  field(14, "zeroThreshold", "double"),
);

const QUANTILE = message(field(1, "quantile", "double"), field(2, "value", "double"));

const SUMMARY_POINT = message(
  field(2, "startTimeUnixNano", "time", { as: "startTime" }),
  field(3, "timeUnixNano", "time", { as: "time" }),
  field(4, "count", "fixed64"),
  field(5, "sum", "double"),
  field(6, "quantileValues", QUANTILE, list),
  field(7, "attributes", "attributes"),
  field(8, "flags", "uint32"),
);

function points(point: Message, ...more: readonly Field[]): Message {
  return message(field(1, "dataPoints", point, list), ...more);
}

const temporality = field(2, "aggregationTemporality", TEMPORALITIES);

/** metrics.v1.Metric. */
export const METRIC = message(
  field(1, "name", "string"),
  field(2, "description", "string"),
  field(3, "unit", "string"),
  field(5, "gauge", points(NUMBER_POINT)),
  field(7, "sum", points(NUMBER_POINT, temporality, field(3, "isMonotonic", "bool"))),
  field(9, "histogram", points(HISTOGRAM_POINT, temporality)),
  field(10, "exponentialHistogram", points(EXPONENTIAL_POINT, temporality)),
  field(11, "summary", points(SUMMARY_POINT)),
  field(12, "metadata", "attributes"),
);

/** An empty message: its lists and attributes are there, nothing else. */
export function emptyOf(type: Message): Read {
  const read: Read = {};
  for (const { as, json, type: fieldType, repeated } of type.fields) {
    if (repeated) read[as ?? json] = [];
    else if (fieldType === "attributes") read[as ?? json] = {};
  }
  return read;
}

/** Whether a value is what an absent field means. */
export function isDefault(value: unknown): boolean {
  return value === 0 && !Object.is(value, -0) || value === 0n || value === "" || value === false ||
    value === null;
}

/** An id as the model has it: absent when it is empty or zero; undefined for what is no id. */
export function idOf(hex: string, type: "id16" | "id8"): string | undefined {
  if (/^0*$/.test(hex)) return "";
  return hex.length === (type === "id16" ? 32 : 16) ? hex : undefined;
}
