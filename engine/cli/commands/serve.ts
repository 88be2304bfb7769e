import type { ServeEvent } from "../../engine.ts";
import type { Arguments } from "../arguments.ts";
import { absolute, type Caller, display, OutputClosed } from "../caller.ts";
import { shortId, stamp } from "../figures.ts";
import { interruption } from "../interruption.ts";
import { withEngine } from "../open_engine.ts";
import { iso } from "../runs_table.ts";
import { clean } from "../text.ts";

/** `serve FOLDER`: one line for each thing that happens, until a signal stops it gently. */
export async function execute(args: Arguments, caller: Caller): Promise<number> {
  const folder = absolute(caller, args.operands[0]);
  const stop = interruption((message) => caller.err(`${message}\n`), () => {}, "stopping");
  const closed = new AbortController();
  const onLog = (event: ServeEvent) => {
    try {
      caller.out(line(event, args.flag("json"), caller));
    } catch (error) {
      if (!(error instanceof OutputClosed)) throw error;
      closed.abort(); // nobody listens any more
    }
  };
  try {
    await withEngine(args, caller, folder, (engine) => {
      let told = false;
      return engine.serve(folder, {
        signal: AbortSignal.any([stop.signal, closed.signal]),
        force: stop.force,
        display: args.operands[0],
        onLog: (event) => {
          // With the first event, since a folder that cannot be served needs no store.
          if (!told) caller.err(storeLine(engine.location, caller));
          told = true;
          onLog(event);
        },
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

function line(event: ServeEvent, json: boolean, caller: Caller): string {
  if (json) {
    return JSON.stringify({
      at: iso(event.at),
      level: event.level,
      message: event.message,
      workflow: event.workflow ?? null,
      run_id: event.runId ?? null,
    }) + "\n";
  }
  const style = caller.outStyle;
  const message = event.level === "error"
    ? style.red(`error: ${clean(event.message)}`)
    : clean(event.message);
  const about = [
    ...event.workflow === undefined ? [] : [style.bold(clean(event.workflow))],
    ...event.runId === undefined ? [] : [style.dim(shortId(event.runId))],
  ];
  return `${style.dim(stamp(event.at))}  ${[...about, message].join("  ")}\n`;
}
