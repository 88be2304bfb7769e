import { parseDuration } from "../core/duration.ts";
import { isObject, type Json } from "../core/json.ts";
import type { Parameter, ParameterType } from "../core/parameter.ts";
import { matchesPattern } from "../expression/pattern.ts";

const KINDS: Readonly<Record<ParameterType, string>> = {
  string: "text",
  integer: "an integer",
  number: "a number",
  boolean: "true or false",
  duration: "a duration such as 500ms, 2m or 1h30m",
  enum: "one of its values",
  list: "a list",
  object: "an object",
  secret: "text",
};

/** Undefined when `value` fits the parameter, otherwise a sentence that says which, why and what it was. */
export function checkValue(parameter: Parameter, value: Json): string | undefined {
  const { name, type, min, max, values } = parameter;
  const wrong = (wanted: string) => `${name} must be ${wanted}, not ${show(parameter, value)}`;
  if (type === "enum") {
    if (typeof value === "string" && values?.includes(value)) return undefined;
    return wrong(`one of ${(values ?? []).join(", ")}`);
  }
  if (!hasType(type, value)) return wrong(KINDS[type]);
  if (typeof value === "number" && (type === "integer" || type === "number")) {
    const tooSmall = min !== undefined && value < min;
    const tooLarge = max !== undefined && value > max;
    if (tooSmall || tooLarge) return wrong(`${KINDS[type]} ${range(min, max)}`);
  }
  if (type === "string" && parameter.pattern !== undefined) {
    if (!matchesPattern(parameter.pattern, value as string)) {
      return wrong(`text that matches ${parameter.pattern}`);
    }
  }
  return undefined;
}

/** Reads a value given as text, on the command line or in the environment, and checks it. */
export function parseValue(
  parameter: Parameter,
  text: string,
): { value: Json } | { problem: string } {
  const value = read(parameter.type, text);
  if (value === undefined) {
    const { name, type } = parameter;
    const form = type === "list" || type === "object" ? ` written as JSON` : "";
    return { problem: `${name} must be ${KINDS[type]}${form}, not ${show(parameter, text)}` };
  }
  const problem = checkValue(parameter, value);
  return problem === undefined ? { value } : { problem };
}

/** `from 1 to 5000`, `of at least 1` or `of at most 5000`; empty without bounds. */
export function range(min: number | undefined, max: number | undefined): string {
  if (min !== undefined && max !== undefined) return `from ${min} to ${max}`;
  if (min !== undefined) return `of at least ${min}`;
  return max === undefined ? "" : `of at most ${max}`;
}

function read(type: ParameterType, text: string): Json | undefined {
  switch (type) {
    case "integer":
      return /^[+-]?\d+$/.test(text) ? Number(text) : undefined;
    case "number":
      return /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : undefined;
    case "boolean":
      return text === "true" ? true : text === "false" ? false : undefined;
    case "list":
    case "object":
      try {
        return JSON.parse(text) as Json;
      } catch {
        // Not JSON: the caller's sentence says what was wanted.
        return undefined;
      }
    default:
      return text;
  }
}

function hasType(type: ParameterType, value: Json): boolean {
  switch (type) {
    case "integer":
      return Number.isSafeInteger(value);
    case "number":
      return typeof value === "number" && Number.isFinite(value);
    case "boolean":
      return typeof value === "boolean";
    case "duration":
      return typeof value === "string" && parseDuration(value) !== undefined;
    case "list":
      return Array.isArray(value);
    case "object":
      return isObject(value);
    default:
      return typeof value === "string";
  }
}

// A secret's value is never shown (V4).
function show(parameter: Parameter, value: Json): string {
  if (parameter.type === "secret") return "what was given";
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
