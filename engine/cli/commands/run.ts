import type { Arguments } from "../arguments.ts";
import type { Caller } from "../caller.ts";
import { follow } from "../follow.ts";
import { givenValues } from "../given.ts";
import { withEngine } from "../open_engine.ts";
import { workflowFile } from "../workflow_file.ts";

/** `run FILE`. */
export async function execute(args: Arguments, caller: Caller): Promise<number> {
  const shown = args.operands[0];
  const file = workflowFile(args, caller);
  const given = await givenValues(args, caller);
  return await withEngine(args, caller, file, async (engine, warnings) => {
    if (args.flag("dry-run")) {
      const plan = await engine.plan(file, given, shown);
      if (args.flag("json")) {
        caller.out(JSON.stringify(plan) + "\n");
      } else {
        const { dryRunLines } = await import("../dry_run.ts");
        caller.out(dryRunLines(plan, caller.outStyle).join("\n") + "\n");
      }
      return 0;
    }
    return await follow(
      args,
      caller,
      { engine, warnings },
      (options) => engine.run(file, { ...options, given, display: shown }),
      (report) => {
        if (args.flag("json")) caller.out(JSON.stringify(report) + "\n");
      },
    );
  });
}
