import { formatDuration } from "../core/duration.ts";
import type { AttemptHistory, RunHistory, StepHistory } from "../core/report.ts";
import type { Outcome, Status } from "../core/span.ts";
import { count, counted, milliseconds } from "./figures.ts";
import { byStatus, sign, type Style, words } from "./style.ts";
import { clean, fit, pad, width, wrap } from "./text.ts";

/** The sign of a step on the critical path. */
export const CRITICAL = "◆";

const MOST_STEPS = 100;
const SLOWEST_STEPS = 30;
const EIGHTHS = " ▏▎▍▌▋▊▉█";

interface Row {
  readonly label: string;
  readonly mark: string;
  readonly status: Status | Outcome;
  readonly start?: bigint;
  readonly end?: bigint;
  readonly note: string;
  readonly indent: number;
  readonly summary?: boolean;
}

/**
 * A run over time: a bar for each step, with each try of its own where there was more than one, and a for_each
 * condensed to its first, slowest and failed batches. `now` ends what still runs.
 */
export function waterfall(
  history: RunHistory,
  view: { readonly columns: number; readonly now: bigint },
  style: Style,
): string[] {
  const { steps, hidden } = chooseSteps(history.steps);
  const rows = steps.flatMap((step) => rowsOf(step, style));
  if (rows.length === 0) return [style.dim("No step has started.")];
  const origin = history.summary.startedAt ?? history.summary.createdAt;
  const begin = rows.reduce(
    (least, { start }) => start !== undefined && start < least ? start : least,
    origin,
  );
  const last = rows.reduce((most, row) => {
    const end = row.end ?? (row.start === undefined ? undefined : view.now);
    return end !== undefined && end > most ? end : most;
  }, history.summary.endedAt ?? begin);
  const total = Math.max(0.001, milliseconds(begin, last));
  const label = Math.min(
    Math.max(...rows.map((row) => row.indent + width(row.label))),
    Math.max(10, Math.floor(view.columns * 0.3)),
  );
  const left = label + 16;
  const bars = Math.max(10, view.columns - left - 2);
  const lines = rows.flatMap((row) => {
    const name = fit(" ".repeat(row.indent) + row.label, label);
    const end = row.end ?? (row.start === undefined ? undefined : view.now);
    const took = row.start === undefined || end === undefined || row.status === "skipped"
      ? ""
      : formatDuration(milliseconds(row.start, end));
    const head = `${row.mark}${sign(row.status, style)} ${pad(name, label)} ${
      pad(took, 9, "start")
    }  `;
    if (row.summary) {
      // Broken between its parts alone.
      const parts = row.note.replaceAll(" ", "\u00a0").replaceAll("\u00a0·\u00a0", "\u00a0· ");
      return wrap(parts, view.columns - 6)
        .map((line) => style.dim(line.replaceAll("\u00a0", " ")))
        .map((line, index) => `   ${index === 0 ? "…" : " "} ${line}`);
    }
    if (row.start === undefined || end === undefined || row.status === "skipped") {
      return fit(head + style.dim(row.note), view.columns - 1).trimEnd();
    }
    const drawn = bar(
      milliseconds(begin, row.start) / total,
      milliseconds(begin, end) / total,
      bars,
    );
    return head + beside(drawn, row, bars, style);
  });
  return [
    " ".repeat(left) + style.dim(axis(total, bars)),
    ...lines,
    ...hidden === 0 ? [] : [
      style.dim(
        `   and ${counted(hidden, "more step")} that did not fail, took less, and decided nothing`,
      ),
    ],
  ].map((line) => line.trimEnd());
}

// The note stands where it covers nothing: after the bar, or before it. Where it would be cut to a stump it is
// left out; what failed is told in full below the waterfall anyway.
function beside(drawn: string, row: Row, columns: number, style: Style): string {
  const painted = byStatus(row.status, drawn, style);
  const after = columns - width(drawn) - 1;
  const before = width(drawn) - width(drawn.trimStart()) - 1;
  const room = Math.max(before, after);
  if (row.note === "" || room < Math.min(16, width(row.note))) return painted;
  if (width(row.note) <= after || after >= before) {
    return `${painted} ${style.dim(fit(row.note, after))}`;
  }
  const note = fit(row.note, before);
  return style.dim(note) + painted.replace(" ".repeat(width(note)), "");
}

function chooseSteps(steps: readonly StepHistory[]): {
  readonly steps: readonly StepHistory[];
  readonly hidden: number;
} {
  const listed = steps.filter(({ list, startTime }) => list === "steps" || startTime !== undefined);
  if (listed.length <= MOST_STEPS) return { steps: listed, hidden: 0 };
  const bad = listed.filter(({ report }) =>
    report.status === "failed" || report.status === "timed_out"
  );
  const critical = listed.filter(({ critical }) => critical);
  const longest = (some: readonly StepHistory[], most: number) =>
    [...some].sort((a, b) => b.report.duration_ms - a.report.duration_ms).slice(0, most);
  const chosen = new Set([
    ...bad.slice(0, SLOWEST_STEPS),
    ...longest(critical, SLOWEST_STEPS),
    ...longest(listed, SLOWEST_STEPS),
  ]);
  return { steps: listed.filter((step) => chosen.has(step)), hidden: listed.length - chosen.size };
}

function rowsOf(step: StepHistory, style: Style): Row[] {
  const { report } = step;
  const isForEach = step.attempts.some(({ range }) => range !== undefined);
  const bad = report.status === "failed" || report.status === "timed_out";
  const notes = [
    ...report.status === "skipped" ? [`skipped: ${report.reason ?? "if"}`] : [],
    ...report.reason === "reuse" ? ["reused"] : [],
    ...report.status === "queued" ? ["not started"] : [],
    ...report.status === "cancelled" ? ["cancelled"] : [],
    ...report.items === undefined ? [] : [counted(report.items, "item")],
    ...report.failed === undefined || report.failed === 0 ? [] : [`${count(report.failed)} failed`],
    ...bad && report.error !== null ? [clean(report.error.message)] : [],
  ];
  // Its condition or its items could not be evaluated: it took no time that could be drawn.
  const never = bad && step.attempts.length === 0;
  const main: Row = {
    label: clean(report.id),
    mark: step.critical ? style.magenta(CRITICAL) : " ",
    status: report.status,
    note: notes.join(" · "),
    indent: 0,
    ...step.startTime === undefined || never ? {} : { start: step.startTime },
    ...step.endTime === undefined ? {} : { end: step.endTime },
  };
  if (isForEach) return [main, ...batchRows(step)];
  if (step.attempts.length <= 1) return [main];
  return [
    main,
    ...step.attempts.map((attempt) => attemptRow(attempt, `try ${attempt.attempt}`, "")),
  ];
}

function batchRows({ attempts, report }: StepHistory): Row[] {
  const took = (attempt: AttemptHistory) =>
    attempt.endTime === undefined ? 0 : milliseconds(attempt.span.startTime, attempt.endTime);
  // What a kill cut short says nothing about how long the work takes.
  const whole = attempts.filter(({ endTime, outcome }) =>
    endTime !== undefined && outcome !== "interrupted"
  );
  const durations = whole.map(took).sort((a, b) => a - b);
  const median = quantile(durations, 0.5);
  const failed = attempts.filter(({ outcome }) => outcome === "failed" || outcome === "timed_out");
  const interrupted = attempts.filter(({ outcome }) => outcome === "interrupted");
  const slowest = attempts.length <= 6
    ? []
    : [...whole].sort((a, b) => took(b) - took(a)).slice(0, 2).filter((one) =>
      took(one) > 1.2 * median
    );
  const chosen = new Set(
    attempts.length <= 6 ? attempts : [
      ...attempts.slice(0, 2),
      ...slowest,
      ...failed.slice(0, 3),
      ...interrupted.slice(0, 3),
    ],
  );
  const rows = attempts.filter((attempt) => chosen.has(attempt)).map((attempt) => {
    const range = attempt.range === undefined ? "" : `[${attempt.range.from},${attempt.range.to})`;
    const label = attempt.attempt > 1 ? `${range} try ${attempt.attempt}` : range;
    return attemptRow(attempt, label, slowest.includes(attempt) ? "slow" : "");
  });
  if (attempts.length === chosen.size) return rows;
  const batches = new Set(attempts.map(({ key }) => key)).size;
  const parts = [
    ...report.items === undefined ? [] : [counted(report.items, "item")],
    counted(batches, "batch", "batches"),
    ...batches === attempts.length ? [] : [counted(attempts.length, "attempt")],
    ...failed.length === 0 ? [] : [`${count(failed.length)} failed`],
    ...interrupted.length === 0 ? [] : [`${count(interrupted.length)} interrupted`],
    `median ${formatDuration(median)}`,
    `p95 ${formatDuration(quantile(durations, 0.95))}`,
    `max ${formatDuration(durations.at(-1) ?? 0)}`,
  ];
  return [...rows, {
    label: "",
    mark: " ",
    status: "skipped",
    note: parts.join(" · "),
    indent: 2,
    summary: true,
  }];
}

function attemptRow(attempt: AttemptHistory, label: string, extra: string): Row {
  const status = attempt.outcome ?? "running";
  const notes = [
    ...extra === "" ? [] : [extra],
    ...status === "succeeded" ? [] : [clean(attempt.failure?.message ?? words(status))],
  ];
  return {
    label,
    mark: " ",
    status,
    start: attempt.span.startTime,
    note: notes.join(" · "),
    indent: 2,
    ...attempt.endTime === undefined ? {} : { end: attempt.endTime },
  };
}

/** The value below which a share of sorted values lies, by nearest rank; 0 of none. */
export function quantile(sorted: readonly number[], share: number): number {
  if (sorted.length === 0) return 0;
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))];
}

/** A bar from one share of the width to another, to an eighth of a column at its end; at least an eighth. */
export function bar(from: number, to: number, columns: number): string {
  const start = Math.min(columns - 1, Math.floor(from * columns + 0.5));
  const eighths = Math.max(1, Math.round(Math.min(columns, to * columns) * 8) - start * 8);
  const whole = Math.floor(eighths / 8);
  const rest = eighths % 8;
  return `${" ".repeat(start)}${"█".repeat(whole)}${rest === 0 ? "" : EIGHTHS[rest]}`;
}

/** Round times over the bars, each at its place, as many as fit. */
export function axis(totalMs: number, columns: number): string {
  const most = Math.max(1, Math.floor(columns / 10));
  const unit = 10 ** Math.floor(Math.log10(totalMs / most));
  // From a minute on, round times are of the clock, not of the decimal system.
  const clock = [
    10,
    15,
    20,
    30,
    60,
    120,
    300,
    600,
    900,
    1_800,
    3_600,
    7_200,
    14_400,
    28_800,
    86_400,
  ].map((s) => s * 1_000);
  const steps = totalMs > 60_000
    ? [...clock, ...[2, 5, 10, 20, 50, 100].map((days) => days * 86_400_000)]
    : [1, 2, 5, 10].map((factor) => factor * unit);
  const step = steps.find((candidate) => totalMs / candidate <= most) ?? totalMs;
  let line = "";
  for (let time = 0; time <= totalMs; time += step) {
    const at = Math.round(time / totalMs * columns);
    const text = `╵${time === 0 ? "0" : tick(time)}`;
    if (at < width(line) + (line === "" ? 0 : 1) || at + width(text) > columns) continue;
    line = pad(line, at) + text;
  }
  return line;
}

function tick(ms: number): string {
  const round = (amount: number, unit: string) => `${Number(amount.toPrecision(3))} ${unit}`;
  if (ms < 1) return round(ms * 1_000, "µs");
  if (ms < 1_000) return round(ms, "ms");
  if (ms < 60_000) return round(ms / 1_000, "s");
  if (ms < 3_600_000) return round(ms / 60_000, "min");
  return ms < 86_400_000 ? round(ms / 3_600_000, "h") : round(ms / 86_400_000, "d");
}
