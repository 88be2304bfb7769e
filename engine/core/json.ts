import { SpanloopError } from "./errors.ts";

/** A value that JSON can carry. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | JsonObject;

/** A JSON object; keys are read as own properties only. */
export interface JsonObject {
  /** A member's value. */
  readonly [key: string]: Json;
}

/** Whether `value` is a JSON object, so neither null nor a list. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The deepest that a copied value may be nested; what holds itself is deeper than everything. */
const DEEPEST = 100;

/** A value that JSON cannot carry; the message names it and says what to do. */
export class NotJsonError extends SpanloopError {}

/**
 * A copy of `value` as JSON carries it, so that whoever made it cannot change it afterwards. Members that are undefined
 * are left out, as `JSON.stringify` does; `__proto__` is a key like any other. Throws NotJsonError that names the value
 * at fault, beginning with `path`.
 */
export function copyJson(value: unknown, path: string, depth = 0): Json {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      if (Number.isFinite(value)) return value;
      break;
    case "object":
      if (value === null) return null;
      if (depth > DEEPEST) {
        throw new NotJsonError(
          "json.depth",
          `${path.slice(0, 80)}… is nested too deeply, or holds itself`,
        );
      }
      if (Array.isArray(value)) return copyItems(value, path, depth);
      if (isPlain(value)) return copyMembers(value, path, depth);
  }
  throw new NotJsonError(
    "json.value",
    `${path} is ${
      kindOf(value)
    }, which JSON cannot carry; return it as text, a number, a list or ` +
      "a plain object",
  );
}

// Most items are no containers, and need no place of their own: to make it takes longer than to copy them.
function copyItems(items: readonly unknown[], path: string, depth: number): readonly Json[] {
  const result: Json[] = [];
  for (let i = 0; i < items.length; i++) {
    const item = items[i] ?? null;
    result.push(isScalar(item) ? item : copyJson(item, `${path}[${i}]`, depth + 1));
  }
  return result;
}

function copyMembers(value: object, path: string, depth: number): JsonObject {
  const result: Record<string, Json> = {};
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined) continue;
    const copied = isScalar(item) ? item : copyJson(item, `${path}.${key}`, depth + 1);
    if (key === "__proto__") {
      Object.defineProperty(result, key, {
        value: copied,
        enumerable: true,
        configurable: true,
        writable: true,
      });
    } else result[key] = copied;
  }
  return result;
}

function isScalar(value: unknown): value is string | number | boolean | null {
  return typeof value === "string" || typeof value === "boolean" || value === null ||
    Number.isFinite(value);
}

/** Whether an object is a plain one, of no class. */
export function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/** What a value is, for a sentence: "a list", "a Date", "text", "NaN". */
export function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) {
    const name: unknown = value.constructor?.name;
    return `a ${typeof name === "string" && name !== "" ? name : "special object"}`;
  }
  if (typeof value === "number") return String(value);
  if (value === null || value === undefined) return "nothing";
  return typeof value === "string" ? "text" : `a ${typeof value}`;
}
