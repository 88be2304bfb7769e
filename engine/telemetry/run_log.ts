import { formatDuration } from "../core/duration.ts";
import type { Logger, LogRecord, Severity } from "../core/log.ts";
import type { Attributes, BusEvent, EndRecord, SpanReference, StartEntry } from "../core/span.ts";
import * as keys from "../../semconv/attributes.ts";
import {
  EVENT_SPANLOOP_RUN_END,
  EVENT_SPANLOOP_STEP_END,
  EVENT_SPANLOOP_STEP_OUTPUT,
} from "../../semconv/events.ts";
import type { BusListener } from "./bus.ts";

type Place = Pick<LogRecord, "span" | "workflow" | "runId" | "stepId">;

/** Whom a log record about a span is about. */
export function placeOf({ span, runId, stepId }: StartEntry): Place {
  const workflow = span.attributes[keys.CICD_PIPELINE_NAME];
  return {
    span: { traceId: span.traceId, spanId: span.spanId },
    ...(typeof workflow === "string" ? { workflow } : {}),
    runId,
    ...(stepId === undefined ? {} : { stepId }),
  };
}

// One object a stream: a line of output costs its record and no more.
const STREAMS: Readonly<Record<"stdout" | "stderr", Attributes>> = {
  stdout: { [keys.LOG_IOSTREAM]: keys.LOG_IOSTREAM_VALUE_STDOUT },
  stderr: { [keys.LOG_IOSTREAM]: keys.LOG_IOSTREAM_VALUE_STDERR },
};

/** Logs a line of a step's output, masked already, under the attempt's span. Costs nothing if nobody hears it. */
export function logOutput(
  log: Logger,
  line: {
    readonly stream: "stdout" | "stderr";
    readonly text: string;
    readonly span: SpanReference;
    readonly workflow: string;
    readonly runId: string;
    readonly stepId: string;
  },
): void {
  if (!log.enabled("info")) return;
  const { stream, text, span, workflow, runId, stepId } = line;
  log.log({
    severity: "info",
    body: text,
    eventName: EVENT_SPANLOOP_STEP_OUTPUT,
    attributes: STREAMS[stream],
    span,
    workflow,
    runId,
    stepId,
  });
}

/** Logs how runs and steps end, once that is committed. */
export function logRuns(log: Logger): BusListener {
  return (event: BusEvent) => {
    if (event.event !== "ended") return;
    const { record, start } = event;
    if (record.role === "emit" || record.role === "resume") return;
    const severity = severityOf(record, start);
    if (severity === undefined || !log.enabled(severity)) return;
    log.log({
      time: record.end.endTime,
      severity,
      body: wordsFor(record, start),
      eventName: record.role === "run" ? EVENT_SPANLOOP_RUN_END : EVENT_SPANLOOP_STEP_END,
      attributes: attributesOf(record),
      ...placeOf(start),
    });
  };
}

// A step that went well is its span's to tell, where spans are exported; of a batch, and of a called run, the
// step around it says the same.
function severityOf(
  { role, outcome, retryAt }: EndRecord,
  { span, range }: StartEntry,
): Severity | undefined {
  if (outcome === "failed" || outcome === "timed_out") {
    return retryAt === undefined ? "error" : "warn";
  }
  if (outcome === "cancelled" || outcome === "interrupted") return "warn";
  if (role !== "run") return range === undefined ? "debug" : undefined;
  const called = span.attributes[keys.SPANLOOP_TRIGGER_TYPE] ===
    keys.SPANLOOP_TRIGGER_TYPE_VALUE_WORKFLOW;
  return called ? undefined : "info";
}

function wordsFor(record: EndRecord, { span }: StartEntry): string {
  const { role, key, outcome, reason, failure, end, retryAt } = record;
  const who = role === "run" ? "" : `${key} `;
  if (outcome === "skipped") return `${who}skipped${reason === undefined ? "" : `: ${reason}`}`;
  const words = outcome.replace("_", " ");
  // When an engine died nobody knows.
  if (outcome === "interrupted") return who + words;
  const took = formatDuration(milliseconds(end.endTime - span.startTime));
  const again = retryAt === undefined
    ? ""
    : `, again in ${formatDuration(milliseconds(retryAt - end.endTime))}`;
  const why = failure === undefined ? "" : `: ${failure.message}`;
  return `${who}${words} after ${took}${again}${why}`;
}

const ATTRIBUTES = [
  keys.CICD_PIPELINE_RESULT,
  keys.CICD_PIPELINE_TASK_RUN_RESULT,
  keys.ERROR_TYPE,
  keys.SPANLOOP_ITEMS_PROCESSED,
  keys.SPANLOOP_ITEMS_FAILED,
];

function attributesOf({ end }: EndRecord): Attributes {
  return Object.fromEntries(
    ATTRIBUTES.filter((key) => end.attributes[key] !== undefined)
      .map((key) => [key, end.attributes[key]]),
  );
}

function milliseconds(nanoseconds: bigint): number {
  return Math.max(0, Number(nanoseconds) / 1e6);
}
