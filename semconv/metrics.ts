// Generated from registry/*.yaml by `deno task semconv`; do not edit.

/** What an instrument is made of. */
export interface MetricDefinition {
  /** Its name. */
  readonly name: string;
  /** What records it. */
  readonly instrument: "counter" | "updowncounter" | "histogram" | "gauge";
  /** In UCUM's notation. */
  readonly unit: string;
  /** What it measures; empty for OpenTelemetry's own. */
  readonly description: string;
}

/** As OpenTelemetry defines it. histogram, in `s`. */
export const METRIC_CICD_PIPELINE_RUN_DURATION = {
  name: "cicd.pipeline.run.duration",
  instrument: "histogram",
  unit: "s",
  description: "",
} as const satisfies MetricDefinition;

/** As OpenTelemetry defines it. updowncounter, in `{run}`. */
export const METRIC_CICD_PIPELINE_RUN_ACTIVE = {
  name: "cicd.pipeline.run.active",
  instrument: "updowncounter",
  unit: "{run}",
  description: "",
} as const satisfies MetricDefinition;

/** As OpenTelemetry defines it. counter, in `{error}`. */
export const METRIC_CICD_PIPELINE_RUN_ERRORS = {
  name: "cicd.pipeline.run.errors",
  instrument: "counter",
  unit: "{error}",
  description: "",
} as const satisfies MetricDefinition;

/** As OpenTelemetry defines it. updowncounter, in `{worker}`. */
export const METRIC_CICD_WORKER_COUNT = {
  name: "cicd.worker.count",
  instrument: "updowncounter",
  unit: "{worker}",
  description: "",
} as const satisfies MetricDefinition;

/** As OpenTelemetry defines it. counter, in `{error}`. */
export const METRIC_CICD_SYSTEM_ERRORS = {
  name: "cicd.system.errors",
  instrument: "counter",
  unit: "{error}",
  description: "",
} as const satisfies MetricDefinition;

/** Spans of the engine that ended. counter, in `{span}`. */
export const METRIC_SPANLOOP_SPAN_COUNT = {
  name: "spanloop.span.count",
  instrument: "counter",
  unit: "{span}",
  description: "Spans of the engine that ended.",
} as const satisfies MetricDefinition;

/** How long attempts at steps, and at batches of them, took. histogram, in `s`. */
export const METRIC_SPANLOOP_ATTEMPT_DURATION = {
  name: "spanloop.attempt.duration",
  instrument: "histogram",
  unit: "s",
  description: "How long attempts at steps, and at batches of them, took.",
} as const satisfies MetricDefinition;

/**
 * Batches of for_each steps that ended, each counted once, by its last attempt. counter, in
 * `{batch}`.
 */
export const METRIC_SPANLOOP_BATCH_COUNT = {
  name: "spanloop.batch.count",
  instrument: "counter",
  unit: "{batch}",
  description: "Batches of for_each steps that ended, each counted once, by its last attempt.",
} as const satisfies MetricDefinition;

/**
 * Items of for_each steps, each counted once, by the last attempt at its batch. counter, in
 * `{item}`.
 */
export const METRIC_SPANLOOP_ITEM_COUNT = {
  name: "spanloop.item.count",
  instrument: "counter",
  unit: "{item}",
  description: "Items of for_each steps, each counted once, by the last attempt at its batch.",
} as const satisfies MetricDefinition;

/** What waits in this process. updowncounter, in `{entry}`. */
export const METRIC_SPANLOOP_QUEUE_DEPTH = {
  name: "spanloop.queue.depth",
  instrument: "updowncounter",
  unit: "{entry}",
  description: "What waits in this process.",
} as const satisfies MetricDefinition;

/** The time from a record's commit to its delivery on the bus. histogram, in `s`. */
export const METRIC_SPANLOOP_BUS_LAG = {
  name: "spanloop.bus.lag",
  instrument: "histogram",
  unit: "s",
  description: "The time from a record's commit to its delivery on the bus.",
} as const satisfies MetricDefinition;

/** Spans, log records and collections of metrics that were not exported. counter, in `{item}`. */
export const METRIC_SPANLOOP_EXPORT_DROPPED = {
  name: "spanloop.export.dropped",
  instrument: "counter",
  unit: "{item}",
  description: "Spans, log records and collections of metrics that were not exported.",
} as const satisfies MetricDefinition;

/** Always 1; `otel test` sends it to see whether it arrives. counter, in `{test}`. */
export const METRIC_SPANLOOP_OTEL_TEST = {
  name: "spanloop.otel.test",
  instrument: "counter",
  unit: "{test}",
  description: "Always 1; `otel test` sends it to see whether it arrives.",
} as const satisfies MetricDefinition;

/** Spans, data points and log records that the receiver took. counter, in `{item}`. */
export const METRIC_SPANLOOP_RECEIVER_ACCEPTED = {
  name: "spanloop.receiver.accepted",
  instrument: "counter",
  unit: "{item}",
  description: "Spans, data points and log records that the receiver took.",
} as const satisfies MetricDefinition;

/** Spans, data points and log records that the receiver did not take. counter, in `{item}`. */
export const METRIC_SPANLOOP_RECEIVER_REJECTED = {
  name: "spanloop.receiver.rejected",
  instrument: "counter",
  unit: "{item}",
  description: "Spans, data points and log records that the receiver did not take.",
} as const satisfies MetricDefinition;

/**
 * How long calls of plugins took; a call handles one event, or several in a row. histogram, in
 * `s`.
 */
export const METRIC_SPANLOOP_PLUGIN_DURATION = {
  name: "spanloop.plugin.duration",
  instrument: "histogram",
  unit: "s",
  description: "How long calls of plugins took; a call handles one event, or several in a row.",
} as const satisfies MetricDefinition;

/** Actions that plugins asked for. counter, in `{action}`. */
export const METRIC_SPANLOOP_PLUGIN_ACTION_COUNT = {
  name: "spanloop.plugin.action.count",
  instrument: "counter",
  unit: "{action}",
  description: "Actions that plugins asked for.",
} as const satisfies MetricDefinition;
