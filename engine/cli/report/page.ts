import type { LedgerEntry } from "../../core/proposal.ts";
import type { TuningReport } from "../../core/tuning_report.ts";
import { counted, stamp, value } from "../figures.ts";
import { objectiveTitle, percent } from "../objective_text.ts";
import { author, boundsText } from "../params_lines.ts";
import { iso } from "../runs_table.ts";
import { errorLegend, guardChart, objectiveChart, sliceChart, trialChart } from "./charts.ts";
import { type Content, htmlOf, type Markup, tag } from "./markup.ts";
import { nextSteps, overview } from "./sentences.ts";
import { type Story, type StoryGuard, storyOf } from "./story.ts";
import { STYLE } from "./style.ts";

/** More trials than this are drawn in no page; their verdicts are listed all the same. */
export const MOST_TRIALS = 12;
/** More entries than this are in no table. */
export const MOST_LISTED = 200;

/** How a page speaks of a workflow. */
export interface PageView {
  /** The file, as a person would write it. */
  readonly fileOf: (report: TuningReport) => string;
  /** Makes a command line. */
  readonly typed: (...words: readonly string[]) => string;
}

/** One HTML page on workflows that are tuned; it needs nothing beside itself, and runs nothing. */
export function htmlPage(reports: readonly TuningReport[], at: bigint, view: PageView): string {
  const names = reports.map(({ tuned }) => tuned.workflow);
  const title = names.length === 1 ? `${names[0]}: what tuning came to` : "What tuning came to";
  const head = tag(
    "head",
    {},
    tag("meta", { charset: "utf-8" }),
    tag("meta", { name: "viewport", content: "width=device-width, initial-scale=1" }),
    tag("meta", {
      "http-equiv": "Content-Security-Policy",
      content: "default-src 'none'; style-src 'unsafe-inline'",
    }),
    tag("title", {}, title),
  );
  const body = tag(
    "body",
    {},
    tag("h1", {}, title),
    tag("p", { class: "dim" }, "as of ", time(at)),
    names.length < 2 ? undefined : tag(
      "ul",
      {},
      names.map((name, i) => tag("li", {}, tag("a", { href: `#w${i}` }, name))),
    ),
    reports.map((report, i) => article(storyOf(report), i, view, reports.length === 1)),
  );
  const styled = htmlOf(head).replace("</head>", () => `<style>${STYLE}</style></head>`);
  return `<!doctype html>\n<html lang="en">${styled}${htmlOf(body)}</html>\n`;
}

function article(story: Story, index: number, view: PageView, alone: boolean): Markup {
  const { report, points, marks, trials, guards, runs } = story;
  const { objective, tuned, more } = report;
  const { tested } = tuned;
  const file = view.fileOf(report);
  const limit = guards.find(({ metric }) => metric === "error_rate")?.below;
  const drawn = trials.filter((trial) => trial.points.length > 0).slice(-MOST_TRIALS).toReversed();
  const apart = report.guards.filter((guard) =>
    !guards.some(({ metric }) => metric === guard.metric) || guard.of !== objective?.of
  );
  return tag(
    "article",
    { id: `w${index}` },
    alone ? undefined : tag("h2", {}, tuned.workflow),
    tag("p", { class: "dim" }, tag("code", {}, file)),
    tag("p", { class: "lead" }, overview(story)),
    more ? tag("p", { class: "dim" }, "What is older was left out of this page.") : undefined,
    tag("div", { class: "next" }, tag("strong", {}, "Next"), steps(story, file, view)),
    tag("h3", {}, "What rules now"),
    parameterTable(report),
    objective === undefined || points.length === 0 ? undefined : [
      tag("h3", {}, `${objectiveTitle(objective)}, over ${counted(runs, "run")}`),
      armLegend(),
      markLegend(),
      objectiveChart(points, marks, objective),
      guards.map((guard, i) => [
        tag("h3", {}, `Guard: ${guardText(guard)}`),
        points.some((point) => point.guards[i] !== undefined)
          ? guardChart(points, i, guard)
          : tag("p", { class: "dim" }, `${whyUndrawn(guard)}, so there is nothing to draw.`),
      ]),
      apart.map((guard) =>
        tag(
          "p",
          { class: "dim" },
          `The guard on ${guardText(guard)} of ${guard.of} is not measured with the objective.`,
        )
      ),
      tag("h3", {}, "What was tried, by parameter"),
      errorKey(limit),
      tuned.parameters
        .filter(({ parameter }) =>
          points.some(({ values }) => Object.hasOwn(values, parameter.name))
        )
        .map((state) => [
          tag("h4", {}, state.parameter.name),
          sliceChart(points, state, objective, limit),
        ]),
      drawn.length === 0 ? undefined : [
        tag("h3", {}, "Candidate against incumbent"),
        armLegend(),
        drawn.map((trial) => [
          tag(
            "h4",
            {},
            `Change ${trial.entry.number}: ${(trial.verdict ?? trial.entry).decision.message}`,
          ),
          tag("p", { class: "dim" }, trial.entry.proposal.reason),
          trialChart(trial, objective),
        ]),
      ],
    ],
    tag("h3", {}, "Under measurement"),
    tested === undefined ? tag("p", {}, "Nothing.") : tag(
      "p",
      {},
      `Change ${tested.number} since `,
      time(tested.proposal.at),
      `: ${tested.decision.message}. ${tested.proposal.reason}`,
    ),
    tag("h3", {}, "Verdicts"),
    verdicts(story),
    allChanges(report.entries),
  );
}

function steps(story: Story, file: string, { typed }: PageView): Content {
  return nextSteps(story, file, typed).map(({ text, command }) =>
    tag("p", {}, text, command === undefined ? undefined : [" ", tag("code", {}, command)])
  );
}

function parameterTable({ tuned: { parameters } }: TuningReport): Content {
  if (parameters.length === 0) return tag("p", {}, "No parameter may change.");
  const rows = parameters.map((state) => [
    tag("strong", {}, state.parameter.name),
    value(state.value),
    state.change === undefined ? state.source : `${state.source}, change ${state.change.number}`,
    value(state.parameter.default ?? null),
    boundsText(state.parameter),
    `${state.parameter.tune!.mode}${state.frozen ? ", frozen" : ""}`,
  ]);
  return table(["parameter", "value", "from", "default", "bounds", "mode"], rows);
}

function verdicts({ marks }: Story): Content {
  const told = marks.filter(({ kind }) => kind !== "changed").slice(-MOST_LISTED);
  if (told.length === 0) return tag("p", {}, "None yet.");
  return tag(
    "ul",
    {},
    told.toReversed().map(({ kind, entry: { number, decision, proposal } }) =>
      tag(
        "li",
        { class: kind },
        decision.message,
        tag("br"),
        tag("span", { class: "dim" }, `change ${number}, `, time(proposal.at)),
      )
    ),
  );
}

function allChanges(entries: readonly LedgerEntry[]): Content {
  if (entries.length === 0) return undefined;
  const listed = entries.slice(-MOST_LISTED).toReversed();
  const cut = listed.length < entries.length ? `, the last ${listed.length}` : "";
  const rows = listed.map((entry) => [
    String(entry.number),
    time(entry.proposal.at),
    author(entry),
    entry.decision.outcome,
    [entry.decision.message, tag("br"), tag("span", { class: "dim" }, entry.proposal.reason)],
  ]);
  return tag(
    "details",
    {},
    tag("summary", {}, `All that was proposed: ${counted(entries.length, "change")}${cut}`),
    table(["change", "when", "by", "outcome", "what and why"], rows),
  );
}

function table(head: readonly string[], rows: readonly (readonly Content[])[]): Markup {
  return tag(
    "div",
    { class: "scroll" },
    tag(
      "table",
      {},
      tag("thead", {}, tag("tr", {}, head.map((cell) => tag("th", {}, cell)))),
      tag("tbody", {}, rows.map((row) => tag("tr", {}, row.map((cell) => tag("td", {}, cell))))),
    ),
  );
}

function armLegend(): Markup {
  return legend([["incumbent", "what ruled"], ["candidate", "what was tried"]]);
}

function errorKey(limit: number | undefined): Markup {
  return legend(errorLegend(limit).map((text, i) => [`e${i}`, text]));
}

function markLegend(): Markup {
  return tag(
    "p",
    { class: "legend" },
    ["▲ a change was kept", "▽ rolled back", "◆ applied without a test"].map((text) =>
      tag("span", {}, text)
    ),
  );
}

function legend(entries: readonly (readonly [kind: string, text: string])[]): Markup {
  return tag(
    "p",
    { class: "legend" },
    entries.map(([kind, text]) =>
      tag(
        "span",
        {},
        tag(
          "svg",
          { viewBox: "0 0 12 12", "aria-hidden": "true" },
          kind === "e3"
            ? tag("path", { class: "e3", d: "M2 2L10 10M2 10L10 2" })
            : tag("circle", { class: kind, cx: 6, cy: 6, r: 4 }),
        ),
        text,
      )
    ),
  );
}

function time(at: bigint): Markup {
  return tag("time", { datetime: iso(at) }, stamp(at));
}

function whyUndrawn({ metric }: StoryGuard): string {
  return metric === "error_rate"
    ? "The step counts no items"
    : "In no run one set of values ruled alone";
}

/** A guard in words: `error_rate below 2 %`. */
export function guardText(
  { metric, below, above }: {
    readonly metric: string;
    readonly below?: number;
    readonly above?: number;
  },
): string {
  const text = (limit: number) => metric === "error_rate" ? percent(limit) : String(limit);
  return [
    metric,
    ...below === undefined ? [] : [`below ${text(below)}`],
    ...above === undefined ? [] : [`above ${text(above)}`],
  ].join(" ");
}
