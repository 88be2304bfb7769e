import { formatDuration, parseDuration } from "../../core/duration.ts";
import type { Status } from "../../core/span.ts";
import { type Arguments, UsageError } from "../arguments.ts";
import type { Caller } from "../caller.ts";
import { counted } from "../figures.ts";
import { wallTime } from "../follower.ts";
import { withEngine } from "../open_engine.ts";

const ENDED: readonly Status[] = ["succeeded", "failed", "cancelled", "skipped", "timed_out"];

/** `prune --older-than AGE`. */
export async function execute(args: Arguments, caller: Caller): Promise<number> {
  const given = args.value("older-than");
  if (given === undefined) {
    throw new UsageError("`prune` needs --older-than AGE, such as 30d", "prune");
  }
  const age = parseDuration(given);
  if (age === undefined) {
    throw new UsageError(
      `--older-than takes a duration such as 30d, 12h or 1h30m, not \`${given}\``,
      "prune",
    );
  }
  const dry = args.flag("dry-run");
  const { runs, receivedSpans } = await withEngine(args, caller, caller.cwd, async (engine) => {
    if (!dry) return await engine.prune(age);
    const before = wallTime() - BigInt(Math.round(age)) * 1_000_000n;
    const found = await engine.runs({ statuses: ENDED, before, limit: 10_000_000 });
    return { runs: found.length, receivedSpans: undefined };
  });
  if (args.flag("json")) {
    const pruned = dry ? { would_prune: runs } : { pruned: runs, received_spans: receivedSpans };
    caller.out(JSON.stringify(pruned) + "\n");
    return 0;
  }
  // Received spans are not counted beforehand.
  const spans = receivedSpans === undefined
    ? " and what was received before then"
    : receivedSpans > 0
    ? ` and ${counted(receivedSpans, "received span")}`
    : "";
  const one = runs === 1 && spans === "";
  caller.out(
    `${counted(runs, "run")} older than ${formatDuration(age)}${spans} ${
      dry ? "would be" : one ? "was" : "were"
    } deleted.\n`,
  );
  return 0;
}
