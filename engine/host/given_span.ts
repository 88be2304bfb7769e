import { SpanloopError } from "../core/errors.ts";
import { isObject, type Json, type JsonObject } from "../core/json.ts";
import type { PluginSpan } from "../core/plugin.ts";
import type { Attributes, EndRecord, SpanReference, StartEntry } from "../core/span.ts";
import type { Heard } from "./heard.ts";

/**
 * A span that a person wrote: what it leaves out is that of a successful attempt at the step of its name, in a run of
 * the workflow `test`, which ended one second after the span before it. One with `external: true` or with a `plugin` has
 * no run.
 */
export type GivenSpan = Partial<PluginSpan>;

// The end of the first span that says no time.
const FIRST_END = 1_750_000_000;

const isText = (value: Json) => typeof value === "string";
const isNumber = (value: Json) => typeof value === "number" && Number.isFinite(value);
const oneOf = (...names: readonly string[]) => (value: Json) => names.includes(value as string);
const isId = (digits: number) => (value: Json) =>
  typeof value === "string" && value.length === digits && /^[0-9a-f]+$/.test(value);
const isReference = (value: Json) =>
  isObject(value) && isId(32)(value.traceId) && isId(16)(value.spanId);

type Check = readonly [holds: (value: Json) => boolean, what: string];
const TEXT: Check = [isText, "text"];
const SECONDS: Check = [isNumber, "a number of seconds"];
const CHECKS: Readonly<Record<keyof PluginSpan, Check>> = {
  traceId: [isId(32), "32 lower-case hex digits"],
  spanId: [isId(16), "16 lower-case hex digits"],
  parentSpanId: [isId(16), "16 lower-case hex digits"],
  name: TEXT,
  kind: [oneOf("internal", "server", "client", "producer", "consumer"), "a span kind"],
  startTime: SECONDS,
  endTime: SECONDS,
  duration: SECONDS,
  status: [oneOf("unset", "ok", "error"), "unset, ok or error"],
  message: TEXT,
  attributes: [isObject, "an object"],
  links: [(value) => Array.isArray(value) && value.every(isReference), "a list of spans"],
  external: [(value) => typeof value === "boolean", "true or false"],
  plugin: TEXT,
  workflow: TEXT,
  runId: TEXT,
  role: [
    oneOf("run", "step", "attempt", "skip", "emit", "resume"),
    "run, step, attempt, skip, emit or resume",
  ],
  stepId: TEXT,
  attempt: [isNumber, "a number"],
  outcome: [
    oneOf("succeeded", "failed", "cancelled", "skipped", "timed_out", "interrupted"),
    "succeeded, failed, cancelled, skipped, timed_out or interrupted",
  ],
  error: TEXT,
  items: [
    (value) => isObject(value) && isNumber(value.processed) && isNumber(value.failed),
    "{ processed, failed }",
  ],
};

/** The end of a span as a plugin hears it; `before`: the one before it. Throws SpanloopError `plugin.fixture`. */
export function givenSpan(given: GivenSpan, before: Heard | undefined): Heard {
  check(given);
  const index = (before?.position ?? 0) + 1;
  const times = timesOf(given, before);
  const place = { event: "ended", position: index, at: times.endTime } as const;
  const hex = index.toString(16);
  const { parentSpanId, links = [], kind = "internal" } = given;
  const span = {
    traceId: given.traceId ?? hex.padStart(32, "0"),
    spanId: given.spanId ?? hex.padStart(16, "0"),
    ...parentSpanId === undefined ? {} : { parentSpanId },
    name: given.name ?? given.stepId ?? given.role ?? "span",
    attributes: (given.attributes ?? {}) as Attributes,
    links: links.map(({ traceId, spanId }): SpanReference => ({ traceId, spanId })),
  };
  if (given.plugin !== undefined) {
    const { plugin, workflow, runId, stepId } = given;
    const of = Object.entries({ workflow, runId, stepId }).filter(([, one]) => one !== undefined);
    const time = times.endTime;
    const emitted = { ...span, ...Object.fromEntries(of), time, plugin, depth: 1 };
    return { ...place, kind: "emitted", span: emitted };
  }
  if (given.external === true) {
    const { status = "unset", message } = given;
    const links = span.links.map((link) => ({ ...link, attributes: {} }));
    const received = { ...span, ...times, kind, status, links, events: [], resource: {} };
    const scope = { name: "" };
    return {
      ...place,
      kind: "received",
      span: { ...received, scope, ...message === undefined ? {} : { message } },
    };
  }
  const { startTime } = times;
  const start = { ...startOf(given), span: { ...span, kind, startTime } };
  return {
    ...place,
    kind: "journal",
    workflow: given.workflow ?? "test",
    depth: 0,
    start,
    end: endOf(given, start, times.endTime),
  };
}

function startOf(given: GivenSpan): Omit<StartEntry, "span"> {
  const { role = "attempt", runId = "test" } = given;
  if (role === "run" || role === "resume") return { type: "start", runId, role, key: role };
  const stepId = given.stepId ?? given.name ?? "span";
  const attempt = given.attempt ?? (role === "attempt" ? 1 : undefined);
  return {
    type: "start",
    runId,
    role,
    key: stepId,
    stepId,
    ...attempt === undefined ? {} : { attempt },
  };
}

function endOf(given: GivenSpan, start: StartEntry, endTime: bigint): EndRecord {
  const { error: code, message, items, status } = given;
  const outcome = given.outcome ??
    (code !== undefined || status === "error" ? "failed" : "succeeded");
  const failed = outcome === "failed" || outcome === "timed_out";
  const { runId, role, key, stepId } = start;
  const failure = code === undefined
    ? {}
    : { failure: { code, message: message ?? code, errorClass: "error" as const } };
  return {
    type: "end",
    position: 0,
    runId,
    role,
    key,
    ...stepId === undefined ? {} : { stepId },
    spanId: start.span.spanId,
    outcome,
    end: {
      endTime,
      error: status === undefined ? failed : status === "error",
      ...message === undefined ? {} : { message },
      attributes: {},
    },
    ...failure,
    ...items === undefined ? {} : { items },
  };
}

function timesOf(
  { startTime, endTime, duration }: GivenSpan,
  before: Heard | undefined,
): { readonly startTime: bigint; readonly endTime: bigint } {
  const length = nanoseconds(duration ?? 0);
  if (startTime !== undefined) {
    const start = nanoseconds(startTime);
    return {
      startTime: start,
      endTime: endTime === undefined ? start + length : nanoseconds(endTime),
    };
  }
  const end = endTime !== undefined
    ? nanoseconds(endTime)
    : before === undefined
    ? nanoseconds(FIRST_END)
    : before.at + 1_000_000_000n;
  return { startTime: end - length, endTime: end };
}

// Microseconds are what a number of seconds since the epoch still tells apart.
function nanoseconds(seconds: number): bigint {
  return BigInt(Math.round(seconds * 1e6)) * 1_000n;
}

function check(given: GivenSpan): void {
  for (const [name, value] of Object.entries(given as JsonObject)) {
    if (value === undefined) continue;
    if (!Object.hasOwn(CHECKS, name)) {
      throw wrong(`A span has no \`${name}\`; it has ${Object.keys(CHECKS).join(", ")}`);
    }
    const [holds, what] = CHECKS[name as keyof PluginSpan];
    if (!holds(value)) throw wrong(`A span's \`${name}\` must be ${what}`);
  }
  if ((given.startTime ?? 0) < 0 || (given.duration ?? 0) < 0) {
    throw wrong("A span's time and duration must not be negative");
  }
}

function wrong(message: string): SpanloopError {
  return new SpanloopError("plugin.fixture", message, { exitCode: 2 });
}
