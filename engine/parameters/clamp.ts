import type { Parameter } from "../core/parameter.ts";

/** What is left of a wanted value. */
export interface Clamped {
  /** The value that may be applied. */
  readonly value: number;
  /** What cut it, in words such as `max 5000` and `max_step 4x from 20`; empty when nothing did. */
  readonly by: readonly string[];
}

/**
 * Cuts a wanted number to what the contract allows (P1): to `max_step` from the incumbent, to the bounds of the
 * parameter and of its `tune`, and to `step`, whose grid begins at `min`. Where no value is left that keeps all of
 * it, the incumbent stays; one that is itself out of bounds goes to the nearest bound, whatever `max_step` says.
 */
export function clamp(
  parameter: Parameter,
  wanted: number,
  incumbent: number | undefined,
): Clamped {
  const by: string[] = [];
  const bounds = boundsOf(parameter);
  const reach = incumbent === undefined ? undefined : reachOf(parameter, incumbent);
  let [low, high] = bounds;
  if (reach !== undefined && reach[0] <= high && reach[1] >= low) {
    low = Math.max(low, reach[0]);
    high = Math.min(high, reach[1]);
  }
  let value = Math.min(high, Math.max(low, wanted));
  if (wanted > bounds[1]) by.push(`max ${bounds[1]}`);
  if (wanted < bounds[0]) by.push(`min ${bounds[0]}`);
  if (reach !== undefined && (wanted < reach[0] || wanted > reach[1])) {
    by.push(`max_step ${maxStepText(parameter)} from ${incumbent}`);
  }
  const onGrid = toGrid(parameter, value, low, high);
  if (onGrid === undefined) {
    // Between the incumbent and the next value that the grid allows there is more than max_step.
    const kept = incumbent !== undefined && incumbent >= bounds[0] && incumbent <= bounds[1];
    value = kept ? incumbent : toGrid(parameter, value, ...bounds) ?? value;
    by.push(gridText(parameter));
  } else {
    if (onGrid !== value && by.length === 0) by.push(gridText(parameter));
    value = onGrid;
  }
  // Minus zero is no value of its own anywhere else.
  return { value: value === 0 ? 0 : value, by: value === wanted ? [] : by };
}

/** The least and the greatest value that a parameter may be tuned to. */
export function boundsOf({ min, max, tune }: Parameter): [number, number] {
  return [
    Math.max(min ?? -Infinity, tune?.min ?? -Infinity),
    Math.min(max ?? Infinity, tune?.max ?? Infinity),
  ];
}

/** What `max_step` lets a value of `incumbent` become in one change: from, to. */
export function reachOf({ tune }: Parameter, incumbent: number): [number, number] {
  const most = tune?.maxStep;
  if (most === undefined) return [-Infinity, Infinity];
  if ("amount" in most) return [incumbent - most.amount, incumbent + most.amount];
  const [near, far] = [incumbent / most.factor, incumbent * most.factor];
  return incumbent < 0 ? [far, near] : [near, far];
}

function maxStepText({ tune }: Parameter): string {
  const most = tune?.maxStep;
  if (most === undefined) return "";
  return "factor" in most ? `${most.factor}x` : String(most.amount);
}

function gridText({ type, tune }: Parameter): string {
  if (tune?.step !== undefined) return `step ${tune.step}`;
  return type === "integer" ? "whole numbers" : "its bounds";
}

// The value of the grid in [low, high] that is nearest to `value`; undefined when there is none.
function toGrid(
  { type, tune }: Parameter,
  value: number,
  low: number,
  high: number,
): number | undefined {
  const step = tune?.step ?? (type === "integer" ? 1 : undefined);
  if (step === undefined || !(step > 0)) return value;
  const from = tune?.min ?? 0;
  const digits = Math.max(decimals(step), decimals(from));
  const at = (index: number) => Number((from + index * step).toFixed(digits));
  const index = Math.round((value - from) / step);
  // Rounding leads at most one step out of the range.
  for (const candidate of [index, value < at(index) ? index - 1 : index + 1]) {
    if (at(candidate) >= low && at(candidate) <= high) return at(candidate);
  }
  return undefined;
}

// Digits after the point in the shortest decimal form, as far as toFixed takes them.
function decimals(value: number): number {
  const [digits, exponent = "0"] = String(value).split("e");
  const fraction = digits.split(".")[1]?.length ?? 0;
  return Math.min(100, Math.max(0, fraction - Number(exponent)));
}
