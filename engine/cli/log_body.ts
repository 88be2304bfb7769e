import { SPANLOOP_PLUGIN_NAME } from "../../semconv/attributes.ts";
import {
  EVENT_SPANLOOP_PARAMETERS_CHANGE,
  EVENT_SPANLOOP_PLUGIN_OUTPUT,
} from "../../semconv/events.ts";
import type { LogRecord } from "../core/log.ts";

/** A log record's text for people: of a plugin's line with who says it. */
export function bodyOf({ body, eventName, attributes }: LogRecord): string {
  if (eventName !== EVENT_SPANLOOP_PLUGIN_OUTPUT) return body;
  return `plugin ${attributes?.[SPANLOOP_PLUGIN_NAME]} | ${body}`;
}

/** A log record as whoever runs a workflow sees it on a terminal; undefined for what is shown otherwise, or not at all. */
export function terminalLine(record: LogRecord): string | undefined {
  const { span, severity, body, eventName } = record;
  // What happens in a span is shown with it.
  if (span !== undefined || severity === "debug") return undefined;
  if (severity !== "info") return `${severity === "warn" ? "warning" : severity}: ${body}`;
  return eventName === EVENT_SPANLOOP_PARAMETERS_CHANGE ||
      eventName === EVENT_SPANLOOP_PLUGIN_OUTPUT
    ? bodyOf(record)
    : undefined;
}
