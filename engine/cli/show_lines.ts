import { formatDuration } from "../core/duration.ts";
import type { Json } from "../core/json.ts";
import type { AttemptHistory, RunHistory, StepHistory } from "../core/report.ts";
import { ago, counted, milliseconds, stamp } from "./figures.ts";
import { byStatus, sign, type Style, words } from "./style.ts";
import { outputLines, tailLines } from "./summary.ts";
import { clean, fit, lines } from "./text.ts";
import { trialLines } from "./trial_lines.ts";
import { jsonLines, parameterLines } from "./value_lines.ts";
import { CRITICAL, waterfall } from "./waterfall.ts";

/** What a page of a run is drawn for. */
export interface View {
  /** Its width. */
  readonly columns: number;
  /** The time, nanoseconds since the epoch. */
  readonly now: bigint;
}

const MOST_FAILURES = 10;
const MOST_TAIL = 15;
const MOST_ATTEMPTS = 50;

/** `show RUN`: the run's head, its values, the waterfall, and why steps failed. */
export function showLines(history: RunHistory, view: View, style: Style): string[] {
  const { summary, report, steps } = history;
  const result = head(history, view, style);
  const values = parameterLines(summary.params, summary.sources, style, view.columns);
  if (values.length > 0) {
    result.push(
      "",
      ...values.map((line) => fit(`  ${line}`, view.columns - 1)),
    );
  }
  result.push(...trialLines(history.trials, view.columns, style));
  result.push("", ...waterfall(history, view, style));
  if (history.criticalPath.length > 1) {
    const path = history.criticalPath.length <= 8
      ? history.criticalPath.map(clean).join(" → ")
      : `${history.criticalPath.slice(0, 3).map(clean).join(" → ")} → … → ${
        history.criticalPath.slice(-3).map(clean).join(" → ")
      } (${counted(history.criticalPath.length, "step")})`;
    result.push("", fit(`${style.magenta(CRITICAL)} critical path: ${path}`, view.columns - 1));
  }
  const bad = steps.filter(({ report }) =>
    report.status === "failed" || report.status === "timed_out"
  );
  for (const step of bad.slice(0, MOST_FAILURES)) result.push("", ...failureLines(step, style));
  if (bad.length > MOST_FAILURES) {
    result.push(
      "",
      `and ${counted(bad.length - MOST_FAILURES, "more failed step")}; see them with --json`,
    );
  }
  if (report.error !== null && bad.length === 0) {
    result.push("", ...lines(report.error.message).map((line) => style.red(line)));
  }
  const outputs = outputLines(report.outputs);
  if (outputs.length > 0) {
    result.push(
      "",
      style.bold("outputs"),
      ...outputs.map((line) => `  ${line}`),
    );
  }
  return result;
}

function head({ summary, report }: RunHistory, view: View, style: Style): string[] {
  const took = summary.startedAt === undefined
    ? ""
    : ` ${summary.endedAt === undefined ? "for" : "in"} ${
      formatDuration(milliseconds(summary.startedAt, summary.endedAt ?? view.now))
    }`;
  const facts = [
    `run    ${summary.runId}`,
    `trace  ${report.trace_id}`,
    `file   ${clean(summary.file)}`,
    `began  ${stamp(summary.createdAt)}, ${ago(summary.createdAt, view.now)}`,
    ...summary.rerun === undefined ? [] : [`reruns ${summary.rerun.runId}`],
    ...summary.parent === undefined
      ? []
      : [`part of ${summary.parent.runId}, ${clean(summary.parent.key)}`],
    ...summary.trigger === undefined ? [] : [`trigger ${clean(summary.trigger)}`],
  ];
  return [
    `${sign(summary.status, style)} ${style.bold(clean(summary.workflow))} ${
      byStatus(summary.status, words(summary.status), style)
    }${took}`,
    ...facts.map((fact) => style.dim(`  ${fact}`)),
  ];
}

function failureLines(step: StepHistory, style: Style): string[] {
  const bad = step.attempts.filter(({ outcome }) =>
    outcome === "failed" || outcome === "timed_out"
  );
  const attempt = bad.at(-1);
  const error = step.report.error ?? attempt?.failure;
  const [first, ...more] = lines(error?.message ?? words(step.report.status));
  const where = attempt?.range === undefined ? "" : ` [${attempt.range.from},${attempt.range.to})`;
  return [
    `${sign(step.report.status, style)} ${style.bold(clean(step.report.id))}${where}  ${
      style.red(first)
    }`,
    ...more.map((line) => `    ${style.red(line)}`),
    ...attempt === undefined ? [] : attemptBody(attempt, style, MOST_TAIL),
  ];
}

function attemptBody(attempt: AttemptHistory, style: Style, mostTail: number): string[] {
  const result = titled("inputs", attempt.inputs, style);
  const tail = tailLines(attempt.tail, style, mostTail);
  return tail.length === 0 ? result : [...result, `  ${style.dim("last output")}`, ...tail];
}

/** `show RUN --step ID`: each attempt with its inputs, outputs, error and last output. */
export function showStepLines(
  history: RunHistory,
  step: StepHistory,
  view: View,
  style: Style,
): string[] {
  const { report } = step;
  const result = [
    `${sign(report.status, style)} ${style.bold(clean(report.id))} ${
      byStatus(report.status, words(report.status), style)
    }${
      report.status === "skipped"
        ? `: ${report.reason ?? "if"}`
        : ` in ${formatDuration(report.duration_ms)}`
    }`,
    ...[
      `run    ${history.summary.runId} of ${clean(history.summary.workflow)}`,
      `type   ${step.type}`,
      ...step.needs.length === 0 ? [] : [`needs  ${step.needs.map(clean).join(", ")}`],
      ...report.items === undefined
        ? []
        : [`items  ${counted(report.items, "item")}, ${report.failed ?? 0} failed`],
      ...step.critical ? ["on the critical path"] : [],
    ].map((fact) => style.dim(`  ${fact}`)),
  ];
  result.push(...trialLines(history.trials, view.columns, style, report.id));
  const isBad = ({ outcome }: AttemptHistory) => outcome !== "succeeded";
  const shown = step.attempts.length <= MOST_ATTEMPTS ? step.attempts : [
    ...new Set([
      ...step.attempts.slice(0, 3),
      ...step.attempts.filter(isBad).slice(0, MOST_ATTEMPTS - 10),
      ...step.attempts.slice(-5),
    ]),
  ];
  shown.forEach((attempt, index) => {
    result.push("", ...attemptLines(attempt, shown[index - 1], history, view, style));
  });
  if (shown.length < step.attempts.length) {
    result.push(
      "",
      `${counted(step.attempts.length - shown.length, "more attempt")}; see them with --json`,
    );
  }
  return result;
}

function attemptLines(
  attempt: AttemptHistory,
  before: AttemptHistory | undefined,
  history: RunHistory,
  view: View,
  style: Style,
): string[] {
  const status = attempt.outcome ?? "running";
  const origin = history.summary.startedAt ?? history.summary.createdAt;
  const took = milliseconds(attempt.span.startTime, attempt.endTime ?? view.now);
  const from = formatDuration(Math.max(0, milliseconds(origin, attempt.span.startTime)));
  const items = attempt.items === undefined
    ? ""
    : `, ${
      counted(attempt.items.processed + attempt.items.failed, "item")
    }, ${attempt.items.failed} failed`;
  const failure = attempt.failure;
  const result = [
    `${sign(status, style)} ${style.bold(`${clean(attempt.key)} try ${attempt.attempt}`)}  ${
      words(status)
    } in ${formatDuration(took)}${items}${
      style.dim(`  ${from} after the start, span ${attempt.span.spanId}`)
    }`,
  ];
  if (failure !== undefined) {
    const [first, ...more] = lines(failure.message);
    const kind = style.dim(` (${failure.code}, ${failure.errorClass})`);
    result.push(`  ${style.dim("error")} ${style.red(first)}${kind}`);
    result.push(...more.map((line) => `        ${style.red(line)}`));
  }
  // A try with the inputs of the one before it need not repeat them.
  const repeated = before?.inputs !== undefined &&
    JSON.stringify(before.inputs) === JSON.stringify(attempt.inputs);
  if (repeated) result.push(`  ${style.dim("inputs as before")}`);
  else result.push(...titled("inputs", attempt.inputs, style));
  result.push(...titled("outputs", attempt.outputs, style));
  const tail = tailLines(attempt.tail, style, Infinity);
  return tail.length === 0 ? result : [...result, `  ${style.dim("last output")}`, ...tail];
}

function titled(title: string, json: Json | undefined, style: Style): string[] {
  if (json === undefined || json === null) return [];
  const body = jsonLines(json, style).map((line) => `    ${line}`);
  return body.length === 0 ? [] : [`  ${style.dim(title)}`, ...body];
}
