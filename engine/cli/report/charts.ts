import type { Verdict } from "../../core/proposal.ts";
import type { ParameterState } from "../../core/tuning.ts";
import { stamp, value } from "../figures.ts";
import { breaks } from "../improvement.ts";
import {
  figure,
  objectiveFigure,
  type ObjectiveText,
  objectiveValue,
  percent,
  valuesText,
} from "../objective_text.ts";
import {
  BOTTOM,
  cross,
  dot,
  figureOf,
  grid,
  LEFT,
  RIGHT,
  runAxis,
  runScale,
  TOP,
  WIDTH,
} from "./drawing.ts";
import { type Content, type Markup, tag } from "./markup.ts";
import { linearScale, logScale, type Scale } from "./scale.ts";
import { isNumeric, type Mark, type RunPoint, type StoryGuard, type Trial } from "./story.ts";

// A guard's metric is drawn up to so many times its limit.
// An interval that spans more than this factor says nothing.
const WIDEST = 1e5;
const FURTHEST = 5;
const SIGNS = { kept: "▲", rolled_back: "▽", changed: "◆" };

/** The objective over the runs, with changes and verdicts marked. */
export function objectiveChart(
  points: readonly RunPoint[],
  marks: readonly Mark[],
  objective: ObjectiveText,
): Markup {
  const height = 300;
  const y = logScale(points.map((point) => point.objective), height - BOTTOM, TOP);
  const x = runScale(points);
  return figureOf(
    height,
    `${objective.expression} of ${objective.of} over the runs`,
    grid(y, height, (tick) => objectiveFigure(tick, objective)),
    runAxis(points, x, height),
    marks.map((mark) => markLine(mark, x, height)),
    points.map((point) =>
      dot(x.at(point.run), y.at(point.objective), point, pointTitle(point, objective))
    ),
  );
}

/** A guard's metric over the runs, with its limit. */
export function guardChart(
  points: readonly RunPoint[],
  index: number,
  guard: StoryGuard,
): Markup {
  const height = 150;
  const limit = guard.below ?? guard.above ?? 0;
  const told = points.flatMap((point) => {
    const amount = point.guards[index];
    return amount === undefined ? [] : [{ point, amount }];
  });
  const most = Math.max(limit, ...told.map(({ amount }) => amount));
  // One that failed as a whole would press all others to the ground.
  const top = limit > 0 ? Math.min(most, limit * FURTHEST) : most;
  const y = linearScale(0, top * 1.1 || 1, height - BOTTOM, TOP);
  const x = runScale(points);
  const text = guard.metric === "error_rate" ? percent : figure;
  return figureOf(
    height,
    `${guard.metric} over the runs`,
    grid(y, height, text),
    runAxis(points, x, height),
    tag("line", {
      class: "limit",
      x1: LEFT,
      x2: WIDTH - RIGHT,
      y1: y.at(limit),
      y2: y.at(limit),
    }),
    tag(
      "text",
      { class: "limit", x: WIDTH - RIGHT, y: y.at(limit) - 4, "text-anchor": "end" },
      `${guard.below === undefined ? "above" : "below"} ${text(limit)}`,
    ),
    told.map(({ point, amount }) => {
      const title = `run ${point.run}, ${stamp(point.at)}: ${guard.metric} ${text(amount)}`;
      const place = [x.at(point.run), y.at(Math.min(amount, top))] as const;
      return breaks(amount, guard) ? cross(...place, title) : dot(...place, point, title);
    }),
    most > top
      ? tag("text", { x: LEFT + 6, y: TOP + 2 }, `what is above ${text(top)} is drawn at the top`)
      : undefined,
  );
}

/** Candidate against incumbent, run by run, and the interval of what that came to. */
export function trialChart({ points, verdict }: Trial, objective: ObjectiveText): Markup {
  const height = 190;
  const split = WIDTH - 210;
  const y = logScale(points.map((point) => point.objective), height - BOTTOM, TOP);
  const runs = [...new Set(points.map(({ run }) => run))];
  const x = linearScale(0, runs.length + 1, LEFT, split);
  const at = (run: number) => x.at(runs.indexOf(run) + 1);
  const pairs = runs.flatMap((run) => {
    const of = points.filter((point) => point.run === run);
    const [one, other] = [
      of.findLast(({ arm }) => arm === "incumbent"),
      of.findLast(({ arm }) => arm === "candidate"),
    ];
    if (one === undefined || other === undefined) return [];
    const [y1, y2] = [y.at(one.objective), y.at(other.objective)];
    return [tag("line", { class: "pair", x1: at(run), x2: at(run), y1, y2 })];
  });
  const every = Math.ceil(runs.length / 12);
  return figureOf(
    height,
    "candidate against incumbent",
    grid(y, height, (tick) => objectiveFigure(tick, objective), split),
    runs.filter((_, i) => i % every === 0).map((run) =>
      tag("text", { x: at(run), y: height - BOTTOM + 16, "text-anchor": "middle" }, run)
    ),
    tag("text", { x: (LEFT + split) / 2, y: height - 4, "text-anchor": "middle" }, "run"),
    pairs,
    points.map((point) =>
      dot(at(point.run), y.at(point.objective), point, pointTitle(point, objective))
    ),
    intervalPanel(verdict?.verdict, split + 40, WIDTH - RIGHT - 10, height),
  );
}

/** One parameter's values against the objective, coloured by error rate; `limit` is the guard's. */
export function sliceChart(
  points: readonly RunPoint[],
  { parameter, value: now }: ParameterState,
  objective: ObjectiveText,
  limit: number | undefined,
): Markup {
  const height = 240;
  const { name, tune } = parameter;
  const told = points.filter(({ values }) => Object.hasOwn(values, name));
  const y = logScale(told.map((point) => point.objective), height - BOTTOM, TOP);
  const [from, to] = [LEFT + 10, WIDTH - RIGHT - 10];
  const numbers = [...told.map(({ values }) => values[name]), now]
    .filter((one) => typeof one === "number");
  const names = [...new Set([...told.map(({ values }) => values[name]), now].map(value))];
  const places = linearScale(0, names.length + 1, from, to);
  const numeric = isNumeric(parameter);
  const log = numeric && tune?.scale === "log" && numbers.every((one) => one > 0);
  const scale = log ? logScale(numbers, from, to) : linearScale(...padded(numbers), from, to);
  const at = (amount: RunPoint["values"][string]) =>
    numeric && typeof amount === "number"
      ? scale.at(amount)
      : places.at(names.indexOf(value(amount)) + 1);
  const ticks = numeric
    ? scale.ticks.map((tick) => [scale.at(tick), figure(tick)] as const)
    : names.map((one, i) => [places.at(i + 1), one] as const);
  return figureOf(
    height,
    `${objective.expression} by ${name}`,
    grid(y, height, (tick) => objectiveFigure(tick, objective)),
    ticks.map(([place, label]) =>
      tag("text", { x: place, y: height - BOTTOM + 16, "text-anchor": "middle" }, label)
    ),
    tag("text", { x: (from + to) / 2, y: height - 4, "text-anchor": "middle" }, name),
    tag("line", { class: "now", x1: at(now), x2: at(now), y1: TOP, y2: height - BOTTOM }),
    tag("text", { class: "now", x: at(now) + 4, y: TOP + 8 }, "now"),
    told.map((point) => {
      const place = [at(point.values[name]), y.at(point.objective)] as const;
      const title = pointTitle(point, objective);
      const level = errorLevel(point.errorRate, limit);
      return level === 3 ? cross(...place, title) : tag(
        "circle",
        { class: `e${level}`, cx: place[0], cy: place[1], r: 4 },
        tag("title", {}, title),
      );
    }),
  );
}

/** Which of four colours an error rate has: 3 breaks the guard. Without one, by tenths of a percent to tens. */
export function errorLevel(rate: number | undefined, limit = 0.1): 0 | 1 | 2 | 3 {
  if (rate === undefined || rate <= limit / 10) return 0;
  if (rate <= limit / 2) return 1;
  return rate < limit ? 2 : 3;
}

/** What the colours of `errorLevel` mean. */
export function errorLegend(limit = 0.1): readonly string[] {
  return [
    `errors up to ${percent(limit / 10)}`,
    `up to ${percent(limit / 2)}`,
    `below ${percent(limit)}`,
    `${percent(limit)} and more`,
  ];
}

function intervalPanel(
  verdict: Verdict | undefined,
  from: number,
  to: number,
  height: number,
): Content {
  const middle = (height - BOTTOM + TOP) / 2;
  const say = (text: string) =>
    tag("text", { x: (from + to) / 2, y: middle, "text-anchor": "middle" }, text);
  if (verdict === undefined) return say("no verdict yet");
  if (verdict.effect === undefined) return say("nothing was compared");
  const { ratio, low, high } = verdict.effect;
  // The first pairs have an interval without ends.
  if (high / low >= WIDEST) return say("too few pairs for an interval");
  const scale = logScale([1, low, high], from, to);
  // Where there is room beside 1x: the sentence above has the figures.
  const ticks = scale.ticks.filter((tick) => Math.abs(scale.at(tick) - scale.at(1)) > 24)
    .filter((_, i, all) => all.length < 5 || i % 2 === 1);
  const kind = low > 1 ? "better" : high < 1 ? "worse" : "unclear";
  return [
    tag("line", { class: "one", x1: scale.at(1), x2: scale.at(1), y1: TOP, y2: height - BOTTOM }),
    tag("line", { class: kind, x1: scale.at(low), x2: scale.at(high), y1: middle, y2: middle }),
    tag("circle", { class: kind, cx: scale.at(ratio), cy: middle, r: 5 }),
    [...new Set([1, ...ticks])].map((tick) =>
      tag(
        "text",
        { x: scale.at(tick), y: height - BOTTOM + 16, "text-anchor": "middle" },
        `${figure(tick)}x`,
      )
    ),
    tag("text", { x: (from + to) / 2, y: height - 4, "text-anchor": "middle" }, "times better"),
  ];
}

function markLine({ after, kind, entry }: Mark, x: Scale, height: number): Markup {
  const place = x.at(after + 0.5);
  return tag(
    "g",
    { class: `mark ${kind}` },
    tag("line", { x1: place, x2: place, y1: TOP, y2: height - BOTTOM }),
    tag("text", { x: place, y: TOP - 3, "text-anchor": "middle" }, SIGNS[kind]),
    tag(
      "title",
      {},
      `change ${entry.number}, ${stamp(entry.proposal.at)}: ${entry.decision.message}`,
    ),
  );
}

function pointTitle(
  { run, at, arm, values, objective, errorRate }: RunPoint,
  of: ObjectiveText,
): string {
  const errors = errorRate === undefined ? "" : `, errors ${percent(errorRate)}`;
  return `run ${run}, ${stamp(at)}: ${arm} ${valuesText(values)}: ${
    objectiveValue(objective, of)
  }${errors}`;
}

function padded(numbers: readonly number[]): [number, number] {
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  const room = (high - low) * 0.08 || Math.abs(low) * 0.1 || 1;
  return numbers.length === 0 ? [0, 1] : [low - room, high + room];
}
