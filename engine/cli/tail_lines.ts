import { formatDuration } from "../core/duration.ts";
import type { ReceivedItem, TailedSpan } from "../core/received.ts";
import type { ReceivedAttributes, ReceivedValue } from "../core/span.ts";
import type { Caller } from "./caller.ts";
import { milliseconds, shortId, stamp } from "./figures.ts";
import { clean, fit } from "./text.ts";
import type { Style } from "./style.ts";

/** A span on one line: when it ended, what made it, its name, how long it took, how it ended, its attributes. */
export function spanLine({ span, service = null, runId }: TailedSpan, caller: Caller): string {
  const style = caller.outStyle;
  const message = span.message === undefined ? "" : `: ${clean(span.message)}`;
  const status = span.status === "error" ? [style.red(`error${message}`)] : [];
  return cut(
    [
      style.dim(clock(span.endTime)),
      maker(service, style),
      ...runId === undefined ? [] : [style.dim(shortId(runId))],
      style.bold(clean(span.name)),
      formatDuration(Math.max(0, milliseconds(span.startTime, span.endTime))),
      ...status,
      style.dim(attributesText(span.attributes)),
    ].join("  "),
    caller,
  );
}

/** A received span, metric or log record on one line. */
export function itemLine(item: ReceivedItem, caller: Caller): string {
  if (item.signal === "traces") return spanLine(item.span, caller);
  const style = caller.outStyle;
  const { time, signal, service = null, text } = item;
  const kind = signal === "metrics" ? "metric" : "log";
  return cut(
    [style.dim(clock(time)), maker(service, style), style.dim(kind), clean(text)].join("  "),
    caller,
  );
}

/** A received value on one line: text as it is, everything else as JSON. */
export function valueText(value: ReceivedValue): string {
  if (typeof value === "string") return value;
  if (value instanceof Uint8Array) return value.toBase64();
  return typeof value === "object"
    ? JSON.stringify(
      value,
      (_key, one) => typeof one === "bigint" ? one.toString() : bytesText(one),
    )
    : String(value);
}

function bytesText(value: unknown): unknown {
  return value instanceof Uint8Array ? value.toBase64() : value;
}

function attributesText(attributes: ReceivedAttributes): string {
  return Object.entries(attributes)
    .map(([key, value]) => `${clean(key)}=${clean(valueText(value))}`)
    .join(" ");
}

function maker(service: ReceivedValue, style: Style): string {
  return service === null ? style.dim("unknown") : clean(valueText(service));
}

function clock(at: bigint): string {
  // Beyond what a date can be, it is no time that anybody means.
  const ms = at / 1_000_000n;
  if (ms > 8_640_000_000_000_000n) return "--:--:--.---";
  return `${stamp(at).slice(11)}.${(ms % 1_000n).toString().padStart(3, "0")}`;
}

function cut(line: string, caller: Caller): string {
  return (caller.outTerminal ? fit(line, caller.size().columns) : line).trimEnd() + "\n";
}
