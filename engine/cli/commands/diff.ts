import type { Arguments } from "../arguments.ts";
import type { Caller } from "../caller.ts";
import { compare } from "../comparison.ts";
import { wallTime } from "../follower.ts";
import { withEngine } from "../open_engine.ts";
import { summaryJson } from "../runs_table.ts";

/** `diff A B`. */
export async function execute(args: Arguments, caller: Caller): Promise<number> {
  const [a, b] = await withEngine(args, caller, caller.cwd, async (engine) => {
    const [first, second] = [
      await engine.find(args.operands[0]),
      await engine.find(args.operands[1]),
    ];
    return [await engine.history(first.runId), await engine.history(second.runId)];
  });
  const now = wallTime();
  const comparison = compare(a, b, now);
  if (args.flag("json")) {
    const json = { a: summaryJson(a.summary), b: summaryJson(b.summary), ...comparison };
    caller.out(JSON.stringify(json) + "\n");
    return 0;
  }
  const { comparisonLines } = await import("../comparison_lines.ts");
  const columns = caller.outTerminal ? caller.size().columns : Infinity;
  caller.out(
    comparisonLines(comparison, [a, b], { columns, now }, caller.outStyle).join("\n") + "\n",
  );
  return 0;
}
