import type { Style } from "./style.ts";
import { pad, width } from "./text.ts";

/** A point of a chart: a mark at a run. */
export interface ChartPoint {
  /** From 1. */
  readonly run: number;
  /** Above 0. */
  readonly value: number;
  /** Whether it is a candidate's. */
  readonly candidate: boolean;
}

/** A mark below the axis. */
export interface ChartMark {
  /** From 1. */
  readonly run: number;
  /** One column, coloured. */
  readonly sign: string;
}

/** What a chart is drawn for. */
export interface ChartView {
  /** Runs from the first to the last column. */
  readonly runs: number;
  /** The room that there is. */
  readonly columns: number;
  /** Rows of the plot itself, at least 2; the axis takes one more. */
  readonly rows: number;
  /** A value as the axis says it. */
  readonly label: (value: number) => string;
}

/** A chart as lines. */
export interface Chart {
  /** From the top; the axis is the last one. */
  readonly lines: readonly string[];
  /** How wide its labels are. */
  readonly left: number;
}

// Values closer together than this factor fill no chart: their noise would.
const LEAST_SPAN = 1.5;
const BARS = "▁▂▃▄▅▆▇█";

/** Points on a log scale over the runs, and marks on the axis; `●` the incumbent's, `○` the candidate's, `◉` both. */
export function logChart(
  points: readonly ChartPoint[],
  marks: readonly ChartMark[],
  view: ChartView,
  style: Style,
): Chart | undefined {
  const logs = points.map(({ value }) => Math.log(value)).filter(Number.isFinite);
  if (logs.length === 0) return undefined;
  let [low, high] = [Math.min(...logs), Math.max(...logs)];
  const missing = Math.max(0, Math.log(LEAST_SPAN) - (high - low));
  [low, high] = [low - missing / 2, high + missing / 2];
  const { rows, label } = view;
  const labelled = [0, rows - 1, ...rows >= 5 ? [rows >> 1] : []];
  const labels = Array.from(
    { length: rows },
    (_, row) =>
      labelled.includes(row) ? label(Math.exp(high - (high - low) * row / (rows - 1))) : "",
  );
  const left = Math.max(...labels.map(width));
  const slots = slotsOf(view, left + 2);
  const cells = Array.from({ length: rows }, () => new Map<number, "●" | "○" | "◉">());
  for (const { run, value, candidate } of points) {
    const share = (high - Math.log(value)) / (high - low);
    if (!Number.isFinite(share)) continue;
    const row = cells[Math.round(share * (rows - 1))];
    const mark = candidate ? "○" : "●";
    const known = row.get(slots.at(run));
    row.set(slots.at(run), known === undefined || known === mark ? mark : "◉");
  }
  const paint = { "●": style.cyan, "○": style.yellow, "◉": style.cyan };
  const lines = cells.map((row, index) => {
    const text = Array.from({ length: slots.columns }, (_, column) => {
      const mark = row.get(column);
      return mark === undefined ? " " : paint[mark](mark);
    }).join("").trimEnd();
    const edge = labels[index] === "" ? "│" : "┤";
    return `${pad(labels[index], left, "start")} ${style.dim(edge)}${text}`;
  });
  const axis = Array.from({ length: slots.columns }, () => style.dim("─"));
  for (const { run, sign } of marks) axis[slots.at(run)] = sign;
  return { lines: [...lines, `${" ".repeat(left)} ${style.dim("└")}${axis.join("")}`], left };
}

/** One row of bars, a run each, from 0 to `full`; what is `bad` is red. As wide as a chart with labels of `left`. */
export function barRow(
  bars: ReadonlyMap<number, { readonly share: number; readonly bad: boolean }>,
  view: Pick<ChartView, "runs" | "columns">,
  left: number,
  style: Style,
): string {
  const slots = slotsOf(view, left + 2);
  const row: string[] = Array(slots.columns).fill(" ");
  for (const [run, { share, bad }] of bars) {
    const bar = BARS[Math.max(0, Math.min(7, Math.ceil(share * 8) - 1))];
    row[slots.at(run)] = bad ? style.red(bar) : style.green(bar);
  }
  return row.join("").trimEnd();
}

// The column of each run: up to three columns apart where there is room, several in one where there is not.
function slotsOf({ runs, columns }: Pick<ChartView, "runs" | "columns">, taken: number) {
  const room = Math.max(1, columns - taken);
  const apart = Math.min(3, Math.max(1, Math.floor(room / runs)));
  const used = Math.min(room, runs * apart);
  return {
    columns: used,
    at: (run: number): number =>
      Math.max(0, Math.min(used - 1, Math.floor((run - 1) * used / Math.max(1, runs)))),
  };
}
