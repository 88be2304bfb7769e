/** What OTLP must say of a run, by its journal. */
import config from "../../deno.json" with { type: "json" };
import assert from "node:assert/strict";
import type { EndRecord, JournalRecord, StartRecord } from "../../engine/core/span.ts";
import { CALLER, type EngineRun, LINES } from "./engine_run.ts";
import {
  inOrder,
  type Messages,
  type MetricMessage,
  type PointMessage,
  type SpanMessage,
  type Typed,
  typedAttributes,
} from "./messages.ts";

const KINDS = { internal: 1, server: 2, client: 3, producer: 4, consumer: 5 };
const ERROR = 2;
const WARN = 13;
// opentelemetry/proto/trace/v1/trace.proto, SpanFlags.
const [SAMPLED, HAS_IS_REMOTE, IS_REMOTE] = [1, 0x100, 0x200];
const TEMPORALITIES = { delta: 1, cumulative: 2 };

interface Ended {
  readonly start: StartRecord;
  readonly end: EndRecord;
}

/** Every span came once, with all that the journal says of it, and with its program. */
export function assertSpans({ spans }: Messages, ran: EngineRun): void {
  const sent = spans.map(({ resource: _, ...span }) => span);
  assert.deepEqual(inOrder(sent), inOrder(spansOf(ran.records).map(expected)));
  const [{ resource }] = spans;
  for (const span of spans) assert.deepEqual(span.resource, resource);
  assert.deepEqual(resource["service.name"], { string: "through the collector" });
  assert.deepEqual(resource.region, { string: "nörd" });
  assert.deepEqual(resource.shard, { string: "07" });
  assert.deepEqual(resource["process.pid"], { int: String(ran.pid) });
}

/** Every line that a step said came once under its attempt's span, and each failure is told of. */
export function assertLogs({ logs, spans }: Messages, ran: EngineRun): void {
  const attempts = new Map(spansOf(ran.records).map((ended) => [ended.start.span.spanId, ended]));
  const lines = logs.filter(({ event }) => event === "spanloop.step.output").map((log) => {
    const { stepId, attempt, span } = attempts.get(log.spanId)!.start;
    assert.equal(log.traceId, span.traceId);
    return [`${stepId}/${attempt}`, text(log.attributes["log.iostream"]), text(log.body)];
  });
  assert.deepEqual(inOrder(lines), inOrder(LINES));
  const ends = logs.filter(({ event }) => event.endsWith(".end"));
  for (const log of ends) {
    const { start, end } = attempts.get(log.spanId)!;
    assert.equal(log.time, String(end.end.endTime));
    assert.equal(log.traceId, start.span.traceId);
  }
  // What went well is the spans' to tell; what failed is told of once.
  const failed = [...attempts].filter(([, { end }]) => end.failure !== undefined);
  assert.deepEqual(
    ends.filter((log) => log.severity >= WARN).map(({ spanId }) => spanId).toSorted(),
    failed.map(([spanId]) => spanId).toSorted(),
  );
  for (const log of logs) {
    assert.deepEqual(log.resource, spans[0].resource);
    assert.equal(log.flags, SAMPLED);
    assert.equal(log.dropped, 0);
  }
}

/** The metrics count what the journal has, and their exemplars are spans of it. */
export function assertMetrics(
  { metrics, spans }: Messages,
  ran: EngineRun,
  temporality: "cumulative" | "delta",
): void {
  const ended = spansOf(ran.records);
  const counted = points(metrics, "spanloop.span.count");
  const byName = new Map<string, number>();
  for (const { start, end } of ended) {
    const key = `${start.span.name} ${end.outcome}`;
    byName.set(key, (byName.get(key) ?? 0) + 1);
  }
  assert.deepEqual(
    totals(counted, temporality, ["spanloop.span.name", "spanloop.outcome"]),
    byName,
  );
  const attempts = new Map<string, number>();
  for (const { start, end } of ended.filter(({ start }) => start.role === "attempt")) {
    const key = `${start.stepId} ${end.end.attributes["cicd.pipeline.task.run.result"]}`;
    attempts.set(key, (attempts.get(key) ?? 0) + 1);
  }
  const durations = points(metrics, "spanloop.attempt.duration");
  assert.deepEqual(
    totals(durations, temporality, ["cicd.pipeline.task.name", "cicd.pipeline.task.run.result"]),
    attempts,
  );
  const known = new Map(ended.map((one) => [one.start.span.spanId, one.start.span]));
  const seconds = new Map(ended.map(({ start, end }) => [
    start.span.spanId,
    Math.max(0, Number(end.end.endTime - start.span.startTime)) / 1e9,
  ]));
  const exemplars = durations.flatMap((point) => point.exemplars);
  assert.ok(exemplars.length > 0);
  for (const { traceId, spanId, value } of exemplars) {
    assert.equal(traceId, known.get(spanId)?.traceId);
    assert.deepEqual(value, { double: seconds.get(spanId) });
  }
  for (const metric of metrics) {
    assert.deepEqual(metric.resource, spans[0].resource);
    if (metric.kind === "gauge") continue;
    // OpenTelemetry's delta preference leaves counters that go down cumulative.
    const delta = temporality === "delta" && (metric.kind === "histogram" || metric.monotonic);
    assert.equal(metric.temporality, TEMPORALITIES[delta ? "delta" : "cumulative"], metric.name);
    for (const { start, time } of metric.points) assert.ok(BigInt(start) <= BigInt(time));
  }
}

function points(metrics: readonly MetricMessage[], name: string): readonly PointMessage[] {
  const found = metrics.filter((metric) => metric.name === name);
  assert.ok(found.length > 0, `${name} did not come`);
  return found.flatMap((metric) => metric.points);
}

// By the values of `keys`: the sum of what came in each interval, or the last of what counts from the start.
function totals(
  all: readonly PointMessage[],
  temporality: "cumulative" | "delta",
  keys: readonly string[],
): Map<string, number> {
  const sums = new Map<string, number>();
  const inTime = all.toSorted((a, b) => Number(BigInt(a.time) - BigInt(b.time)));
  for (const { attributes, value, count } of inTime) {
    const key = keys.map((one) => text(attributes[one])).join(" ");
    const number = Number(count ?? value?.int);
    sums.set(key, temporality === "delta" ? (sums.get(key) ?? 0) + number : number);
  }
  return sums;
}

function text(value: Typed | undefined): string {
  return String(value?.string);
}

function spansOf(records: readonly JournalRecord[]): readonly Ended[] {
  const ends = new Map(
    records.filter((record) => record.type === "end").map((end) => [end.spanId, end]),
  );
  return records.filter((record) => record.type === "start").map((start) => {
    const end = ends.get(start.span.spanId);
    assert.ok(end !== undefined, `${start.key} has not ended`);
    return { start, end };
  });
}

function expected({ start, end: record }: Ended): Omit<SpanMessage, "resource"> {
  const { span } = start;
  const { end, failure } = record;
  const remote = span.parentSpanId === CALLER.spanId;
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.parentSpanId ?? "",
    traceState: span.traceState ?? "",
    flags: SAMPLED | HAS_IS_REMOTE | (remote ? IS_REMOTE : 0),
    name: span.name,
    kind: KINDS[span.kind],
    start: String(span.startTime),
    end: String(end.endTime),
    attributes: typedAttributes({ ...span.attributes, ...end.attributes }),
    events: failure === undefined || !end.error ? [] : [{
      time: String(end.endTime),
      name: "exception",
      attributes: typedAttributes({
        "exception.type": failure.code,
        "exception.message": failure.message,
      }),
    }],
    links: (span.links ?? []).map((link) => ({
      traceId: link.traceId,
      spanId: link.spanId,
      traceState: "",
      flags: SAMPLED | HAS_IS_REMOTE,
      attributes: typedAttributes(link.attributes ?? {}),
    })),
    status: { code: end.error ? ERROR : 0, message: end.error ? end.message ?? "" : "" },
    dropped: [0, 0, 0],
    scope: { name: "spanloop", version: config.version },
  };
}
