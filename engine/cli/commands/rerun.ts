import { type Arguments, UsageError } from "../arguments.ts";
import type { Caller } from "../caller.ts";
import { follow } from "../follow.ts";
import { withEngine } from "../open_engine.ts";

/** `rerun RUN`. */
export async function execute(args: Arguments, caller: Caller): Promise<number> {
  const from = args.value("from");
  if (from !== undefined && args.flag("failed")) {
    throw new UsageError("`rerun` takes either --from or --failed", "rerun");
  }
  return await withEngine(args, caller, caller.cwd, async (engine, warnings) => {
    const { runId } = await engine.find(args.operands[0]);
    return await follow(
      args,
      caller,
      { engine, warnings },
      (options) =>
        engine.rerun(runId, {
          ...options,
          failed: args.flag("failed"),
          ...from === undefined ? {} : { from },
        }),
      (report) => {
        if (args.flag("json")) caller.out(JSON.stringify(report) + "\n");
      },
    );
  });
}
