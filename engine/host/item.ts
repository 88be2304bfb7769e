import type { SpanReference } from "../core/span.ts";
import type { Answered } from "./effects.ts";
import type { Heard } from "./heard.ts";
import { seconds, toSpanEvent } from "./plugin_span.ts";
import type { HandlerCall } from "./protocol.ts";
import type { DueTick } from "./tick_schedule.ts";

/** What a plugin is to handle: an event that it wants, or a tick of its own. */
export type Item = { readonly heard: Heard } | DueTick;

/** The call that hands it to the plugin. */
export function callOf(item: Item): HandlerCall {
  if ("tick" in item) return { kind: "tick", now: seconds(item.tick) };
  const event = toSpanEvent(item.heard);
  // The event's time is its span's, which was made a number already.
  const { startTime, endTime = startTime } = event.span;
  return { kind: "span", event, now: endTime };
}

/** What its answer's actions are an answer to; `own`: the workflow that uses the plugin. */
export function answeredBy(item: Item, own: string | undefined): Answered {
  if ("tick" in item) {
    const key = `tick@${item.tick / 1_000_000_000n}`;
    return { key, position: null, at: item.tick, depth: 0, workflow: own };
  }
  const { heard } = item;
  const { position, at } = heard;
  const common = { key: String(position), position, at };
  if (heard.kind === "received") return { ...common, depth: 0, span: reference(heard.span) };
  if (heard.kind === "emitted") {
    const { depth, workflow, runId, stepId } = heard.span;
    return { ...common, depth, workflow, runId, stepId, span: reference(heard.span) };
  }
  const { depth, workflow, start: { runId, stepId, span } } = heard;
  return { ...common, depth, workflow, runId, stepId, span: reference(span) };
}

function reference({ traceId, spanId }: SpanReference): SpanReference {
  return { traceId, spanId };
}
