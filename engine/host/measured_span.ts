import {
  SPANLOOP_BATCH_FROM,
  SPANLOOP_BATCH_TO,
  SPANLOOP_EXPERIMENT_ARM,
  SPANLOOP_EXPERIMENT_ARM_VALUE_CANDIDATE,
  SPANLOOP_EXPERIMENT_ID,
  SPANLOOP_EXPERIMENT_PAIR,
  SPANLOOP_EXPERIMENT_SLICE_FROM,
  SPANLOOP_EXPERIMENT_SLICE_TO,
  spanloopParameter,
} from "../../semconv/attributes.ts";
import type { Json } from "../core/json.ts";
import type { PluginSpan } from "../core/plugin.ts";
import type { EndedAttempt, Work } from "../parameters/measure.ts";

/** The arm of an experiment that a span's work is of; undefined for none. */
export function workOf({ attributes }: PluginSpan): Work | undefined {
  const experiment = attributes[SPANLOOP_EXPERIMENT_ID];
  const pair = attributes[SPANLOOP_EXPERIMENT_PAIR];
  if (typeof experiment !== "string" || typeof pair !== "number") return undefined;
  const isCandidate =
    attributes[SPANLOOP_EXPERIMENT_ARM] === SPANLOOP_EXPERIMENT_ARM_VALUE_CANDIDATE;
  const slice = rangeOf(
    attributes[SPANLOOP_EXPERIMENT_SLICE_FROM],
    attributes[SPANLOOP_EXPERIMENT_SLICE_TO],
  );
  return {
    experiment,
    arm: isCandidate ? "candidate" : "incumbent",
    pair,
    ...slice === undefined ? {} : { slice },
  };
}

/** An attempt's span that has ended, as it is measured; `names`: the tunable parameters. */
export function attemptOf(span: PluginSpan, names: readonly string[]): EndedAttempt {
  const { attributes, startTime, items } = span;
  const range = rangeOf(attributes[SPANLOOP_BATCH_FROM], attributes[SPANLOOP_BATCH_TO]);
  const work = workOf(span);
  const values: Record<string, Json> = {};
  for (const name of names) {
    const value = attributes[spanloopParameter(name)];
    if (value !== undefined) values[name] = value;
  }
  return {
    start: startTime,
    end: span.endTime ?? startTime,
    outcome: span.outcome ?? "succeeded",
    attempt: span.attempt ?? 1,
    items: items === undefined ? 0 : items.processed + items.failed,
    failed: items?.failed ?? 0,
    values,
    ...range === undefined ? {} : { range },
    ...work === undefined ? {} : { work },
  };
}

function rangeOf(
  from: Json | undefined,
  to: Json | undefined,
): { readonly from: number; readonly to: number } | undefined {
  return typeof from === "number" && typeof to === "number" ? { from, to } : undefined;
}
