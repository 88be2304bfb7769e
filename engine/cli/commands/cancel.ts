import { SpanloopError } from "../../core/errors.ts";
import type { Arguments } from "../arguments.ts";
import type { Caller } from "../caller.ts";
import { withEngine } from "../open_engine.ts";
import { words } from "../style.ts";

/** `cancel RUN`: leaves word for the process that holds it. */
export async function execute(args: Arguments, caller: Caller): Promise<number> {
  return await withEngine(args, caller, caller.cwd, async (engine) => {
    const run = await engine.find(args.operands[0]);
    if (!await engine.cancel(run.runId)) {
      const { status } = await engine.find(run.runId);
      throw new SpanloopError(
        "run.ended",
        `Run ${run.runId} has ended (${words(status)}); there is nothing to cancel`,
      );
    }
    caller.out(
      args.flag("json")
        ? JSON.stringify({ run_id: run.runId, cancelling: true }) + "\n"
        : `Run ${run.runId} is being cancelled; its finally steps run first.\n`,
    );
    return 0;
  });
}
