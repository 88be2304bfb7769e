import { isObject, type Json } from "../core/json.ts";
import type { PlanReport } from "../core/report.ts";
import { value } from "./figures.ts";
import type { Style } from "./style.ts";
import { clean, fit, hanging, isCramped, lines, pad, width } from "./text.ts";

// What shows them indents them, and leaves the last column free.
const MARGIN = 3;

/**
 * Parameter values in columns, with where each came from; where a terminal of `columns` is too narrow for that, one after
 * the other.
 */
export function parameterLines(
  parameters: PlanReport["parameters"],
  sources: PlanReport["sources"],
  style: Style,
  columns = Infinity,
): string[] {
  const entries = Object.entries(parameters);
  const name = Math.max(0, ...entries.map(([key]) => width(clean(key))));
  const shown = entries.map(([, json]) => fit(value(json), 48));
  const long = Math.max(0, ...shown.map(width));
  const table = entries.map(([key], index) =>
    `${pad(clean(key), name)}  ${pad(shown[index], long)}  ${style.dim(sources[key] ?? "")}`
      .trimEnd()
  );
  if (!isCramped(table, columns, MARGIN)) return table;
  const room = columns - MARGIN;
  return entries.flatMap(([key], index) => {
    const text = fit(shown[index], room - 3);
    const source = sources[key];
    const told = source === undefined ? [text] : [`${text},`, style.dim(source)];
    return hanging([clean(key), ...told], room);
  });
}

/** A value for people: an object as `key: value` lines, text of several lines below its key. */
export function jsonLines(json: Json, style: Style): string[] {
  if (typeof json === "string") return lines(json);
  if (!isObject(json) || "secret" in json) return [value(json)];
  return Object.entries(json).flatMap(([key, item]) => {
    const name = style.dim(`${clean(key)}:`);
    if (typeof item === "string") {
      const text = lines(item);
      return text.length === 1
        ? [`${name} ${text[0]}`]
        : [name, ...text.map((line) => `  ${line}`)];
    }
    if (isObject(item) && !("secret" in item) && Object.keys(item).length > 0) {
      return [name, ...jsonLines(item, style).map((line) => `  ${line}`)];
    }
    return [`${name} ${value(item)}`];
  });
}
