import { formatDuration } from "../core/duration.ts";
import type { Json } from "../core/json.ts";
import type { Workflow } from "../core/workflow.ts";
import { count, value } from "./figures.ts";
import { clean } from "./text.ts";

/** What a workflow is tuned for, as text. */
export interface ObjectiveText {
  /** Whether less or more is better. */
  readonly direction: "minimize" | "maximize";
  /** The expression's text. */
  readonly expression: string;
  /** The step that it is of. */
  readonly of: string;
}

/** The objective of a workflow; undefined without one. */
export function objectiveOf({ tune }: Pick<Workflow, "tune">): ObjectiveText | undefined {
  const objective = tune?.objective;
  return objective && { ...objective, expression: objective.expression.source };
}

/** What the objective is, in a few words: `duration / items of load, less is better`. */
export function objectiveTitle({ direction, expression, of }: ObjectiveText): string {
  const better = direction === "minimize" ? "less" : "more";
  return `${clean(expression)} of ${clean(of)}, ${better} is better`;
}

/** A value of the objective: a time or a rate where the expression is one, else a number. */
export function objectiveValue(amount: number, objective: ObjectiveText): string {
  const unit = { "duration/items": " an item", "items/duration": " items/s" }[bare(objective)] ??
    "";
  return objectiveFigure(amount, objective) + unit;
}

/** The same without what it is of, for an axis. */
export function objectiveFigure(amount: number, objective: ObjectiveText): string {
  return ["duration/items", "duration"].includes(bare(objective))
    ? seconds(amount)
    : figure(amount);
}

function bare({ expression }: ObjectiveText): string {
  return expression.replaceAll(" ", "");
}

/** A number with three significant digits: `0.0123`, `12.3`, `12,300`. */
export function figure(amount: number): string {
  const rounded = Number(amount.toPrecision(3));
  const size = Math.abs(rounded);
  return size >= 1_000 && size < 1e15 ? `${amount < 0 ? "-" : ""}${count(size)}` : String(rounded);
}

/** A time with three significant digits: `1.23 µs`, `512 µs`, `12.3 s`; from a minute on as people say it. */
export function seconds(amount: number): string {
  if (amount >= 59.95) return formatDuration(amount * 1_000);
  if (amount >= 0.9995) return `${figure(amount)} s`;
  if (amount >= 0.0009995) return `${figure(amount * 1e3)} ms`;
  return amount >= 9.995e-7 ? `${figure(amount * 1e6)} µs` : `${figure(amount * 1e9)} ns`;
}

/** A share in percent with as many digits as matter: `0 %`, `0.12 %`, `25 %`. */
export function percent(share: number): string {
  return `${Number((share * 100).toPrecision(2))} %`;
}

/** How many times better `to` is than `from`; above 1 it is better. */
export function betterBy(from: number, to: number, { direction }: ObjectiveText): number {
  return direction === "minimize" ? from / to : to / from;
}

/** That in words: `3.9x better`, `1.2x worse`, `as good`. */
export function times(ratio: number): string {
  const [size, word] = ratio >= 1 ? [ratio, "better"] : [1 / ratio, "worse"];
  if (size < 1.005) return "as good";
  return `${size < 9.95 ? Number(size.toPrecision(size < 1.095 ? 3 : 2)) : count(size)}x ${word}`;
}

/** Values by name on one line: `batch_size 80, concurrency 4`. */
export function valuesText(values: Readonly<Record<string, Json>>): string {
  return Object.entries(values).map(([name, json]) => `${clean(name)} ${value(json)}`).join(", ");
}

/** The middle of some numbers; undefined of none. */
export function median(numbers: readonly number[]): number | undefined {
  const sorted = numbers.toSorted((one, other) => one - other);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 || sorted.length === 0
    ? sorted[half]
    : (sorted[half - 1] + sorted[half]) / 2;
}
