import type { Status } from "../../core/span.ts";
import { type Arguments, UsageError } from "../arguments.ts";
import type { Caller } from "../caller.ts";
import { wallTime } from "../follower.ts";
import { withEngine } from "../open_engine.ts";
import { runsTable, summaryJson } from "../runs_table.ts";

/** `runs`. */
export async function execute(args: Arguments, caller: Caller): Promise<number> {
  const limit = args.value("limit") ?? "20";
  if (!/^[1-9]\d{0,6}$/.test(limit)) {
    throw new UsageError(`--limit takes a whole number from 1, not \`${limit}\``, "runs");
  }
  const workflow = args.value("workflow");
  const statuses = args.all("status") as readonly Status[]; // the table lists them as choices
  const runs = await withEngine(args, caller, caller.cwd, (engine) =>
    engine.runs({
      limit: Number(limit),
      ...workflow === undefined ? {} : { workflow },
      ...statuses.length === 0 ? {} : { statuses },
    }));
  if (args.flag("json")) {
    caller.out(JSON.stringify(runs.map(summaryJson)) + "\n");
  } else {
    const columns = caller.outTerminal ? caller.size().columns : Infinity;
    caller.out(runsTable(runs, { now: wallTime(), columns }, caller.outStyle).join("\n") + "\n");
  }
  return 0;
}
