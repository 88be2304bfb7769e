import { formatDuration } from "../core/duration.ts";
import { counted, milliseconds, roughly } from "./figures.ts";
import { breaks, type Improvement } from "./improvement.ts";
import { type Frame, SPINNER, stepRows } from "./live_tree.ts";
import { figure, objectiveFigure, objectiveTitle, percent } from "./objective_text.ts";
import { barRow, type ChartMark, logChart } from "./run_chart.ts";
import type { Style } from "./style.ts";
import { clean, fit, width, wrap } from "./text.ts";

const MOST_ROWS = 10;
const LEAST_ROWS = 3;
const LEAST_TRYING = 3;
// Lines besides the chart: headline, step, two of what is tried, title, axis, guard, and a blank one before each part.
const OTHERS = 10;

/** The improvement as lines no wider than the terminal: the run under way, what is tried and why, and the chart. */
export function improveScreen(state: Improvement, frame: Frame, style: Style): string[] {
  const columns = frame.columns - 1;
  const lines = [headline(state, frame, style)];
  if (frame.tick !== undefined) {
    const under = [...state.progress.steps.values()].filter(({ status }) => status === "running");
    const step = under.find(({ id }) => id === state.objective.of) ?? under.at(-1);
    lines.push(...stepRows(step === undefined ? [] : [step], frame, style));
  }
  const chart = chartLines(state, columns, chartRows(frame.rows), style);
  const room = frame.rows - lines.length - chart.length;
  lines.push(...tryingLines(state, columns, Math.max(LEAST_TRYING, room), style), ...chart);
  return lines.slice(0, Math.max(1, frame.rows)).map((line) => fit(line, columns));
}

/** The chart of objective and guard, with a title; nothing before the first measurement. */
export function chartLines(
  state: Improvement,
  columns: number,
  rows: number,
  style: Style,
): string[] {
  const { points, objective, most } = state;
  const title = style.bold(objectiveTitle(objective));
  const key = points.some(({ arm }) => arm === "candidate")
    ? `${style.cyan("●")} what rules  ${style.yellow("○")} what is tried`
    : "";
  const beside = key === "" ? title : `${title}  ${key}`;
  // Where the key has no room beside the title it takes a row of the chart's.
  const head = width(beside) <= columns ? [beside] : [title, key];
  const view = {
    runs: most,
    columns,
    rows: Math.max(LEAST_ROWS, rows + 1 - head.length),
    label: (value: number) => objectiveFigure(value, objective),
  };
  const chart = logChart(
    points.map(({ run, objective, arm }) => ({
      run,
      value: objective,
      candidate: arm === "candidate",
    })),
    marks(state, style),
    view,
    style,
  );
  if (chart === undefined) return [];
  return [
    "",
    ...head.map((line) => fit(line, columns)),
    ...chart.lines,
    ...guardLines(state, columns, chart.left, style),
  ];
}

/** How many rows of a terminal a chart takes. */
export function chartRows(rows: number): number {
  return Math.max(LEAST_ROWS, Math.min(MOST_ROWS, rows - OTHERS));
}

function headline(state: Improvement, frame: Frame, style: Style): string {
  const { run, most, ended, startedAt, workflow } = state;
  const spinner = frame.tick === undefined ? "" : `${SPINNER[frame.tick % SPINNER.length]} `;
  const elapsed = startedAt === undefined ? 0 : milliseconds(startedAt, frame.now);
  const left = ended === 0 || frame.tick === undefined
    ? ""
    : `  ${style.dim(`about ${roughly(elapsed / ended * (most - ended))} left`)}`;
  const notice = frame.notice === undefined ? "" : `  ${style.yellow(clean(frame.notice))}`;
  const where = run === 0 ? counted(most, "run") : `run ${run} of ${most}`;
  return `${style.cyan(spinner)}${style.bold(clean(workflow))}  ${where}  ${
    formatDuration(elapsed)
  }${left}${notice}`;
}

// The change and why, on so many lines at most.
function tryingLines(
  { trying }: Improvement,
  columns: number,
  rows: number,
  style: Style,
): string[] {
  if (trying === undefined) return [];
  const room = Math.max(20, columns - 7);
  const change = wrap(clean(trying.decision.message), room);
  const reason = wrap(clean(trying.proposal.reason), room);
  const most = Math.max(1, rows - change.length);
  const shown = [
    ...reason.slice(0, most - 1),
    ...reason.length < most ? [] : [reason.slice(most - 1).join(" ")],
  ];
  return [
    ...change.map((line, index) => `${index === 0 ? style.yellow("trying") : "      "} ${line}`),
    ...shown.map((line) => style.dim(fit(`       ${line}`, columns))),
  ];
}

function marks({ decisions }: Improvement, style: Style): ChartMark[] {
  return decisions.flatMap(({ run, entry: { verdict, decision } }) => {
    if (run < 1) return [];
    if (verdict === undefined) {
      return decision.outcome === "applied" ? [{ run, sign: style.cyan("◆") }] : [];
    }
    const sign = verdict.action === "kept" ? style.green("▲") : style.red("▽");
    return [{ run, sign }];
  });
}

function guardLines(
  { guard, points, most }: Improvement,
  columns: number,
  left: number,
  style: Style,
): string[] {
  if (guard === undefined) return [];
  const { metric, below, above } = guard;
  const told = points.filter((point) => point.guard !== undefined);
  if (told.length === 0) return [];
  const highest = Math.max(...told.map((point) => point.guard!));
  const limit = below ?? above ?? 0;
  const full = Math.max(limit, above === undefined ? 0 : highest) || 1;
  const bars = new Map<number, { share: number; bad: boolean }>();
  for (const { run, guard: amount } of told) {
    const bad = breaks(amount!, guard);
    const known = bars.get(run);
    const share = Math.max(known?.share ?? 0, amount! / full);
    bars.set(run, { share, bad: bad || (known?.bad ?? false) });
  }
  const text = metric === "error_rate" ? percent : figure;
  const bound = below === undefined ? `above ${text(above ?? 0)}` : `below ${text(below)}`;
  const broken = [...bars.values()].filter(({ bad }) => bad).length;
  const over = broken === 0 ? "" : style.red(`  broken in ${counted(broken, "run")}`);
  const now = told.at(-1)!.guard!;
  const row = barRow(bars, { runs: most, columns }, left, style);
  return [
    `${" ".repeat(left)} ${style.dim("│")}${row}`,
    ...wrap(
      `${style.bold(metric)} ${text(now)} ${style.dim(`must stay ${bound}`)}${over}`,
      columns,
    ),
  ];
}
