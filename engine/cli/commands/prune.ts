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
  const { runs, receivedSpans, changes } = await withEngine(
    args,
    caller,
    caller.cwd,
    async (engine) => {
      if (!dry) return await engine.prune(age);
      const before = wallTime() - BigInt(Math.round(age)) * 1_000_000n;
      const found = await engine.runs({ statuses: ENDED, before, limit: 10_000_000 });
      return { runs: found.length, receivedSpans: 0, changes: 0 };
    },
  );
  if (args.flag("json")) {
    const pruned = dry
      ? { would_prune: runs }
      : { pruned: runs, received_spans: receivedSpans, ledger_entries: changes };
    caller.out(JSON.stringify(pruned) + "\n");
    return 0;
  }
  const deleted = [
    `${counted(runs, "run")} older than ${formatDuration(age)}`,
    // The rest is not counted beforehand.
    ...dry ? ["what was received before then"] : [],
    ...receivedSpans > 0 ? [counted(receivedSpans, "received span")] : [],
    ...changes > 0 ? [counted(changes, "ledger entry", "ledger entries")] : [],
  ];
  const were = dry ? "would be" : runs === 1 && deleted.length === 1 ? "was" : "were";
  caller.out(`${new Intl.ListFormat("en-GB").format(deleted)} ${were} deleted.\n`);
  return 0;
}
