import type { ReadableLogRecord } from "@opentelemetry/sdk-logs";
import type { ReadableSpan } from "@opentelemetry/sdk-trace-base";
import * as keys from "../../../semconv/attributes.ts";
import { formatDuration } from "../../core/duration.ts";
import { messageOf } from "../../core/errors.ts";
import type { Metric, MetricsBatch } from "../metrics/batch.ts";
import type { Signal } from "../settings.ts";
import {
  attributesText,
  milliseconds,
  type Paint,
  painter,
  shown,
  timeOfDay,
  type Tone,
} from "./_console_text.ts";
import { type Branch, TraceTrees } from "./_console_tree.ts";
import type { Sender } from "./sender.ts";

/** How the console exporter writes. */
export interface ConsoleOptions {
  /** Writes text, of whole lines, where a person reads; standard error, as a rule. */
  write(text: string): void;
  /** Whether it is a terminal that shows colours. */
  readonly colour?: boolean;
}

const LONGEST_MESSAGE = 200;
const LONGEST_NAME = 44;

// What a span's line shows elsewhere, or its name says.
const HIDDEN = new Set<string>([
  keys.CICD_PIPELINE_NAME,
  keys.CICD_PIPELINE_ACTION_NAME,
  keys.CICD_PIPELINE_RUN_ID,
  keys.CICD_PIPELINE_RESULT,
  keys.CICD_PIPELINE_TASK_NAME,
  keys.CICD_PIPELINE_TASK_RUN_ID,
  keys.CICD_PIPELINE_TASK_RUN_RESULT,
  keys.SPANLOOP_STEP_ID,
  keys.SPANLOOP_WORKFLOW_DEFINITION,
]);

const RESULTS: Readonly<Record<string, readonly [Tone, string]>> = {
  [keys.CICD_PIPELINE_RESULT_VALUE_SUCCESS]: ["good", "✓"],
  [keys.CICD_PIPELINE_RESULT_VALUE_FAILURE]: ["bad", "✗"],
  [keys.CICD_PIPELINE_RESULT_VALUE_TIMEOUT]: ["bad", "✗"],
  [keys.CICD_PIPELINE_RESULT_VALUE_ERROR]: ["uncertain", "↯"],
  [keys.CICD_PIPELINE_RESULT_VALUE_CANCELLATION]: ["uncertain", "⊘"],
  [keys.CICD_PIPELINE_RESULT_VALUE_SKIP]: ["quiet", "–"],
};
// As @opentelemetry/api's SpanStatusCode, which would have to be loaded.
const STATUSES: readonly (readonly [Tone, string])[] = [["quiet", "·"], ["good", "✓"], [
  "bad",
  "✗",
]];

/**
 * Writes each span as a line: when it ended, its result, how long it took, its name, its workflow and step, a few
 * attributes and its ids. With `tree` each trace as a tree instead, once its root has ended.
 */
export function consoleSpanSender(
  options: ConsoleOptions & { readonly tree?: boolean },
): Sender<ReadableSpan> {
  const paint = painter(options.colour === true);
  if (options.tree !== true) {
    return sender("traces", options, (spans) => spans.map((span) => spanLine(span, paint)));
  }
  const trees = new TraceTrees();
  return sender(
    "traces",
    options,
    (spans) => spans.flatMap((span) => treeLines(trees.add(span) ?? [], paint)),
    () => [...trees.rest()].flatMap((branches) => treeLines(branches, paint)),
  );
}

/** Writes each log record as a line: its time, severity, text, workflow and step, attributes and ids. */
export function consoleLogSender(options: ConsoleOptions): Sender<ReadableLogRecord> {
  const paint = painter(options.colour === true);
  return sender("logs", options, (records) => records.map((record) => logLine(record, paint)));
}

/** Writes each collection of metrics as a table, one line a point. */
export function consoleMetricSender(options: ConsoleOptions): Sender<MetricsBatch> {
  const paint = painter(options.colour === true);
  return sender("metrics", options, (batches) => batches.flatMap((one) => table(one, paint)));
}

function sender<T>(
  signal: Signal,
  { write }: ConsoleOptions,
  linesOf: (items: readonly T[]) => readonly string[],
  lastLines: () => readonly string[] = () => [],
): Sender<T> {
  const put = (lines: readonly string[]) => {
    if (lines.length > 0) write(`${lines.join("\n")}\n`);
  };
  return {
    signal,
    name: "console",
    send(items) {
      try {
        put(linesOf(items));
        return Promise.resolve({ status: "ok" });
      } catch (thrown) {
        return Promise.resolve({ status: "failed", message: messageOf(thrown) });
      }
    },
    close() {
      try {
        put(lastLines());
      } catch {
        // Nobody reads there any more.
      }
      return Promise.resolve();
    },
  };
}

function spanLine(span: ReadableSpan, paint: Paint): string {
  const { traceId, spanId } = span.spanContext();
  return [
    paint("quiet", timeOfDay(span.endTime)),
    mark(span, paint),
    formatDuration(milliseconds(span.duration)).padStart(9),
    ...spanText(span, paint),
    paint("quiet", `${traceId}/${spanId}`),
  ].join("  ");
}

function treeLines(branches: readonly Branch[], paint: Paint): readonly string[] {
  if (branches.length === 0) return [];
  const [{ span: first }] = branches;
  return [
    paint("quiet", `${timeOfDay(first.startTime)}  trace ${first.spanContext().traceId}`),
    ...branches.map(({ span, prefix }) =>
      `${paint("quiet", prefix)}${mark(span, paint)} ${spanText(span, paint).join("  ")}  ${
        formatDuration(milliseconds(span.duration))
      }`
    ),
  ];
}

// The name, where it belongs, what it says, and why it failed.
function spanText(span: ReadableSpan, paint: Paint): readonly string[] {
  const { attributes, status } = span;
  return [
    paint("strong", shown(span.name)),
    place(attributes),
    paint("quiet", attributesText(attributes, HIDDEN)),
    paint("bad", status.message ? shown(status.message, LONGEST_MESSAGE) : ""),
  ].filter((text) => text !== "");
}

// The workflow and the step.
function place(attributes: Readonly<Record<string, unknown>>): string {
  return [attributes[keys.CICD_PIPELINE_NAME], attributes[keys.SPANLOOP_STEP_ID]]
    .filter((part) => part !== undefined).map((part) => shown(part)).join("/");
}

function mark({ attributes, status }: ReadableSpan, paint: Paint): string {
  const result = attributes[keys.CICD_PIPELINE_TASK_RUN_RESULT] ??
    attributes[keys.CICD_PIPELINE_RESULT];
  const known = typeof result === "string" && Object.hasOwn(RESULTS, result);
  const [tone, sign] = known ? RESULTS[result] : STATUSES[status.code];
  return paint(tone, sign);
}

function logLine(record: ReadableLogRecord, paint: Paint): string {
  const { body, eventName, spanContext, attributes, severityNumber = 0 } = record;
  const severity = shown(record.severityText ?? "").padEnd(5);
  const tone = severityNumber >= 17 ? "bad" : severityNumber >= 13 ? "uncertain" : "quiet";
  return [
    paint("quiet", timeOfDay(record.hrTime)),
    paint(tone, severity),
    body === undefined || body === "" ? shown(eventName ?? "") : shown(body, LONGEST_MESSAGE),
    place(attributes),
    paint("quiet", attributesText(attributes, HIDDEN)),
    paint("quiet", spanContext === undefined ? "" : `${spanContext.traceId}/${spanContext.spanId}`),
  ].filter((text) => text !== "").join("  ");
}

function table(batch: MetricsBatch, paint: Paint): readonly string[] {
  const rows = batch.metrics.flatMap((metric) => rowsOf(metric));
  if (rows.length === 0) return [];
  const time = batch.metrics.flatMap(({ points }) => points.map((point) => point.time))
    .reduce((latest, time) => time > latest ? time : latest, 0n);
  const width = (column: 0 | 1) => Math.max(...rows.map((row) => row[column].length));
  const [names, values] = [width(0), width(1)];
  return [
    paint("quiet", `${timeOfDay(time)}  metrics`),
    ...rows.map(([name, value, attributes]) =>
      `  ${paint("strong", name.padEnd(names))}  ${value.padEnd(values)}  ${
        paint("quiet", attributes)
      }`.trimEnd()
    ),
  ];
}

type Row = readonly [name: string, value: string, attributes: string];

function rowsOf(metric: Metric): readonly Row[] {
  const name = shown(metric.name, LONGEST_NAME);
  if (metric.kind === "histogram") {
    return metric.points.map((point): Row => {
      const { count, sum, min, max } = point;
      const mean = count === 0 ? "" : `, mean ${measured(sum / count, metric.unit)}`;
      const range = min === undefined || max === undefined
        ? ""
        : `, ${measured(min, metric.unit)} to ${measured(max, metric.unit)}`;
      return [name, `count ${count}${mean}${range}`, attributesText(point.attributes)];
    });
  }
  return metric.points.map((point): Row => [
    name,
    measured(point.value, metric.unit),
    attributesText(point.attributes),
  ]);
}

function measured(value: number, unit: string): string {
  if (unit === "s" && value >= 0) return formatDuration(value * 1_000);
  // In UCUM `1` is no unit, and `{run}` only says what is counted.
  const shownUnit = unit === "1" ? "" : shown(unit).replaceAll(/[{}]/g, "");
  return shownUnit === "" ? figure(value) : `${figure(value)} ${shownUnit}`;
}

function figure(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)));
}
