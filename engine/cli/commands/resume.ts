import type { RunReport } from "../../core/report.ts";
import { type Arguments, UsageError } from "../arguments.ts";
import type { Caller } from "../caller.ts";
import type { Engine } from "../../engine.ts";
import { shortId } from "../figures.ts";
import { follow } from "../follow.ts";
import { withEngine } from "../open_engine.ts";
import { words } from "../style.ts";
import { SpanloopError } from "../../core/errors.ts";

/** `resume RUN` or `resume --all`. */
export async function execute(args: Arguments, caller: Caller): Promise<number> {
  const all = args.flag("all");
  if (all === args.operands.length > 0) {
    throw new UsageError("`resume` takes either RUN or --all", "resume");
  }
  return await withEngine(args, caller, caller.cwd, async (engine, warnings) => {
    const ids = all
      // A sub-workflow's run goes on with the run that called it.
      ? (await engine.runs({ statuses: ["queued", "running"], limit: 100_000 }))
        .filter(({ parent }) => parent === undefined).map(({ runId }) => runId).reverse()
      : [await oneRun(engine, args.operands[0])];
    const reports: RunReport[] = [];
    let worst = 0;
    for (const runId of ids) {
      const run = follow(
        args,
        caller,
        { engine, warnings },
        (options) =>
          engine.resume(runId, {
            ...options,
            acceptChanges: args.flag("accept-changes"),
            // One that another process is running must not hold up the others.
            wait: !all,
          }),
        (report) => reports.push(report),
      );
      const code = await (all ? run.catch((error) => explain(error, caller)) : run);
      worst = Math.max(worst, code);
      if (code === 130) break;
    }
    if (args.flag("json")) caller.out(JSON.stringify(all ? { runs: reports } : reports[0]) + "\n");
    else if (ids.length === 0) caller.err("Every run has ended; there is nothing to resume.\n");
    return worst;
  });
}

// Who resumes the last run means the last that was cut short, but it is theirs to say so.
async function oneRun(engine: Engine, text: string): Promise<string> {
  const run = await engine.find(text);
  if (text !== "last" || run.endedAt === undefined) return run.runId;
  const unfinished = (await engine.runs({ statuses: ["queued", "running"], limit: 1_000 }))
    .find(({ parent }) => parent === undefined);
  throw new SpanloopError(
    "run.ended",
    `Run ${run.runId} has ended (${words(run.status)}). ` +
      (unfinished === undefined
        ? "There is no unfinished run; rerun starts one anew, with --failed or --from"
        : `The newest that has not is ${shortId(unfinished.runId)} of ${unfinished.workflow}: ` +
          `resume ${shortId(unfinished.runId)}`),
    { exitCode: 2 },
  );
}

// One run that cannot be taken up must not keep the others from it; one that is under way is no failure.
function explain(error: unknown, caller: Caller): number {
  if (!(error instanceof SpanloopError)) throw error;
  caller.err(`${error.message}\n`);
  return error.code === "run.held" ? 0 : error.exitCode;
}
