import type { Status } from "../../core/span.ts";
import { type Arguments, UsageError } from "../arguments.ts";
import { type Caller, display } from "../caller.ts";
import { wallTime } from "../follower.ts";
import { withEngine } from "../open_engine.ts";
import { clean } from "../text.ts";
import { runsTable, summaryJson } from "../runs_table.ts";

/** `runs`. */
export async function execute(args: Arguments, caller: Caller): Promise<number> {
  const limit = args.value("limit") ?? "20";
  if (!/^[1-9]\d{0,6}$/.test(limit)) {
    throw new UsageError(`--limit takes a whole number from 1, not \`${limit}\``, "runs");
  }
  const workflow = args.value("workflow");
  const statuses = args.all("status") as readonly Status[]; // the table lists them as choices
  const filtered = workflow !== undefined || statuses.length > 0;
  const [runs, none] = await withEngine(args, caller, caller.cwd, async (engine) => {
    const found = await engine.runs({
      limit: Number(limit),
      ...workflow === undefined ? {} : { workflow },
      ...statuses.length === 0 ? {} : { statuses },
    });
    return [found, found.length > 0 ? "" : noneOf(engine.location, filtered, caller)];
  });
  if (args.flag("json")) {
    caller.out(JSON.stringify(runs.map(summaryJson)) + "\n");
  } else {
    const columns = caller.outTerminal ? caller.size().columns : Infinity;
    caller.out(
      runsTable(runs, { now: wallTime(), columns, none }, caller.outStyle).join("\n") + "\n",
    );
  }
  return 0;
}

function noneOf(location: string, filtered: boolean, caller: Caller): string {
  const file = location.replace(/^sqlite:/, "");
  if (location !== file && !exists(file)) {
    return `There are no runs yet: there is no store at ${clean(display(caller, file))}`;
  }
  return filtered ? "There are no such runs." : "There are no runs yet.";
}

function exists(file: string): boolean {
  try {
    Deno.statSync(file);
    return true;
  } catch {
    return false;
  }
}
