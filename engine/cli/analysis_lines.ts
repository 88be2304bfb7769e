import { formatDuration } from "../core/duration.ts";
import type {
  AnalysedFinding,
  AnalysedRate,
  Analysis,
  StepAnalysis,
  WorkflowAnalysis,
} from "../core/analysis.ts";
import { ago, counted, rate } from "./figures.ts";
import { sparkline } from "./sparkline.ts";
import type { Style } from "./style.ts";
import { clean, fit, pad, width, wrap } from "./text.ts";

/** How much room there is, and what time it is. */
export interface AnalysisView {
  /** Columns of the terminal; Infinity where there is none. */
  readonly columns: number;
  /** Nanoseconds since the epoch. */
  readonly now: bigint;
}

// Findings that are over or only happened, the last of them.
const MOST_FINDINGS = 8;
const SPARKS = 24;

/** What the analyzer knows, as lines. */
export function analysisLines(analysis: Analysis, view: AnalysisView, style: Style): string[] {
  const { health, workflows } = analysis;
  const lines = workflows.length > 1 && health !== null
    ? [
      `${style.bold("system")}  health ${healthText(health, style)}, that of its worst workflow`,
      "",
    ]
    : [];
  for (const [i, workflow] of workflows.entries()) {
    if (i > 0) lines.push("");
    lines.push(...workflowLines(workflow, view, style));
  }
  return lines.map((line) => fit(line, view.columns));
}

function workflowLines(workflow: WorkflowAnalysis, view: AnalysisView, style: Style): string[] {
  const { runs, durations, success, queue, since, until, recent, health } = workflow;
  const took = formatDuration(1e3 * (until - since));
  const waited = queue < 0.01 ? "" : `, and waits ${seconds(queue)} before`;
  const parts = health.parts.flatMap(({ part, score, weight, message }) => {
    const head = `  ${pad(part, 8)} ${pad(String(Math.round(score)), 3, "start")} ${
      style.dim(`× ${weight}`)
    }  `;
    return wrap(clean(message), Math.max(1, view.columns - width(head)))
      .map((line, index) => (index === 0 ? head : " ".repeat(width(head))) + style.dim(line));
  });
  return [
    `${style.bold(clean(workflow.workflow))}  health ${healthText(health.score, style)}`,
    ...parts,
    ...wrap(
      `${counted(runs, "run")} in ${took}, ${percent(success.rate)} succeeded (95 % ${
        interval(success)
      }); a run takes ${seconds(durations.mean)} on average, ${seconds(durations.p95)} at the ` +
        `95th percentile${waited}`,
      Math.min(100, view.columns - 2),
    ).map((line) => `  ${line}`),
    ...recent.length > 1 ? [`  ${style.cyan(sparkline(recent, SPARKS))} the last runs' time`] : [],
    "",
    ...table(workflow.steps, view.columns, style).map((line) => `  ${line}`),
    ...findingLines(workflow, view, style),
  ];
}

function healthText(score: number, style: Style): string {
  const text = `${score} of 100`;
  return score >= 80 ? style.green(text) : score >= 60 ? style.yellow(text) : style.red(text);
}

// Where there is no room for all columns, those of a higher number are left out.
interface Column {
  readonly title: string;
  readonly order: number;
  readonly side: "start" | "end";
  cell(step: StepAnalysis): string;
  readonly paint?: (text: string, step: StepAnalysis, style: Style) => string;
}

const COLUMNS: readonly Column[] = [
  { title: "step", order: 0, side: "end", cell: ({ step }) => fit(clean(step), 24) },
  { title: "path", order: 1, side: "start", cell: ({ path }) => percent(path) },
  {
    title: "cost",
    order: 2,
    side: "start",
    cell: ({ cost, unit }) => `${seconds(cost)}/${unit}`,
  },
  {
    title: "last runs",
    order: 3,
    side: "end",
    cell: ({ recent }) => sparkline(recent, SPARKS),
    paint: (text, _, style) => style.cyan(text),
  },
  {
    title: "trend",
    order: 9,
    side: "start",
    cell: ({ trend }) =>
      trend === undefined ? "" : trend.chance < 0.01 ? factor(trend.factor) : "level",
    paint: (text, { trend }, style) =>
      trend !== undefined && trend.chance < 0.01 ? text : style.dim(text),
  },
  { title: "p50", order: 6, side: "start", cell: ({ durations }) => seconds(durations.p50) },
  { title: "p95", order: 5, side: "start", cell: ({ durations }) => seconds(durations.p95) },
  { title: "p99", order: 10, side: "start", cell: ({ durations }) => seconds(durations.p99) },
  {
    title: "does",
    order: 7,
    side: "start",
    cell: ({ throughput, unit }) => `${rate(throughput).replace("/s", "")} ${unit}s/s`,
  },
  {
    title: "errors",
    order: 4,
    side: "start",
    cell: ({ errors }) => `${percent(errors.rate)} (${interval(errors)})`,
    paint: (text, { errors }, style) => errors.rate > 0.1 ? style.red(text) : text,
  },
  { title: "retries", order: 8, side: "start", cell: ({ retries }) => percent(retries) },
  { title: "wait", order: 11, side: "start", cell: ({ wait }) => seconds(wait) },
];

const GAP = 2;

function table(steps: readonly StepAnalysis[], columns: number, style: Style): string[] {
  if (steps.length === 0) return [];
  const all = COLUMNS.map((column) => {
    const cells = steps.map((step) => column.cell(step));
    return { column, cells, room: Math.max(width(column.title), ...cells.map(width)) };
  });
  let left = columns - GAP;
  const wanted = new Set(
    all.toSorted((a, b) => a.column.order - b.column.order)
      .filter(({ room }) => (left -= room + GAP) >= -GAP),
  );
  const shown = all.filter((one) => wanted.has(one));
  const line = (texts: readonly string[]) => texts.join(" ".repeat(GAP)).trimEnd();
  return [
    style.dim(line(shown.map(({ column, room }) => pad(column.title, room, column.side)))),
    ...steps.map((step, i) =>
      line(shown.map(({ column, cells, room }) => {
        const text = pad(cells[i], room, column.side);
        return column.paint?.(text, step, style) ?? text;
      }))
    ),
  ];
}

function findingLines(
  { standing, findings }: WorkflowAnalysis,
  view: AnalysisView,
  style: Style,
): string[] {
  // One that began and is over is told once.
  const past = findings.filter((one) =>
    one.state !== "begun" && !standing.some((other) => isSame(one, other))
  );
  const lines: string[] = [];
  for (const one of standing) lines.push(...findingText(one, style.red("●"), "since ", view));
  for (const one of past.slice(-MOST_FINDINGS).reverse()) {
    lines.push(
      ...one.state === "over"
        ? findingText(one, style.dim("○"), "over ", view)
        : findingText(one, style.yellow("◆"), "", view),
    );
  }
  return lines.length === 0 ? [] : ["", ...lines];
}

function findingText(
  one: AnalysedFinding,
  mark: string,
  what: string,
  view: AnalysisView,
): string[] {
  const kind = one.name.replace(/^finding\./, "").replaceAll("_", " ");
  const when = ago(BigInt(Math.round(one.at * 1e3)) * 1_000_000n, view.now);
  const text = wrap(clean(one.message), Math.min(100, view.columns - 4));
  return [`  ${mark} ${kind}, ${what}${when}`, ...text.map((line) => `    ${line}`)];
}

function isSame(a: AnalysedFinding, b: AnalysedFinding): boolean {
  return a.name === b.name && a.step === b.step && a.at === b.at;
}

function seconds(value: number): string {
  if (value === 0) return "0";
  return value < 1e-3 ? `${Number((value * 1e6).toPrecision(2))} µs` : formatDuration(value * 1e3);
}

function percent(share: number): string {
  const value = 100 * share;
  const isWhole = value < 0.05 || value >= 99.95 || (value >= 9.95 && value < 99);
  return `${isWhole ? Math.round(value) : value.toFixed(1)} %`;
}

function interval({ low, high }: AnalysedRate): string {
  const short = (share: number) => percent(share).replace(" %", "");
  return `${short(low)} to ${short(high)}`;
}

function factor(value: number): string {
  return value >= 1 ? `+${percent(value - 1)}` : `−${percent(1 - value)}`;
}
