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
