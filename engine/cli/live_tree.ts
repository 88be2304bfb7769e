import { formatDuration } from "../core/duration.ts";
import { count, counted, milliseconds, rate, roughly } from "./figures.ts";
import { itemRate, type Progress, remaining, type StepProgress, wholeRate } from "./progress.ts";
import { sign, type Style, words } from "./style.ts";
import { clean, fit, pad, width } from "./text.ts";

/** Turns while something is under way. */
export const SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏";

/** What a frame is drawn for. */
export interface Frame {
  /** The time, nanoseconds since the epoch. */
  readonly now: bigint;
  /** Grows by one a frame, for the spinner; absent for the last frame. */
  readonly tick?: number;
  /** The terminal's width. */
  readonly columns: number;
  /** How many lines there may be. */
  readonly rows: number;
  /** What the headline says while the run is being cancelled. */
  readonly notice?: string;
}

/**
 * The run as lines no wider than the terminal: every step in the file's order where there is room, otherwise
 * those that failed, run, or have just ended, and how many others there are.
 */
export function liveTree(progress: Progress, frame: Frame, style: Style): string[] {
  const columns = frame.columns - 1;
  const spinner = frame.tick === undefined ? " " : SPINNER[frame.tick % SPINNER.length];
  const elapsed = progress.startedAt === undefined
    ? ""
    : formatDuration(milliseconds(progress.startedAt, frame.now));
  const head = `${style.cyan(spinner)} ${style.bold(clean(progress.workflow))}  ${elapsed}  ${
    style.dim(countsLine(progress))
  }${frame.notice === undefined ? "" : `  ${style.yellow(clean(frame.notice))}`}`;
  const room = Math.max(1, frame.rows - 1);
  const shown = choose(progress, room);
  return [head, ...stepRows(shown, frame, style)].map((line) => fit(line, columns));
}

/** Rows of steps with aligned columns. */
export function stepRows(steps: readonly StepProgress[], frame: Frame, style: Style): string[] {
  const columns = frame.columns - 1;
  const names = steps.map((step) => clean(step.id));
  const longest = Math.min(
    Math.max(0, ...names.map(width)),
    Math.max(8, Math.floor(columns / 3)),
  );
  return steps.map((step, index) => {
    const name = pad(fit(names[index], longest), longest);
    const start = `  ${glyph(step, frame, style)} ${
      step.status === "queued" || step.status === "skipped" ? style.dim(name) : name
    }`;
    const time = pad(took(step, frame.now), 9, "start");
    const detail = details(step, frame, style, columns - longest - 17);
    return fit(`${start}  ${style.dim(time)}  ${detail}`.trimEnd(), columns);
  });
}

function choose(progress: Progress, room: number): StepProgress[] {
  const visible: StepProgress[] = [];
  const started = new Set<StepProgress["list"]>(["steps"]);
  for (const step of progress.recent) started.add(step.list);
  // on_failure and finally are shown once they have begun.
  for (const step of progress.steps.values()) if (started.has(step.list)) visible.push(step);
  if (visible.length <= room) return visible;
  const chosen = new Set<StepProgress>();
  const take = (steps: Iterable<StepProgress>) => {
    for (const step of steps) if (chosen.size < room) chosen.add(step);
  };
  const latest = [...progress.recent].reverse();
  const failures = latest.filter(({ status }) => status === "failed" || status === "timed_out");
  take(failures.slice(0, Math.ceil(room / 2)));
  take(latest.filter(({ status }) => status === "running"));
  take(latest.filter(({ retryAt, status }) => status === "queued" && retryAt !== undefined));
  take(failures);
  take(latest);
  take(visible);
  return visible.filter((step) => chosen.has(step));
}

function countsLine(progress: Progress): string {
  const of = (status: Parameters<typeof sign>[0] & string) =>
    progress.counts.get(status as never) ?? 0;
  const failed = of("failed") + of("timed_out");
  return [
    `${count(of("succeeded"))}/${counted(progress.steps.size, "step")}`,
    ...failed === 0 ? [] : [`${count(failed)} failed`],
    ...of("running") === 0 ? [] : [`${count(of("running"))} running`],
  ].join(" · ");
}

function glyph(step: StepProgress, frame: Frame, style: Style): string {
  if (step.status === "running" && frame.tick !== undefined) {
    return style.cyan(SPINNER[frame.tick % SPINNER.length]);
  }
  if (step.status === "queued" && step.retryAt !== undefined) return style.yellow("↻");
  return sign(step.status, style);
}

function took(step: StepProgress, now: bigint): string {
  if (step.startedAt === undefined || step.status === "skipped" || step.reused) return "";
  return formatDuration(milliseconds(step.startedAt, step.endedAt ?? now));
}

function details(step: StepProgress, frame: Frame, style: Style, columns: number): string {
  if (step.reused) return style.dim("reused");
  const ended = step.endedAt !== undefined;
  const parts: string[] = [];
  if (step.forEach && (step.items > 0 || step.status === "running")) {
    return ended ? items(step, style) : going(step, style, columns);
  }
  if (step.attempts > 1) {
    parts.push(ended ? counted(step.attempts, "attempt") : `attempt ${step.attempts}`);
  }
  if (!ended && step.retryAt !== undefined) {
    const wait = Math.max(0, milliseconds(frame.now, step.retryAt));
    parts.push(style.yellow(`next try in ${roughly(wait)}`));
  }
  parts.push(...ending(step, style));
  return parts.join(style.dim(" · "));
}

function ending(step: StepProgress, style: Style): string[] {
  const bad = step.status === "failed" || step.status === "timed_out";
  if (bad && step.failure !== undefined) return [style.red(clean(step.failure.message))];
  const worded = step.status === "skipped" || step.status === "cancelled" ||
    step.status === "timed_out";
  return worded ? [style.dim(words(step.status))] : [];
}

function items(step: StepProgress, style: Style): string {
  const speed = wholeRate(step);
  return [
    counted(step.items, "item"),
    ...speed === undefined ? [] : [rate(speed)],
    ...step.failed === 0 ? [] : [style.red(`${count(step.failed)} failed`)],
    ...ending(step, style),
  ].join(style.dim(" · "));
}

const LEAST_BAR = 8;

// A for_each under way: a bar and figures, from which the less important ones go first where it is narrow.
function going(step: StepProgress, style: Style, columns: number): string {
  const speed = itemRate(step);
  const left = remaining(step);
  const failed = step.failed === 0 ? [] : [style.red(`${count(step.failed)} failed`)];
  const speeds = speed === undefined ? [] : [rate(speed)];
  const lefts = left === undefined ? [] : [`${roughly(left)} left`];
  const choices = [
    [counted(step.items, "item"), ...speeds, ...failed, ...lefts],
    [count(step.items), ...speeds, ...failed, ...lefts],
    [count(step.items), ...failed, ...lefts],
    [count(step.items), ...failed],
  ].map((parts) => parts.join(style.dim(" · ")));
  if (step.share === undefined) return choices.find((text) => width(text) <= columns) ?? choices[3];
  const share = `${String(Math.floor(step.share * 100)).padStart(3)} %  `;
  const room = columns - share.length - 2;
  const text = choices.find((choice) => width(choice) <= room - LEAST_BAR);
  if (text === undefined) {
    return share.trimStart() + (choices.find((choice) => width(choice) <= room) ?? choices[3]);
  }
  return `${bar(step.share, Math.min(30, room - width(text)), style)} ${share}${text}`;
}

function bar(share: number, columns: number, style: Style): string {
  const halves = Math.round(Math.min(1, Math.max(0, share)) * columns * 2);
  const full = "━".repeat(Math.floor(halves / 2));
  const half = halves % 2 === 1 ? "╸" : "";
  const rest = "─".repeat(columns - full.length - half.length);
  return style.cyan(full + half) + style.dim(rest);
}
