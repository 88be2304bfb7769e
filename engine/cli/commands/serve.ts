import type { LogRecord } from "../../core/log.ts";
import { type Arguments, UsageError } from "../arguments.ts";
import { absolute, type Caller, display, OutputClosed } from "../caller.ts";
import { shortId, stamp } from "../figures.ts";
import { bodyOf } from "../log_body.ts";
import { interruption } from "../interruption.ts";
import { withEngine } from "../open_engine.ts";
import { addressOf, tokenOf } from "../receiver_address.ts";
import { iso } from "../runs_table.ts";
import { clean } from "../text.ts";

/** `serve FOLDER`: one line for each thing that happens, until a signal stops it gently. */
export async function execute(args: Arguments, caller: Caller): Promise<number> {
  const folder = absolute(caller, args.operands[0]);
  const otlp = args.value("otlp");
  const receiver = { ...addressOf(otlp ?? "0", args), ...tokenOf(args, caller) };
  if (otlp === undefined && receiver.token !== undefined) {
    throw new UsageError("A token is for --otlp, which was not given", "serve");
  }
  const stop = interruption((message) => caller.err(`${message}\n`), () => {}, "stopping");
  const closed = new AbortController();
  const print = (record: LogRecord) => {
    try {
      caller.out(line(record, args.flag("json"), caller));
    } catch (error) {
      if (!(error instanceof OutputClosed)) throw error;
      closed.abort(); // nobody listens any more
    }
  };
  // What happens in steps is for the runs' own pages, and for logs.
  const printed = caller.log === undefined || args.flag("json");
  try {
    await withEngine(args, caller, folder, (engine, warnings) => {
      let told = false;
      // They are among the events.
      warnings.show = () => {};
      engine.onLog((record) => {
        // With the first event, since a folder that cannot be served needs no store.
        if (!told) caller.err(storeLine(engine.location, caller));
        told = true;
        if (printed && record.stepId === undefined) print(record);
      }, "info");
      return engine.serve(folder, {
        signal: AbortSignal.any([stop.signal, closed.signal]),
        force: stop.force,
        display: args.operands[0],
        watch: args.flag("watch"),
        ...otlp === undefined ? {} : { receiver },
      });
    });
  } finally {
    stop.dispose();
  }
  return 0;
}

function storeLine(location: string, caller: Caller): string {
  return caller.errStyle.dim(`store ${display(caller, location.replace(/^sqlite:/, ""))}`) + "\n";
}

function line(record: LogRecord, json: boolean, caller: Caller): string {
  const { time, severity, workflow, runId } = record;
  const body = bodyOf(record);
  if (json) {
    return JSON.stringify({
      at: iso(time),
      level: severity,
      message: body,
      workflow: workflow ?? null,
      run_id: runId ?? null,
    }) + "\n";
  }
  const style = caller.outStyle;
  const about = [
    ...workflow === undefined ? [] : [style.bold(clean(workflow))],
    ...runId === undefined ? [] : [style.dim(shortId(runId))],
  ];
  const message = severity === "error"
    ? style.red(`error: ${clean(body)}`)
    : severity === "warn"
    ? style.yellow(`warning: ${clean(body)}`)
    : clean(body);
  return `${style.dim(stamp(time))}  ${[...about, message].join("  ")}\n`;
}
