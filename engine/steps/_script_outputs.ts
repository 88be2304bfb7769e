import { StepError } from "../core/errors.ts";
import type { Json, JsonObject } from "../core/json.ts";
import type { StepResult } from "../core/step.ts";
import { reportedItems } from "./_items.ts";

const NOTHING: StepResult = Object.freeze({ outputs: Object.freeze({}) });

// Deeper than any output is meant to be; a cycle is deeper than everything.
const DEPTH = 100;

/**
 * A script's result from what it returned: nothing, or an object that JSON can carry, which is copied so
 * that the script cannot change it afterwards. Throws StepError that names the value at fault.
 */
export function scriptResult(returned: unknown, batchSize: number | undefined): StepResult {
  if (returned === undefined || returned === null) return NOTHING;
  if (typeof returned !== "object" || !isPlain(returned)) {
    throw new StepError(
      "script.outputs",
      `The script must return an object of outputs or nothing, but returned ${kindOf(returned)}`,
    );
  }
  const outputs = copy(returned, "outputs", 0) as JsonObject;
  return { outputs, items: reportedItems(outputs, batchSize) };
}

function copy(value: unknown, path: string, depth: number): Json {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      if (Number.isFinite(value)) return value;
      break;
    case "object":
      if (value === null) return null;
      if (depth > DEPTH) {
        throw new StepError(
          "script.outputs",
          `${path.slice(0, 80)}… is nested too deeply, or holds itself`,
        );
      }
      if (Array.isArray(value)) {
        return value.map((item, i) => copy(item ?? null, `${path}[${i}]`, depth + 1));
      }
      if (isPlain(value)) return copyObject(value, path, depth);
  }
  throw new StepError(
    "script.outputs",
    `${path} is ${
      kindOf(value)
    }, which JSON cannot carry; return it as text, a number, a list or ` +
      "a plain object",
  );
}

function copyObject(value: object, path: string, depth: number): JsonObject {
  const result: Record<string, Json> = {};
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined) continue; // as JSON.stringify does
    const copied = copy(item, `${path}.${key}`, depth + 1);
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

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) {
    return `a ${value.constructor?.name ?? "special object"}`;
  }
  if (typeof value === "number") return String(value);
  return typeof value === "string" ? "text" : `a ${typeof value}`;
}
