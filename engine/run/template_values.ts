import { parseDuration } from "../core/duration.ts";
import { SpanloopError } from "../core/errors.ts";
import { isObject, type Json } from "../core/json.ts";
import type { Scope, Template } from "../core/scope.ts";
import { type Attributes, isAttributeValue } from "../core/span.ts";

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
