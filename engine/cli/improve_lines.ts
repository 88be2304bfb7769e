import { formatDuration } from "../core/duration.ts";
import type { MeasuredArm, Measurement } from "../core/improve.ts";
import type { LedgerEntry } from "../core/proposal.ts";
import type { RunReport } from "../core/report.ts";
import { type ObjectiveText, objectiveValue, percent, valuesText } from "./objective_text.ts";
import { type Style, words } from "./style.ts";
import { clean, wrap } from "./text.ts";

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
      return [
        `changed: ${message}`,
        ...proposal.reason === decision.message ? [] : [`   why: ${clean(proposal.reason)}`],
      ];
    case "held":
      return [`held for you: ${message}`];
    case "refused":
      return [`refused: ${message}`];
    case "waiting":
    case "ended":
      return [`${decision.outcome}: ${message}`];
  }
}

/** A verdict, or what took a change back, with a mark, in lines of at most `columns`. */
export function verdictLines(
  { verdict, decision }: LedgerEntry,
  columns: number,
  style: Style,
): string[] {
  const mark = verdict?.action === "kept" ? style.green("▲") : style.red("▽");
  return wrap(clean(decision.message), columns - 2)
    .map((line, index) => `${index === 0 ? mark : " "} ${line}`);
}

function armText(
  { arm, values, objective, items, failed }: MeasuredArm,
  of: ObjectiveText,
): string {
  const errors = items === 0 ? "" : `, errors ${percent(failed / items)}`;
  const tried = arm === "candidate" ? "tried " : "";
  return `${tried}${valuesText(values)}: ${objectiveValue(objective, of)}${errors}`;
}
