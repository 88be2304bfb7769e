import { SpanloopError } from "../../core/errors.ts";
import type { Arguments } from "../arguments.ts";
import type { Caller } from "../caller.ts";
import { wallTime } from "../follower.ts";
import { meant } from "../meant.ts";
import { withEngine } from "../open_engine.ts";

/** `show RUN`. */
export async function execute(args: Arguments, caller: Caller): Promise<number> {
  const history = await withEngine(args, caller, caller.cwd, async (engine) => {
    const { runId } = await engine.find(args.operands[0]);
    return await engine.history(runId);
  });
  const id = args.value("step");
  const step = history.steps.find(({ report }) => report.id === id);
  if (id !== undefined && step === undefined) {
    const others = meant(id, history.steps.map(({ report }) => report.id));
    throw new SpanloopError(
      "step.unknown",
      `Run ${history.summary.runId} has no step \`${id}\`${others}`,
      { exitCode: 2 },
    );
  }
  if (args.flag("json")) {
    const { historyJson, stepJson } = await import("../history_json.ts");
    caller.out(JSON.stringify(step === undefined ? historyJson(history) : stepJson(step)) + "\n");
    return 0;
  }
  const { showLines, showStepLines } = await import("../show_lines.ts");
  const view = { columns: caller.size().columns, now: wallTime() };
  const lines = step === undefined
    ? showLines(history, view, caller.outStyle)
    : showStepLines(history, step, view, caller.outStyle);
  caller.out(lines.join("\n") + "\n");
  return 0;
}
