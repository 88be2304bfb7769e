import type { HrTime } from "@opentelemetry/api";

/** The longest that is shown of a value, in characters. */
export const LONGEST_VALUE = 60;
// How many attributes a line shows.
const MOST_ATTRIBUTES = 6;

// C0, DEL, C1, and the marks that reorder or hide text: a terminal must not act on what a span says.
const CONTROLS =
  // deno-lint-ignore no-control-regex
  /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;
const NAMED: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** What a piece of text is, for its colour. */
export type Tone = "good" | "bad" | "uncertain" | "quiet" | "strong";

const SGR: Readonly<Record<Tone, readonly [number, number]>> = {
  good: [32, 39],
  bad: [31, 39],
  uncertain: [33, 39],
  quiet: [2, 22],
  strong: [1, 22],
};

/** Colours text that is already safe for a terminal. */
export type Paint = (tone: Tone, text: string) => string;

/** Colours, or none. */
export function painter(colour: boolean): Paint {
  if (!colour) return (_, text) => text;
  return (tone, text) =>
    text === "" ? text : `\u001b[${SGR[tone][0]}m${text}\u001b[${SGR[tone][1]}m`;
}

/** Any value as one piece of text without control characters, cut at `longest` characters. */
export function shown(value: unknown, longest = LONGEST_VALUE): string {
  const text = typeof value === "string" ? value : jsonOf(value);
  // What is cut away need not be escaped: a value may have megabytes.
  const head = [...text.slice(0, longest * 2)];
  const cut = head.length > longest || text.length > longest * 2;
  return (cut ? `${head.slice(0, longest - 1).join("")}…` : text).replace(CONTROLS, escaped);
}

/** Attributes as `key=value key=value`, those of `hidden` left out, and how many more there are. */
export function attributesText(
  attributes: Readonly<Record<string, unknown>>,
  hidden: ReadonlySet<string> = new Set(),
): string {
  const entries = Object.entries(attributes).filter(([key, value]) =>
    !hidden.has(key) && value !== undefined
  );
  const parts = entries.slice(0, MOST_ATTRIBUTES).map(([key, value]) =>
    `${shown(key)}=${quoted(shown(value))}`
  );
  const more = entries.length - parts.length;
  return [...parts, ...(more > 0 ? [`+${more}`] : [])].join(" ");
}

/** The time of day in UTC, to the millisecond. */
export function timeOfDay(time: HrTime | bigint): string {
  const ms = typeof time === "bigint"
    ? Number(time / 1_000_000n)
    : time[0] * 1_000 + Math.floor(time[1] / 1e6);
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? "--:--:--.---Z" : date.toISOString().slice(11);
}

/** Nanoseconds as OpenTelemetry's SDK has them, in milliseconds. */
export function milliseconds([seconds, nanoseconds]: HrTime): number {
  return seconds * 1_000 + nanoseconds / 1e6;
}

function quoted(text: string): string {
  return /[\s"]/.test(text) || text === "" ? JSON.stringify(text).replaceAll("\\\\", "\\") : text;
}

function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value, (_, part) => typeof part === "bigint" ? String(part) : part) ??
      String(value);
  } catch {
    return "[circular]"; // only what nobody could export either
  }
}

function escaped(control: string): string {
  const code = control.charCodeAt(0).toString(16);
  return NAMED[control] ?? (code.length > 2 ? `\\u${code}` : `\\x${code.padStart(2, "0")}`);
}
