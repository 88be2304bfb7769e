import type { Clock, Random } from "../core/clock.ts";
import { parseDuration } from "../core/duration.ts";
import { SpanloopError } from "../core/errors.ts";
import { isObject, type Json } from "../core/json.ts";
import type { RunEvent } from "../core/report.ts";
import type { Scope, StepView, Template } from "../core/scope.ts";
import { type Attributes, isAttributeValue } from "../core/span.ts";
import type { StepTypes } from "../core/step.ts";
import type { RunHeader } from "../core/store.ts";
import type { Step } from "../core/workflow.ts";
import type { Binding } from "../plan/bind.ts";
import type { Plan } from "../plan/plan.ts";
import type { AttemptPorts } from "./attempt.ts";
import type { Journal } from "./journal.ts";
import type { Limiter } from "./limiter.ts";

/** What the parts of one run share. */
export interface RunContext {
  /** Its plan. */
  readonly plan: Plan;
  /** What it was created with. */
  readonly header: RunHeader;
  /** Its values. */
  readonly binding: Binding;
  /** Its journal. */
  readonly journal: Journal;
  /** Attempts at once. */
  readonly limiter: Limiter;
  /** Step types by name. */
  readonly types: StepTypes;
  /** Time. */
  readonly clock: Clock;
  /** For jitter. */
  readonly random: Random;
  /** What every expression sees; `steps` and `run` change as the run goes on. */
  readonly scope: Scope & { readonly steps: Record<string, StepView> };
  /** The values the run has, as span attributes (J3). */
  readonly parameters: Attributes;
  /** What attempts use, but for what stops them. */
  readonly attempts: Omit<AttemptPorts, "cancellation">;
  /** Hears what goes on. */
  readonly onEvent: (event: RunEvent) => void;
}

/** The scope of a step: with its own `env:` on top of the workflow's. */
export function stepScope(run: RunContext, step: Step): Scope {
  const { scope } = run;
  if (isEmpty(step.env)) return scope;
  return { ...scope, env: { ...scope.env, ...texts(step.env, scope) } };
}

/** Templates whose values are text, such as an environment's. */
export function texts(
  templates: Readonly<Record<string, Template>>,
  scope: Scope,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(templates).map(([name, template]) => [name, toText(template.evaluate(scope))]),
  );
}

/** A JSON value as text: strings as they are, null as nothing, anything else as JSON. */
export function toText(value: Json): string {
  if (typeof value === "string") return value;
  return value === null ? "" : JSON.stringify(value);
}

/** A template's value as milliseconds; `what` names it in the error. */
export function durationOf(template: Template, scope: Scope, what: string): number {
  const value = template.evaluate(scope);
  const ms = typeof value === "string" ? parseDuration(value) : undefined;
  if (ms === undefined) {
    throw new SpanloopError(
      "value",
      `${what} must be a duration such as 500ms or 2m, not ${JSON.stringify(value)}`,
    );
  }
  return ms;
}

/** A template's value as a whole number of at least `least`, fractions floored (F4). */
export function wholeOf(template: Template, scope: Scope, what: string, least: number): number {
  const value = template.evaluate(scope);
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  if (typeof number !== "number" || !Number.isFinite(number)) {
    throw new SpanloopError("value", `${what} must be a number, not ${JSON.stringify(value)}`);
  }
  return Math.max(least, Math.floor(number));
}

/** Span attributes of templates: plain values and lists of one kind of them stay, anything else becomes JSON. */
export function attributesOf(
  templates: Readonly<Record<string, Template>>,
  scope: Scope,
): Attributes {
  return Object.fromEntries(
    Object.entries(templates).map(([name, template]) => {
      const value = template.evaluate(scope);
      return [
        name,
        isAttributeValue(value) ? value : isObject(value) ? JSON.stringify(value) : toText(value),
      ];
    }),
  );
}

function isEmpty(record: object): boolean {
  for (const _ in record) return false;
  return true;
}
