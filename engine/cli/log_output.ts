import type { LogConsumer, LogRecord, Severity } from "../core/log.ts";
import { type Arguments, UsageError } from "./arguments.ts";
import type { Caller } from "./caller.ts";
import { wallTime } from "./follower.ts";
import { makeStyle } from "./style.ts";
import { lines } from "./text.ts";

/** Whether `--log-format` or SPANLOOP_LOG_FORMAT asks for JSON. Throws UsageError for what is no format. */
export function wantsJsonLogs(args: Arguments, caller: Pick<Caller, "env">): boolean {
  if (!args.command.options.some(({ name }) => name === "log-format")) return false;
  const format = args.value("log-format") ?? caller.env("SPANLOOP_LOG_FORMAT") ?? "text";
  if (format === "text" || format === "json") return format === "json";
  throw new UsageError(
    `SPANLOOP_LOG_FORMAT is \`text\` or \`json\`, not \`${format}\``,
    args.command.name,
  );
}

/**
 * A caller to whom everything on stderr is a log record on a line of its own: the engine's records by `log`, and
 * what commands say there by themselves, line by line.
 */
export function withJsonLogs(caller: Caller): Caller {
  const log = (record: LogRecord) => caller.err(jsonLine(record));
  return {
    ...caller,
    errStyle: makeStyle(false),
    animated: false,
    log,
    err: (text) => {
      for (const line of lines(text)) if (line.trim() !== "") say(log, "info", line);
    },
  };
}

/** Says what a command has to say itself. */
export function say(log: LogConsumer, severity: Severity, body: string): void {
  log({ time: wallTime(), severity, body });
}

/** A record as one line of JSON: its time in RFC 3339 with nanoseconds, what it does not have left out. */
export function jsonLine(record: LogRecord): string {
  const { time, severity, body, eventName, attributes = {}, span, workflow, runId, stepId } =
    record;
  return JSON.stringify({
    time: rfc3339(time),
    severity,
    body,
    event_name: eventName,
    trace_id: span?.traceId,
    span_id: span?.spanId,
    workflow,
    run_id: runId,
    step_id: stepId,
    attributes,
  }) + "\n";
}

function rfc3339(time: bigint): string {
  const seconds = new Date(Number(time / 1_000_000_000n) * 1_000).toISOString().slice(0, 19);
  return `${seconds}.${String(time % 1_000_000_000n).padStart(9, "0")}Z`;
}
