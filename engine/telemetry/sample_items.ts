import { resourceFromAttributes } from "@opentelemetry/resources";
import type { ReadableLogRecord } from "@opentelemetry/sdk-logs";
import type { ReadableSpan } from "@opentelemetry/sdk-trace-base";
import type { Ids } from "../core/ids.ts";
import type { Attributes } from "../core/span.ts";
import * as keys from "../../semconv/attributes.ts";
import { METRIC_SPANLOOP_OTEL_TEST } from "../../semconv/metrics.ts";
import { exportLogs } from "./log_export.ts";
import type { MetricsBatch } from "./metrics/batch.ts";
import { onEnded, Tracing } from "./provider.ts";

/** One thing of each signal, to see whether it arrives. */
export interface SampleItems {
  /** A span named `spanloop.otel.test`. */
  readonly traces: ReadableSpan;
  /** A counter of that name. */
  readonly metrics: MetricsBatch;
  /** A log record with that text, under the span. */
  readonly logs: ReadableLogRecord;
}

const { name: NAME, unit, description } = METRIC_SPANLOOP_OTEL_TEST;

/** Makes one of each, all of `now`, nanoseconds since the Unix epoch. */
export function sampleItems(resource: Attributes, ids: Ids, now: bigint): SampleItems {
  const span = { traceId: ids.traceId(), spanId: ids.spanId() };
  return {
    traces: spanOf(span, resource, now),
    metrics: {
      resource,
      scope: { name: "spanloop" },
      metrics: [{
        kind: "sum",
        name: NAME,
        description,
        unit,
        monotonic: true,
        temporality: "delta",
        integer: true,
        points: [{ attributes: {}, startTime: now, time: now, value: 1 }],
      }],
    },
    logs: recordOf(span, resource, now),
  };
}

function spanOf(ids: { traceId: string; spanId: string }, resource: Attributes, now: bigint) {
  const ended: ReadableSpan[] = [];
  const tracing = new Tracing([onEnded((span) => void ended.push(span))], { resource });
  const span = tracing.start({
    ...ids,
    name: NAME,
    kind: "internal",
    startTime: now,
    attributes: { [keys.SPANLOOP_SIGNAL]: keys.SPANLOOP_SIGNAL_VALUE_TRACES },
  });
  tracing.end(span, { endTime: now, error: false, attributes: {} });
  return ended[0];
}

function recordOf(span: { traceId: string; spanId: string }, resource: Attributes, now: bigint) {
  const records: ReadableLogRecord[] = [];
  exportLogs({
    limits: { attributeCount: 128 },
    resource: resourceFromAttributes(resource as Record<string, string>),
    emit: (record) => void records.push(record),
  })({ time: now, severity: "info", body: NAME, span });
  return records[0];
}
