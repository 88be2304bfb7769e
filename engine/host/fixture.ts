import { isObject, type Json } from "../core/json.ts";
import { messageOf, SpanloopError } from "../core/errors.ts";
import { decodeTraces } from "../telemetry/otlp/decode.ts";
import { heardExports } from "./_exported_span.ts";
import { type GivenSpan, givenSpan } from "./given_span.ts";
import type { Heard } from "./heard.ts";

/** A file of spans that cannot be read. Code `plugin.fixture`; the message begins with `file:line:`. */
export class FixtureError extends SpanloopError {
  /** `file` as the author wrote it; `line` from 1. */
  constructor(file: string, line: number, problem: string, cause?: unknown) {
    super("plugin.fixture", `${file}:${line}: ${problem}`, { exitCode: 2, cause });
  }
}

const encoder = new TextEncoder();
const OTHER_SIGNALS = ["resourceMetrics", "resourceLogs"];

/**
 * The spans of a file in its order, as events that a plugin hears, starts among them. A line is an export request of
 * OpenTelemetry's file exporter, as SPANLOOP_OTLP_FILE writes them, or a span as plugins see it in JSON, which may leave
 * out what `GivenSpan` may; requests of metrics and logs, and empty lines, are passed over. A run's own spans are
 * recognized by their attributes, and have what these tell.
 *
 * Errors: FixtureError for the first line that is neither, and for a file without spans.
 */
export function readFixture(text: string, file: string): readonly Heard[] {
  const ended: Heard[] = [];
  const lines = text.split("\n");
  lines.forEach((line, index) => {
    if (line.trim() === "") return;
    try {
      readLine(line, ended);
    } catch (error) {
      throw new FixtureError(file, index + 1, messageOf(error), error);
    }
  });
  if (ended.length === 0) {
    throw new FixtureError(file, lines.length, "There is no span in the file");
  }
  return withStarts(heardExports(ended));
}

function readLine(line: string, ended: Heard[]): void {
  let value: Json;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new TypeError(`The line is not JSON: ${messageOf(error)}`);
  }
  if (!isObject(value)) {
    throw new TypeError("The line is no object; write one span or request a line");
  }
  if (OTHER_SIGNALS.some((signal) => Object.hasOwn(value, signal))) return;
  if (!Object.hasOwn(value, "resourceSpans")) {
    ended.push(givenSpan(value as GivenSpan, ended.at(-1)));
    return;
  }
  // From the text, since whole numbers past 2^53 are exact there.
  const { spans, rejected, reason } = decodeTraces(encoder.encode(line), "json");
  if (rejected > 0) throw new TypeError(reason);
  for (const span of spans) {
    const position = ended.length + 1;
    ended.push({ kind: "received", event: "ended", position, at: span.endTime, span });
  }
}

/**
 * The ends, in their order, with the start of each of a run's spans before the first end that is later, and positions
 * from 1.
 */
export function withStarts(ended: readonly Heard[]): readonly Heard[] {
  const starts = ended.flatMap(startOf).sort((a, b) => a.at < b.at ? -1 : a.at > b.at ? 1 : 0);
  const told: Heard[] = [];
  const seen = new Set<string>();
  let next = 0;
  for (const end of ended) {
    for (; next < starts.length && starts[next].at <= end.at; next++) {
      const { spanId } = starts[next].start.span;
      if (!seen.has(spanId)) told.push(starts[next]);
      seen.add(spanId);
    }
    // Its clock may have gone back.
    if (end.kind === "journal" && !seen.has(end.start.span.spanId)) {
      told.push(...startOf(end));
      seen.add(end.start.span.spanId);
    }
    told.push(end);
  }
  return told.map((heard, index) => ({ ...heard, position: index + 1 }));
}

type Started = Heard & { readonly kind: "journal" };

function startOf(heard: Heard): Started[] {
  if (heard.kind !== "journal") return [];
  const { end: _, ...rest } = heard;
  return [{ ...rest, event: "started", at: heard.start.span.startTime }];
}
