import { stamp } from "../figures.ts";
import { type Content, type Markup, tag } from "./markup.ts";
import { linearScale, type Scale } from "./scale.ts";
import type { RunPoint } from "./story.ts";

/** How wide every chart is, in units of its own. */
export const WIDTH = 760;
/** Where a plot begins: to the left are the labels. */
export const LEFT = 74;
/** What is free at the right. */
export const RIGHT = 14;
/** What is free at the top. */
export const TOP = 14;
/** What is free at the bottom, for labels. */
export const BOTTOM = 34;

/** A chart of that height with what is drawn in it; `label` is for who cannot see it. */
export function figureOf(height: number, label: string, ...content: readonly Content[]): Markup {
  return tag(
    "div",
    { class: "chart" },
    tag(
      "svg",
      { viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": label },
      ...content,
    ),
  );
}

/** Lines across the plot with their labels, and the axis at its bottom. */
export function grid(
  y: Scale,
  height: number,
  label: (tick: number) => string,
  right = WIDTH - RIGHT,
): Content {
  return y.ticks.map((tick) => [
    tag("line", { class: "grid", x1: LEFT, x2: right, y1: y.at(tick), y2: y.at(tick) }),
    tag("text", { x: LEFT - 8, y: y.at(tick) + 4, "text-anchor": "end" }, label(tick)),
  ]).concat([[
    tag("line", {
      class: "axis",
      x1: LEFT,
      x2: right,
      y1: height - BOTTOM,
      y2: height - BOTTOM,
    }),
  ]]);
}

/** Where runs stand. */
export function runScale(points: readonly RunPoint[]): Scale {
  const last = points.at(-1)?.run ?? 1;
  return linearScale(0, last + 1, LEFT, WIDTH - RIGHT);
}

/** The axis of runs: some by their number, and when the first and the last were. */
export function runAxis(points: readonly RunPoint[], x: Scale, height: number): Content {
  const last = points.at(-1)?.run ?? 1;
  const every = [1, 2, 5, 10, 20, 50, 100, 200, 500].find((step) => last / step <= 12) ?? 1_000;
  const first = new Map(points.toReversed().map((point) => [point.run, point]));
  return [...first.values()].filter(({ run }) => run === 1 || run % every === 0).map((point) =>
    tag(
      "text",
      { x: x.at(point.run), y: height - BOTTOM + 16, "text-anchor": "middle" },
      point.run,
      tag("title", {}, stamp(point.at)),
    )
  ).concat(
    tag("text", { x: LEFT, y: height - 4 }, points.length === 0 ? "" : stamp(points[0].at)),
    tag(
      "text",
      { x: WIDTH - RIGHT, y: height - 4, "text-anchor": "end" },
      points.length === 0 ? "" : stamp(points.at(-1)!.at),
    ),
    tag("text", { x: (LEFT + WIDTH - RIGHT) / 2, y: height - 4, "text-anchor": "middle" }, "run"),
  );
}

/** A point in its arm's colour; `title` shows where a pointer rests on it. */
export function dot(x: number, y: number, { arm }: RunPoint, title: string): Markup {
  return tag("circle", { class: arm, cx: x, cy: y, r: 4 }, tag("title", {}, title));
}

/** What breaks a guard. */
export function cross(x: number, y: number, title: string): Markup {
  const d = `M${x - 4} ${y - 4}L${x + 4} ${y + 4}M${x - 4} ${y + 4}L${x + 4} ${y - 4}`;
  return tag("path", { class: "e3", d }, tag("title", {}, title));
}
