import { formatDuration } from "../core/duration.ts";
import type { JsonObject } from "../core/json.ts";
import type { RunReport } from "../core/report.ts";
import type { Status } from "../core/span.ts";
import { count } from "./figures.ts";
import type { Hint } from "./hints.ts";
import type { Progress } from "./progress.ts";
import { byStatus, sign, type Style, words } from "./style.ts";
import { clean, fit, lines, pad, width } from "./text.ts";

const MOST_FAILURES = 10;
const MOST_TAIL = 12;

/** The exit code of a run that ended so: 0, 1, or 130 when cancelled. */
export function exitCode(status: Status): number {
  if (status === "succeeded" || status === "skipped") return 0;
  return status === "cancelled" ? 130 : 1;
}

/** What a run came to: its status, why steps failed with their last output, and how to go on. */
export function summaryLines(
  report: RunReport,
  progress: Pick<Progress, "steps">,
  view: { readonly hints: readonly Hint[]; readonly columns: number },
  style: Style,
): string[] {
  const head = `${sign(report.status, style)} ${style.bold(clean(report.workflow))} ${
    byStatus(report.status, words(report.status), style)
  } in ${formatDuration(report.duration_ms)}${style.dim(`  ${tally(report)}`)}`;
  const run = style.dim(`run ${report.run_id}`);
  const result = width(head) + 2 + width(run) < view.columns
    ? [`${head}  ${run}`]
    : [fit(head, view.columns - 1), fit(`  ${run}`, view.columns - 1)];
  const failures = report.steps.filter(({ status }) =>
    status === "failed" || status === "timed_out"
  );
  for (const step of failures.slice(0, MOST_FAILURES)) {
    const error = step.error ?? { code: "", message: words(step.status) };
    const [first, ...more] = lines(error.message);
    const tries = step.attempts > 1 ? style.dim(`  ${step.attempts} attempts`) : "";
    result.push("", `  ${style.bold(clean(step.id))}  ${style.red(first)}${tries}`);
    result.push(...more.map((line) => `    ${style.red(line)}`));
    result.push(...tailLines(progress.steps.get(step.id)?.tail, style, MOST_TAIL));
  }
  if (failures.length > MOST_FAILURES) {
    result.push("", `  and ${count(failures.length - MOST_FAILURES)} more failed steps`);
  }
  if (report.error !== null && failures.length === 0) {
    result.push("", ...lines(report.error.message).map((line) => `  ${line}`));
  }
  if (view.hints.length > 0) {
    const longest = Math.max(...view.hints.map(([command]) => command.length));
    const beside = longest + 2 + Math.max(...view.hints.map(([, what]) => what.length)) +
        4 <= view.columns;
    result.push("");
    for (const [command, what] of view.hints) {
      result.push(
        beside
          ? fit(`  ${pad(command, longest)}  ${style.dim(clean(what))}`, view.columns - 1)
          : `  ${command}`,
      );
    }
  }
  return result;
}

/** The last lines of an attempt's output, set off by a rule at their left. */
export function tailLines(tail: string | undefined, style: Style, most: number): string[] {
  if (tail === undefined || tail.trim() === "") return [];
  const all = lines(tail);
  return all.slice(-most).map((line) => `    ${style.dim("│")} ${line}`);
}

/** A workflow's outputs for stdout: `name: value`, text of several lines below its name. */
export function outputLines(outputs: JsonObject): string[] {
  return Object.entries(outputs).flatMap(([name, value]) => {
    const key = clean(name);
    if (typeof value !== "string") return [`${key}: ${JSON.stringify(value)}`];
    const text = lines(value);
    return text.length === 1 ? [`${key}: ${text[0]}`] : [`${key}:`, ...text];
  });
}

function tally(report: RunReport): string {
  const counts = new Map<Status, number>();
  for (const { status } of report.steps) counts.set(status, (counts.get(status) ?? 0) + 1);
  const order: readonly Status[] = [
    "succeeded",
    "failed",
    "timed_out",
    "cancelled",
    "skipped",
    "queued",
  ];
  return order.filter((status) => counts.has(status))
    .map((status) => `${count(counts.get(status) ?? 0)} ${words(status)}`).join(", ");
}
