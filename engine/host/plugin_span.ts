import type { Json, JsonObject } from "../core/json.ts";
import type { PluginSpan, SpanEvent } from "../core/plugin.ts";
import type { ReceivedAttributes, ReceivedValue, SpanReference } from "../core/span.ts";
import type { Heard } from "./heard.ts";

type Building = { -readonly [Field in keyof PluginSpan]: PluginSpan[Field] };

/**
 * A heard event as plugins get it: no inputs and no outputs (T1), and plain JSON, so that a plugin sees the same in
 * process and in a sandbox. Event, span, attributes and links are frozen, since trusted plugins share them.
 */
export function toSpanEvent(heard: Heard): SpanEvent {
  return Object.freeze({
    event: heard.event,
    position: heard.position,
    span: Object.freeze(spanOf(heard)),
  });
}

/** The span's name, without the rest of it. */
export function nameOf(heard: Heard): string {
  return heard.kind === "journal" ? heard.start.span.name : heard.span.name;
}

/** The workflow that the span counts as; undefined for a received one, and an emitted one of no workflow. */
export function workflowOf(heard: Heard): string | undefined {
  if (heard.kind === "journal") return heard.workflow;
  return heard.kind === "emitted" ? heard.span.workflow : undefined;
}

/** All attributes as the plugin would see them, frozen; a journalled span's end adds to and replaces those of its start. */
export function attributesOf(heard: Heard): JsonObject {
  if (heard.kind !== "journal") return Object.freeze(plainObject(heard.span.attributes));
  const begun = heard.start.span.attributes;
  return Object.freeze(plainObject(begun, heard.end?.end.attributes));
}

/** One attribute as the plugin would see it, without making all the others; undefined when there is none. */
export function attributeOf(heard: Heard, key: string): Json | undefined {
  const begun = heard.kind === "journal" ? heard.start.span.attributes : heard.span.attributes;
  const ended = heard.kind === "journal" ? heard.end?.end.attributes : undefined;
  const from: ReceivedAttributes = ended !== undefined && Object.hasOwn(ended, key) ? ended : begun;
  const value = Object.hasOwn(from, key) ? from[key] : undefined;
  return value === undefined ? undefined : plain(value);
}

/** Seconds from the span's start to its end; undefined while it is open. */
export function durationOf(heard: Heard): number | undefined {
  switch (heard.kind) {
    case "journal":
      return heard.end && seconds(heard.end.end.endTime - heard.start.span.startTime);
    case "received":
      return seconds(heard.span.endTime - heard.span.startTime);
    case "emitted":
      return 0;
  }
}

/**
 * Nanoseconds as seconds: the number nearest to them, but that a time since the epoch is cut to whole microseconds
 * first, since numbers have no more there, and 0.25 s would end in 0.2499998.
 */
export function seconds(ns: bigint): number {
  const number = Number(ns);
  return Number.isSafeInteger(number) ? number / 1e9 : Number(ns / 1_000n) / 1e6;
}

function spanOf(heard: Heard): PluginSpan {
  switch (heard.kind) {
    case "journal":
      return journalled(heard);
    case "received":
      return received(heard);
    case "emitted":
      return emitted(heard);
  }
}

function journalled(heard: Heard & { readonly kind: "journal" }): PluginSpan {
  const { start, end } = heard;
  const { span } = start;
  const made: Building = {
    traceId: span.traceId,
    spanId: span.spanId,
    name: span.name,
    kind: span.kind,
    startTime: seconds(span.startTime),
    status: end?.end.error ? "error" : "unset",
    attributes: attributesOf(heard),
    links: references(span.links),
    external: false,
    workflow: heard.workflow,
    runId: start.runId,
    role: start.role,
  };
  if (span.parentSpanId !== undefined) made.parentSpanId = span.parentSpanId;
  if (start.stepId !== undefined) made.stepId = start.stepId;
  if (start.attempt !== undefined) made.attempt = start.attempt;
  if (end === undefined) return made;
  made.endTime = seconds(end.end.endTime);
  made.duration = durationOf(heard);
  made.outcome = end.outcome;
  if (end.end.message !== undefined) made.message = end.end.message;
  if (end.failure !== undefined) made.error = end.failure.code;
  if (end.items !== undefined) {
    made.items = Object.freeze({ processed: end.items.processed, failed: end.items.failed });
  }
  return made;
}

function received(heard: Heard & { readonly kind: "received" }): PluginSpan {
  const { span } = heard;
  const made: Building = {
    traceId: span.traceId,
    spanId: span.spanId,
    name: span.name,
    kind: span.kind,
    startTime: seconds(span.startTime),
    endTime: seconds(span.endTime),
    duration: durationOf(heard),
    status: span.status,
    attributes: attributesOf(heard),
    links: references(span.links),
    external: true,
  };
  if (span.parentSpanId !== undefined) made.parentSpanId = span.parentSpanId;
  if (span.message !== undefined) made.message = span.message;
  return made;
}

function emitted(heard: Heard & { readonly kind: "emitted" }): PluginSpan {
  const { span } = heard;
  const time = seconds(span.time);
  const made: Building = {
    traceId: span.traceId,
    spanId: span.spanId,
    name: span.name,
    kind: "internal",
    startTime: time,
    endTime: time,
    duration: 0,
    status: "unset",
    attributes: attributesOf(heard),
    links: references(span.links),
    external: false,
    plugin: span.plugin,
  };
  if (span.parentSpanId !== undefined) made.parentSpanId = span.parentSpanId;
  if (span.workflow !== undefined) made.workflow = span.workflow;
  if (span.runId !== undefined) made.runId = span.runId;
  if (span.stepId !== undefined) made.stepId = span.stepId;
  return made;
}

const NO_LINKS: readonly SpanReference[] = Object.freeze([]);

function references(links: readonly SpanReference[] | undefined): readonly SpanReference[] {
  if (links === undefined || links.length === 0) return NO_LINKS;
  return Object.freeze(links.map(({ traceId, spanId }) => ({ traceId, spanId })));
}

// A spread is ten times as fast as a loop, and makes an own property of `__proto__`; what few values are not plain are
// replaced after it, which is no assignment to a prototype then either.
function plainObject(first: ReceivedAttributes, second?: ReceivedAttributes): JsonObject {
  const made: Record<string, ReceivedValue | undefined> = { ...first, ...second };
  for (const key in made) {
    const value = made[key];
    if (typeof value === "string" || typeof value === "boolean") continue;
    if (value === undefined) delete made[key];
    else if (typeof value !== "number" || !isPlain(value)) made[key] = plain(value);
  }
  return made as JsonObject;
}

function isPlain(value: number): boolean {
  return Number.isFinite(value) && !Object.is(value, -0);
}

// Whatever JSON would lose or change is given as text, or as the number that JSON would make of it.
function plain(value: ReceivedValue): Json {
  switch (typeof value) {
    case "number":
      // Minus zero is zero in JSON.
      return Number.isFinite(value) ? value + 0 : String(value);
    case "bigint": {
      const number = Number(value);
      return Number.isSafeInteger(number) ? number : String(value);
    }
    case "object":
      if (value === null) return null;
      if (value instanceof Uint8Array) return value.toBase64();
      if (Array.isArray(value)) return value.map(plain);
      return plainObject(value as ReceivedAttributes);
    default:
      return value;
  }
}
