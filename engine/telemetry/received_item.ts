import type { ReceivedItem } from "../core/received.ts";
import type { ReceivedValue } from "../core/span.ts";
import { pointsOf } from "./otlp/decode.ts";
import type { ReceivedLog, ReceivedMetric, ReceivedPoint } from "./otlp/model.ts";
import { valueJson } from "./otlp/span_json.ts";
import { serviceOf } from "./tail.ts";

/** A metric for a screen. `now` is when it came, nanoseconds since the Unix epoch. */
export function metricItem(metric: ReceivedMetric, now: bigint): ReceivedItem {
  const points = metric.gauge ?? metric.sum ?? metric.histogram ?? metric.exponentialHistogram ??
    metric.summary;
  const values = (points?.dataPoints ?? []).slice(0, 4).map(pointText);
  const more = pointsOf(metric) - values.length;
  const unit = metric.unit === undefined ? "" : ` ${metric.unit}`;
  const text = `${metric.name ?? ""}${unit}: ${values.join(", ") || "no points"}`;
  return {
    signal: "metrics",
    time: now,
    ...serviceOf(metric.resource),
    text: more === 0 ? text : `${text}, and ${more} more`,
  };
}

/** A log record for a screen. */
export function logItem(record: ReceivedLog, now: bigint): ReceivedItem {
  const { severityText, severityNumber, eventName, body = null } = record;
  const severity = severityText ?? SEVERITIES[Math.ceil((severityNumber ?? 0) / 4)] ?? "";
  return {
    signal: "logs",
    time: record.time ?? record.observedTime ?? now,
    ...serviceOf(record.resource),
    text: [severity, eventName, valueText(body)].filter(Boolean).join(" "),
  };
}

/** A value on one line: text as it is, everything else as JSON. */
export function valueText(value: ReceivedValue): string {
  if (value === null) return "";
  if (typeof value === "object") return JSON.stringify(valueJson(value));
  return String(value);
}

const SEVERITIES = ["", "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];

function pointText(point: ReceivedPoint): string {
  const { asInt, asDouble, count, sum } = point;
  const value = asInt ?? asDouble;
  if (value !== undefined) return String(value);
  return `${count ?? 0} values` + (sum === undefined ? "" : `, sum ${sum}`);
}
