import type { Json } from "../core/json.ts";

/** A point in time: milliseconds since 1970 in UTC. */
export class Timestamp {
  /** Makes one of milliseconds since 1970 in UTC. */
  constructor(readonly ms: number) {}
}

/** A length of time in milliseconds; may be negative. */
export class Duration {
  /** Makes one of milliseconds. */
  constructor(readonly ms: number) {}
}

/** What an expression works with: JSON, and times on the way. */
export type Value = Json | Timestamp | Duration | readonly Value[] | {
  readonly [key: string]: Value;
};

/** The kinds of value, as the checker and the messages name them. */
export type Kind =
  | "null"
  | "boolean"
  | "number"
  | "string"
  | "list"
  | "object"
  | "timestamp"
  | "duration";

/** The kind of a value. */
export function kindOf(value: Value): Kind {
  switch (typeof value) {
    case "string":
    case "number":
    case "boolean":
      return typeof value as Kind;
    default:
      if (value === null) return "null";
      if (Array.isArray(value)) return "list";
      if (value instanceof Timestamp) return "timestamp";
      return value instanceof Duration ? "duration" : "object";
  }
}

const NAMES: Readonly<Record<Kind | "any", string>> = {
  null: "null",
  boolean: "true or false",
  number: "a number",
  string: "a text",
  list: "a list",
  object: "an object",
  timestamp: "a timestamp",
  duration: "a duration",
  any: "any value",
};

/** A kind as it stands in a sentence: `a number`. */
export function nameOf(kind: Kind | "any"): string {
  return NAMES[kind];
}

/** A time as text: RFC 3339 in UTC, or seconds such as `90s`, which the language reads as a duration. */
export function timeText(value: Timestamp | Duration): string {
  // A Date of given milliseconds reads no clock.
  if (value instanceof Timestamp) return new Date(value.ms).toISOString().replace(".000Z", "Z");
  return `${value.ms / 1_000}s`;
}

/** A value as it stands inside text: null is empty, lists and objects are JSON. */
export function textOf(value: Json): string {
  if (typeof value === "string") return value;
  return value === null ? "" : JSON.stringify(value);
}
