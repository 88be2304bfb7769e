import type { Json, JsonObject } from "../core/json.ts";
import type { Parameter, Tune, ValueSource } from "../core/parameter.ts";
import type { Workflow } from "../core/workflow.ts";
import { checkValue } from "../spec/values.ts";

const NONE: readonly Parameter[] = [];

/**
 * The parameters whose values a run reads anew as it goes on: `apply: live` (P3), unless the value was given for
 * this run, which fixes it (V3).
 */
export function liveParameters(
  workflow: Pick<Workflow, "params">,
  sources: Readonly<Record<string, ValueSource>>,
): readonly Parameter[] {
  let found: Parameter[] | undefined;
  for (const parameter of workflow.params.values()) {
    if (parameter.tune?.apply !== "live") continue;
    const source = sources[parameter.name];
    if (source === "tuned" || source === "default") (found ??= []).push(parameter);
  }
  return found ?? NONE;
}

/**
 * The values of `parameters` under `tuned`; one that is not in it has its default. A value that does not hold by
 * the contract that the run began with, such as after the author has widened its bounds, is left: the pinned one
 * stays (P1, R4).
 */
export function liveValues(
  parameters: readonly Parameter[],
  pinned: JsonObject,
  tuned: Readonly<Record<string, Json>>,
): JsonObject {
  const values: Record<string, Json> = {};
  for (const parameter of parameters) {
    const { name } = parameter;
    const value = Object.hasOwn(tuned, name) ? tuned[name] : parameter.default;
    values[name] = value !== undefined && holds(parameter, value) ? value : pinned[name];
  }
  return values;
}

/** Whether a tuned value is one that the workflow's file allows (P1). */
export function holds(parameter: Parameter, value: Json): boolean {
  const { default: initial, tune } = parameter;
  if (checkValue(parameter, value) !== undefined) return false;
  return value === initial || tune === undefined || within(tune, value);
}

function within({ min, max, choices }: Tune, value: Json): boolean {
  if (typeof value === "string") return choices?.includes(value) ?? true;
  if (typeof value !== "number") return true;
  return (min === undefined || value >= min) && (max === undefined || value <= max);
}
