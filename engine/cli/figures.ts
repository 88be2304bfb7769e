import { formatDuration } from "../core/duration.ts";
import type { Json } from "../core/json.ts";
import { clean } from "./text.ts";

/** Nanoseconds between two times as milliseconds. */
export function milliseconds(from: bigint, to: bigint): number {
  return Number(to - from) / 1e6;
}

/** A count with thousands separators: `20,000`. */
export function count(value: number): string {
  const digits = String(Math.round(value));
  return digits.replace(/\B(?=(\d{3})+$)/g, ",");
}

/** A count of things: `1 item`, `20,000 items`. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** Things a second, with as many digits as matter: `0.4/s`, `7.2/s`, `12,345/s`. */
export function rate(perSecond: number): string {
  return perSecond < 9.95 ? `${perSecond.toFixed(1)}/s` : `${count(perSecond)}/s`;
}

/** A time to come, to the second: `3 s`, `4 min`, `2.5 h`; at least a second. */
export function roughly(ms: number): string {
  const seconds = Math.max(1, Math.ceil(ms / 1_000));
  if (seconds < 100) return `${seconds} s`;
  if (seconds < 5_970) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800
    ? `${(seconds / 3_600).toFixed(1)} h`
    : `${Math.round(seconds / 86_400)} d`;
}

/** A change of duration with its sign: `+3.10 s`, `−120 ms`, `±0`. */
export function change(ms: number): string {
  if (Math.abs(ms) < 0.05) return "±0";
  return `${ms < 0 ? "−" : "+"}${formatDuration(Math.abs(ms))}`;
}

/** How long ago something was: `just now`, `5 min ago`, `3 h ago`, then the day. */
export function ago(at: bigint, now: bigint): string {
  const seconds = Number((now - at) / 1_000_000_000n);
  if (seconds < 5) return "just now";
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h ago`;
  if (seconds < 30 * 86_400) return `${Math.floor(seconds / 86_400)} d ago`;
  return stamp(at).slice(0, 10);
}

/** A time in the machine's zone: `2026-11-21 09:32:18`. */
export function stamp(at: bigint): string {
  const date = new Date(Number(at / 1_000_000n));
  const two = (value: number) => String(value).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ` +
    `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** A value on one line: text as it is, everything else as JSON; a secret as where it comes from. */
export function value(json: Json): string {
  if (typeof json === "string") return json === "" ? '""' : clean(json);
  if (typeof json === "object" && json !== null && "secret" in json) {
    return `secret (${clean(String(json.secret))})`;
  }
  return clean(JSON.stringify(json));
}

/** Enough of a run's id to name it, and its end, which tells runs of one moment apart. */
export function shortId(runId: string): string {
  return runId.slice(-8);
}
