import type { Overload } from "./_overload.ts";
import type { Duration, Timestamp, Value } from "./_values.ts";

// A Date of given milliseconds reads no clock; all parts are in UTC.
const date = (value: Value): Date => new Date((value as Timestamp).ms);
const total = (value: Value, unit: number): number => Math.trunc((value as Duration).ms / unit);

function ofTimestamp(read: (date: Date) => number): Overload {
  return { takes: ["timestamp"], gives: "number", run: ([time]) => read(date(time)) };
}

function ofDuration(unit: number): Overload {
  return { takes: ["duration"], gives: "number", run: ([length]) => total(length, unit) };
}

/** CEL's accessors of times, in UTC: a timestamp's parts (months and days of the month from 0), a duration's whole units. */
export const TIME_METHODS: ReadonlyMap<string, readonly Overload[]> = new Map([
  ["getFullYear", [ofTimestamp((time) => time.getUTCFullYear())]],
  ["getMonth", [ofTimestamp((time) => time.getUTCMonth())]],
  ["getDate", [ofTimestamp((time) => time.getUTCDate())]],
  ["getDayOfMonth", [ofTimestamp((time) => time.getUTCDate() - 1)]],
  ["getDayOfWeek", [ofTimestamp((time) => time.getUTCDay())]],
  ["getHours", [ofTimestamp((time) => time.getUTCHours()), ofDuration(3_600_000)]],
  ["getMinutes", [ofTimestamp((time) => time.getUTCMinutes()), ofDuration(60_000)]],
  ["getSeconds", [ofTimestamp((time) => time.getUTCSeconds()), ofDuration(1_000)]],
  ["getMilliseconds", [ofTimestamp((time) => time.getUTCMilliseconds()), ofDuration(1)]],
]);
