import { formatDuration } from "../core/duration.ts";
import type { ImproveReport } from "../core/improve.ts";
import type { Json } from "../core/json.ts";
import type { RunReport } from "../core/report.ts";
import { counted } from "./figures.ts";
import type { Hint } from "./hints.ts";
import { verdictLines } from "./improve_lines.ts";
import type { Improvement } from "./improvement.ts";
import {
  betterBy,
  median,
  type ObjectiveText,
  objectiveTitle,
  objectiveValue,
  times,
} from "./objective_text.ts";
import { sign, type Style } from "./style.ts";
import { clean, lines, pad, width, wrap } from "./text.ts";

/** What an improvement came to: what changed, by which verdicts, what is open, and how to take it back. */
export function improvedLines(
  report: ImproveReport,
  { objective, recommended, last }:
    & Pick<Improvement, "objective" | "recommended">
    & Partial<Pick<Improvement, "last">>,
  view: {
    readonly hints: readonly Hint[];
    readonly columns: number;
    readonly duration: number;
    readonly cancelled: boolean;
    /** Whether anybody finds the store again. */
    readonly kept: boolean;
  },
  style: Style,
): string[] {
  const { workflow, runs, failed, before, after, verdicts, rollBacks, open, stopped } = report;
  const changed = Object.keys(before).filter((name) => !same(before[name], after[name]));
  const mark = stopped !== undefined
    ? sign("failed", style)
    : view.cancelled
    ? sign("cancelled", style)
    : sign("succeeded", style);
  const how = view.cancelled ? "cancelled after" : stopped === undefined ? "ran" : "stopped after";
  // The run that was cancelled with it is no news.
  const bad = view.cancelled && last?.status === "cancelled" ? failed - 1 : failed;
  const some = bad === 0 ? "" : style.red(`, ${counted(bad, "run")} did not succeed`);
  const [first, ...more] = wrap(
    `${mark} ${style.bold(clean(workflow))} ${how} ${counted(runs, "run")} in ${
      formatDuration(view.duration)
    }${some}`,
    view.columns - 3,
  );
  const result = [first, ...more.map((line) => `  ${line}`)];
  if (stopped !== undefined) {
    result.push(...wrap(clean(stopped), view.columns - 3).map((line) => `  ${style.red(line)}`));
  }
  result.push("");
  const longest = Math.max(0, ...changed.map((name) => width(clean(name))));
  if (changed.length === 0) result.push("  no value was changed");
  for (const name of changed) {
    result.push(
      `  ${pad(clean(name), longest)}  ${text(before[name])} → ${style.bold(text(after[name]))}`,
    );
  }
  if (report.measurements.length === 0 && runs > failed) {
    const why =
      `nothing was measured: ${
        clean(objective.of)
      } was skipped, had no items or did not succeed, or ` +
      "its objective was never above 0";
    result.push(...wrap(why, view.columns - 3).map((line) => `  ${style.yellow(line)}`));
  }
  const gain = changed.length === 0 ? undefined : gainLine(report, objective);
  if (gain !== undefined) {
    result.push(...wrap(gain, view.columns - 3).map((line) => `  ${line}`));
  }
  const outcomes = [...verdicts, ...rollBacks].sort((a, b) => a.number - b.number);
  if (outcomes.length > 0) {
    result.push(
      "",
      ...outcomes.flatMap((entry) => verdictLines(entry, view.columns - 3, style))
        .map((line) => `  ${line}`),
    );
  }
  if (open !== undefined) {
    const isOwn = Object.keys(open.decision.values).some((name) => recommended.has(name));
    const rest = !view.kept
      ? "it ends here, with the store in memory"
      : isOwn
      ? "the next `improve` goes on with it"
      : "the next runs go on with it";
    result.push(
      "",
      ...wrap(`still open: ${clean(open.decision.message)}; ${rest}`, view.columns - 3)
        .map((line) => `  ${line}`),
    );
  }
  if (view.hints.length > 0) result.push("", ...hintLines(view.hints, view.columns, style));
  return result;
}

/** What a person can do next; `last`: the run that ended last. */
export function nextSteps(
  { before, after, verdicts, rollBacks, measurements, open }: ImproveReport,
  file: string,
  typed: (...words: readonly string[]) => string,
  last?: RunReport,
): Hint[] {
  const failed = last?.status === "failed" || last?.status === "timed_out" ? last : undefined;
  const changed = Object.keys(before).filter((name) => !same(before[name], after[name]));
  const gone = new Set(rollBacks.map(({ answers }) => answers));
  const kept = verdicts.filter(({ number, verdict }) =>
    verdict?.action === "kept" && !gone.has(number)
  );
  const newest = kept.at(-1);
  const beginning = changed.filter((name) => before[name] !== null)
    .map((name) => `${name}=${text(before[name])}`);
  return [
    ...failed === undefined ? [] : [
      [typed("show", failed.run_id), "shows why the last run did not succeed"] as const,
    ],
    ...newest === undefined ? [] : [
      [
        typed("params", "revert", file, String(newest.number)),
        kept.length === 1 ? "takes it back" : "takes the last change back",
      ] as const,
    ],
    ...kept.length === 1 || beginning.length === 0 ? [] : [
      [typed("params", "set", file, ...beginning), "back to the beginning"] as const,
    ],
    ...changed.length === 0 ? [] : [
      [typed("params", "pin", file), "writes the new values into the file"] as const,
    ],
    ...open === undefined ? [] : [
      [
        typed("params", "revert", file, String(open.number)),
        "ends what is open",
      ] as const,
    ],
    ...failed !== undefined && measurements.length === 0 ? [] : [
      [typed("report", file), "shows the evidence"] as const,
    ],
  ];
}

// By what was measured with the values of before and of after, whichever arm had them.
function gainLine(
  { before, after, measurements }: ImproveReport,
  objective: ObjectiveText,
): string | undefined {
  const measured = (values: ImproveReport["before"]) =>
    measurements.flatMap(({ runId, arms }) =>
      arms.filter((arm) =>
        Object.keys(arm.values).every((name) => same(arm.values[name], values[name]))
      )
        .map((arm) => ({ runId, objective: arm.objective }))
    );
  const [old, now] = [measured(before), measured(after)];
  const [from, to] = [old, now].map((some) => median(some.map((one) => one.objective)));
  if (from === undefined || to === undefined) return undefined;
  const runsOf = (some: typeof old) => new Set(some.map(({ runId }) => runId)).size;
  const title = objectiveTitle(objective).split(",")[0];
  return `${title}: ${objectiveValue(from, objective)} → ${objectiveValue(to, objective)}, ${
    times(betterBy(from, to, objective))
  } (medians of ${runsOf(old)} and ${counted(runsOf(now), "run")})`;
}

// Beside each other where all of them fit, else what a command does stands above it.
function hintLines(hints: readonly Hint[], columns: number, style: Style): string[] {
  const longest = Math.max(...hints.map(([command]) => width(command)));
  const beside = hints.every(([, what]) => longest + width(what) + 4 < columns);
  return hints.flatMap(([command, what]) =>
    beside
      ? [`  ${pad(command, longest)}  ${style.dim(what)}`]
      : [style.dim(`  # ${what}`), `  ${command}`]
  );
}

function same(one: Json, other: Json): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function text(json: Json): string {
  return typeof json === "string" ? lines(json)[0] : JSON.stringify(json);
}
