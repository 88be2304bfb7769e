import type { Json } from "../core/json.ts";
import { messageOf } from "../core/errors.ts";
import { parseDuration } from "../core/duration.ts";
import { ExpressionError } from "./error.ts";
import { type Frame, measure } from "./_frame.ts";
import { MAX_TEXT } from "./_limits.ts";
import { type Overload, overload, quoted } from "./_overload.ts";
import { STRING_METHODS } from "./_strings.ts";
import { TIME_METHODS } from "./_times.ts";
import { Duration, Timestamp, timeText, type Value } from "./_values.ts";

const same = (args: readonly Value[]): Value => args[0];
const sizes: readonly Overload[] = [
  overload(["string"], "number", ([text], frame) => {
    frame.charge((text as string).length >> 4);
    let size = 0;
    for (const _ of text as string) size++; // CEL counts code points, not UTF-16 units
    return size;
  }),
  overload(["list"], "number", ([list]) => (list as readonly Value[]).length),
  overload(["object"], "number", ([object], frame) => {
    const { length } = Object.keys(object as object);
    frame.charge(length);
    return length;
  }),
];

/** The functions, by name: CEL's own, and json and toJson. */
export const FUNCTIONS: ReadonlyMap<string, readonly Overload[]> = new Map([
  ["size", sizes],
  ["int", [
    overload(["number"], "number", ([number]) => safe(Math.trunc(number as number))),
    overload(["string"], "number", ([text]) => integer(text as string)),
    overload(["timestamp"], "number", ([time]) => Math.floor((time as Timestamp).ms / 1_000)),
  ]],
  ["double", [
    overload(["number"], "number", same),
    overload(["string"], "number", ([text]) => real(text as string)),
  ]],
  ["string", [
    overload(["string"], "string", same),
    overload(["number"], "string", ([number]) => JSON.stringify(number)),
    overload(["boolean"], "string", ([truth]) => String(truth)),
    overload(["timestamp"], "string", ([time]) => timeText(time as Timestamp)),
    overload(["duration"], "string", ([time]) => timeText(time as Duration)),
  ]],
  ["bool", [
    overload(["boolean"], "boolean", same),
    overload(["string"], "boolean", ([text]) => truth(text as string)),
  ]],
  ["json", [overload(["string"], "any", ([text], frame) => parseJson(text as string, frame))]],
  ["toJson", [overload(["any"], "string", ([value], frame) => writeJson(value, frame))]],
  ["matches", STRING_METHODS.get("matches") ?? []],
  ["duration", [overload(["string"], "duration", ([text]) => {
    const ms = parseDuration(text as string);
    if (ms !== undefined) return new Duration(ms);
    throw new ExpressionError(
      `${quoted(text)} is not a duration; write one such as "90s", "1h30m" or "500ms"`,
    );
  })]],
  ["timestamp", [
    overload(["string"], "timestamp", ([text]) => {
      const ms = RFC_3339.test(text as string) ? Date.parse(text as string) : NaN;
      if (!Number.isNaN(ms)) return new Timestamp(ms);
      throw new ExpressionError(
        `${quoted(text)} is not a timestamp; write one such as "2026-01-31T12:00:00Z"`,
      );
    }),
    overload(["number"], "timestamp", ([seconds]) => {
      const ms = (seconds as number) * 1_000;
      if (Math.abs(ms) <= 8.64e15) return new Timestamp(ms);
      throw new ExpressionError("timestamp() takes seconds since 1970; this number is too large");
    }),
  ]],
]);

/** The methods, by name. */
export const METHODS: ReadonlyMap<string, readonly Overload[]> = new Map([
  ["size", sizes],
  ...STRING_METHODS,
  ...TIME_METHODS,
]);

const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/** A number that JSON can carry exactly, or ExpressionError. */
export function safe(number: number): number {
  if (Number.isSafeInteger(number)) return number + 0;
  throw new ExpressionError(
    `${number} is beyond 2^53 - 1, the largest integer of JSON; keep it as text`,
  );
}

function integer(text: string): number {
  // Blanks around are what command output has (`wc -l` pads on some systems).
  const trimmed = text.trim();
  if (/^[+-]?\d+$/.test(trimmed)) return safe(Number(trimmed));
  throw new ExpressionError(
    `int() cannot read ${quoted(text)} as an integer` +
      (isReal(trimmed) ? "; write int(double(...)) to cut off its fraction" : ""),
  );
}

function real(text: string): number {
  const trimmed = text.trim();
  if (isReal(trimmed)) return Number(trimmed);
  throw new ExpressionError(`double() cannot read ${quoted(text)} as a number`);
}

function isReal(text: string): boolean {
  return /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) && Number.isFinite(Number(text));
}

function truth(text: string): boolean {
  const known = new Map([["true", true], ["false", false], ["1", true], ["0", false]]);
  const value = known.get(text.trim().toLowerCase());
  if (value !== undefined) return value;
  throw new ExpressionError(`bool() cannot read ${quoted(text)}; it takes true, false, 1 or 0`);
}

function parseJson(text: string, frame: Frame): Json {
  frame.charge(text.length >> 3);
  try {
    const value = JSON.parse(text) as Json;
    if (/\d{16}/.test(text)) JSON.parse(text, refuseLoss);
    return value;
  } catch (thrown) {
    if (thrown instanceof ExpressionError) throw thrown;
    throw new ExpressionError(`json() cannot read ${quoted(text)}: ${messageOf(thrown)}`, {
      cause: thrown,
    });
  }
}

// JSON.parse rounds long integers without a word; the source text shows which ones.
function refuseLoss(_key: string, value: unknown, context?: { source?: string }): unknown {
  const source = context?.source;
  if (typeof value === "number" && source !== undefined && /^-?\d+$/.test(source)) safe(value);
  return value;
}

function writeJson(value: Value, frame: Frame): string {
  frame.charge(measure(value, MAX_TEXT));
  const text = JSON.stringify(toJson(value));
  frame.text(text.length);
  return text;
}

/** A value as JSON: times become text. */
export function toJson(value: Value): Json {
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Timestamp || value instanceof Duration) return timeText(value);
  if (Array.isArray(value)) return value.map(toJson);
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, toJson(part)]));
}
