import { formatDuration } from "../core/duration.ts";
import type { ImproveEvent, ImproveReport, MeasuredArm, Measurement } from "../core/improve.ts";
import type { Json, JsonObject } from "../core/json.ts";
import type { LedgerEntry } from "../core/proposal.ts";
import type { RunReport } from "../core/report.ts";
import { counted } from "./figures.ts";
import type { Hint } from "./hints.ts";
import type { Improvement } from "./improvement.ts";
import {
  betterBy,
  median,
  type ObjectiveText,
  objectiveTitle,
  objectiveValue,
  percent,
  times,
  valuesText,
} from "./objective_text.ts";
import { entryJson } from "./params_lines.ts";
import { sign, type Style, words } from "./style.ts";
import { clean, lines, pad, width, wrap } from "./text.ts";

/** One line on a run that has ended and on what was measured of it. */
export function runLine(
  index: number,
  most: number,
  report: RunReport,
  measurements: readonly Measurement[],
  objective: ObjectiveText,
): string {
  const head = `run ${index}/${most}`;
  if (report.status !== "succeeded") {
    const why = report.error === null ? "" : `: ${clean(report.error.message)}`;
    return `${head} ${words(report.status)} after ${formatDuration(report.duration_ms)}${why}`;
  }
  const told = measurements.flatMap(({ arms }) => arms.map((arm) => armText(arm, objective)));
  const took = formatDuration(report.duration_ms);
  return `${head} ${took}: ${told.length === 0 ? "nothing was measured" : told.join("; ")}`;
}

/** One line on a decision, and one on why it was asked for where that is not plain; none where nobody needs to know. */
export function decisionLines({ decision, proposal, verdict }: LedgerEntry): string[] {
  const message = clean(decision.message);
  if (verdict !== undefined) return [`verdict: ${message}`];
  switch (decision.outcome) {
    case "testing":
      return [`trying: ${message}`, `   why: ${clean(proposal.reason)}`];
    case "applied":
      return [`changed: ${message}`, `   why: ${clean(proposal.reason)}`];
    case "held":
      return [`held for you: ${message}`];
    case "refused":
      return [`refused: ${message}`];
    case "waiting":
    case "ended":
      return [`${decision.outcome}: ${message}`];
  }
}

/** A verdict with a mark, in lines of at most `columns`. */
export function verdictLines(
  { verdict, decision }: LedgerEntry,
  columns: number,
  style: Style,
): string[] {
  const mark = verdict?.action === "kept" ? style.green("▲") : style.red("▽");
  return wrapped(clean(decision.message), columns - 2)
    .map((line, index) => `${index === 0 ? mark : " "} ${line}`);
}

/** What an improvement came to: what changed, by which verdicts, what is open, and how to take it back. */
export function improvedLines(
  report: ImproveReport,
  { objective }: Pick<Improvement, "objective">,
  view: {
    readonly hints: readonly Hint[];
    readonly columns: number;
    readonly duration: number;
    readonly cancelled: boolean;
  },
  style: Style,
): string[] {
  const { workflow, runs, failed, before, after, verdicts, open, stopped } = report;
  const changed = Object.keys(before).filter((name) => !same(before[name], after[name]));
  const mark = stopped !== undefined
    ? sign("failed", style)
    : view.cancelled
    ? sign("cancelled", style)
    : sign("succeeded", style);
  const how = view.cancelled ? "cancelled after" : stopped === undefined ? "ran" : "stopped after";
  const some = failed === 0 ? "" : style.red(`, ${counted(failed, "run")} did not succeed`);
  const result = [
    `${mark} ${style.bold(clean(workflow))} ${how} ${counted(runs, "run")} in ${
      formatDuration(view.duration)
    }${some}`,
  ];
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
  const gain = changed.length === 0 ? undefined : gainLine(report, objective);
  if (gain !== undefined) {
    result.push(...wrapped(gain, view.columns - 3).map((line) => `  ${line}`));
  }
  if (verdicts.length > 0) {
    result.push(
      "",
      ...verdicts.flatMap((entry) => verdictLines(entry, view.columns - 3, style))
        .map((line) => `  ${line}`),
    );
  }
  if (open !== undefined) {
    const rest = "the next runs go on with it";
    result.push(
      "",
      ...wrap(`still open: ${clean(open.decision.message)}; ${rest}`, view.columns - 3)
        .map((line) => `  ${line}`),
    );
  }
  if (view.hints.length > 0) result.push("", ...hintLines(view.hints, view.columns, style));
  return result;
}

/** What a person can do next. */
export function nextSteps(
  { before, after, verdicts, open }: ImproveReport,
  file: string,
  typed: (...words: readonly string[]) => string,
): Hint[] {
  const changed = Object.keys(before).filter((name) => !same(before[name], after[name]));
  const kept = verdicts.filter(({ verdict }) => verdict?.action === "kept");
  const last = kept.at(-1);
  const beginning = changed.filter((name) => before[name] !== null)
    .map((name) => `${name}=${text(before[name])}`);
  return [
    ...last === undefined ? [] : [
      [
        typed("params", "revert", file, String(last.number)),
        kept.length === 1 ? "takes it back" : "takes the last change back",
      ] as const,
    ],
    ...kept.length < 2 ? [] : [
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
    [typed("report", file), "shows the evidence"],
  ];
}

/** An event as one line of JSON; undefined for what goes on within a run. */
export function eventJson(event: ImproveEvent): JsonObject | undefined {
  switch (event.type) {
    case "run":
      return undefined;
    case "started":
      return { event: "started", run: event.index };
    case "ended": {
      const { run_id, status, duration_ms, error } = event.report;
      return { event: "ended", run: event.index, run_id, status, duration_ms, error };
    }
    case "measured":
      return { event: "measured", run: event.index, ...measurementJson(event.measurement) };
    case "decided":
      return { event: "decided", run: event.index, ...entryJson(event.entry) };
  }
}

/** What came of it as one line of JSON, the last one. */
export function reportJson(report: ImproveReport): JsonObject {
  const { workflow, runs, failed, before, after, verdicts, open, stopped } = report;
  return {
    event: "report",
    workflow,
    runs,
    failed,
    before,
    after,
    verdicts: verdicts.map(entryJson),
    open: open === undefined ? null : entryJson(open),
    stopped: stopped ?? null,
  };
}

function measurementJson({ runId, experiment, arms }: Measurement): JsonObject {
  return {
    run_id: runId,
    experiment: experiment ?? null,
    arms: arms.map(({ arm, values, objective, duration, items, failed }) => ({
      arm,
      values,
      objective,
      duration_s: duration,
      items,
      failed,
    })),
  };
}

function armText(
  { arm, values, objective, items, failed }: MeasuredArm,
  of: ObjectiveText,
): string {
  const errors = items === 0 ? "" : `, errors ${percent(failed / items)}`;
  const tried = arm === "candidate" ? "tried " : "";
  return `${tried}${valuesText(values)}: ${objectiveValue(objective, of)}${errors}`;
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

// A figure and its unit stay together.
function wrapped(text: string, columns: number): string[] {
  return wrap(text.replaceAll(" %", "\u00a0%"), columns)
    .map((line) => line.replaceAll("\u00a0", " "));
}

function same(one: Json, other: Json): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function text(json: Json): string {
  return typeof json === "string" ? lines(json)[0] : JSON.stringify(json);
}
