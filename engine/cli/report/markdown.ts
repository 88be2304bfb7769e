import type { LedgerEntry } from "../../core/proposal.ts";
import type { TuningReport } from "../../core/tuning_report.ts";
import { counted, stamp, value } from "../figures.ts";
import { objectiveFigure, objectiveTitle } from "../objective_text.ts";
import { author, boundsText } from "../params_lines.ts";
import { logChart } from "../run_chart.ts";
import { makeStyle } from "../style.ts";
import { clean } from "../text.ts";
import { guardText, MOST_LISTED, type PageView } from "./page.ts";
import { nextSteps, overview } from "./sentences.ts";
import { type Story, storyOf } from "./story.ts";

const SIGNS = { kept: "▲", rolled_back: "▽", changed: "◆" };

/** The same as Markdown, its charts as text. */
export function markdownPage(reports: readonly TuningReport[], at: bigint, view: PageView): string {
  return [
    "# What tuning came to",
    "",
    `As of ${stamp(at)}.`,
    ...reports.flatMap((report) => section(storyOf(report), view)),
  ].join("\n") + "\n";
}

function section(story: Story, view: PageView): string[] {
  const { report, marks } = story;
  const { tuned, objective, guards, more, entries } = report;
  const { tested } = tuned;
  const told = marks.filter(({ kind }) => kind !== "changed");
  return [
    "",
    `## ${text(tuned.workflow)}`,
    "",
    code(view.fileOf(report)),
    "",
    text(overview(story)),
    ...more ? ["", "What is older was left out."] : [],
    "",
    "### Next",
    "",
    ...nextSteps(story, view.fileOf(report), view.typed).map((step) =>
      `- ${text(step.text)}${step.command === undefined ? "" : ` ${code(step.command)}`}`
    ),
    "",
    "### What rules now",
    "",
    ...tuned.parameters.length === 0 ? ["No parameter may change."] : table(
      ["parameter", "value", "from", "default", "bounds", "mode"],
      tuned.parameters.map(({ parameter, value: now, source, frozen, change }) => [
        parameter.name,
        value(now),
        change === undefined ? source : `${source}, change ${change.number}`,
        value(parameter.default ?? null),
        boundsText(parameter),
        `${parameter.tune!.mode}${frozen ? ", frozen" : ""}`,
      ]),
    ),
    ...guards.length === 0 ? [] : [
      "",
      `Guards: ${guards.map((guard) => text(`${guardText(guard)} of ${guard.of}`)).join("; ")}.`,
    ],
    ...chart(story),
    "",
    "### Under measurement",
    "",
    tested === undefined ? "Nothing." : text(
      `Change ${tested.number}: ${tested.decision.message}. ${tested.proposal.reason}`,
    ),
    "",
    "### Verdicts",
    "",
    ...told.length === 0
      ? ["None yet."]
      : told.slice(-MOST_LISTED).toReversed().map(({ kind, entry }) =>
        `- ${SIGNS[kind]} ${text(entry.decision.message)} (change ${entry.number}, ${
          stamp(entry.proposal.at)
        })`
      ),
    ...allChanges(entries),
    ...objective === undefined ? [] : [""],
  ];
}

function chart({ report: { objective }, points, marks, runs }: Story): string[] {
  if (objective === undefined || points.length === 0) return [];
  const drawn = logChart(
    points.map(({ run, objective, arm }) => ({
      run,
      value: objective,
      candidate: arm === "candidate",
    })),
    marks.filter(({ after }) => after > 0)
      .map(({ after, kind }) => ({ run: after, sign: SIGNS[kind] })),
    { runs, columns: 96, rows: 12, label: (amount) => objectiveFigure(amount, objective) },
    makeStyle(false),
  );
  if (drawn === undefined) return [];
  return [
    "",
    `### ${text(objectiveTitle(objective))}, over ${counted(runs, "run")}`,
    "",
    "● what ruled, ○ what was tried, ▲ kept, ▽ rolled back, ◆ applied without a test",
    "",
    "```text",
    ...drawn.lines,
    "```",
  ];
}

function allChanges(entries: readonly LedgerEntry[]): string[] {
  if (entries.length === 0) return [];
  return [
    "",
    "### All that was proposed",
    "",
    ...table(
      ["change", "when", "by", "outcome", "what", "why"],
      entries.slice(-MOST_LISTED).toReversed().map((entry) => [
        String(entry.number),
        stamp(entry.proposal.at),
        author(entry),
        entry.decision.outcome,
        entry.decision.message,
        entry.proposal.reason,
      ]),
    ),
  ];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const row = (cells: readonly string[]) => `| ${cells.map(text).join(" | ")} |`;
  return [row(head), `| ${head.map(() => "---").join(" | ")} |`, ...rows.map(row)];
}

// Whatever stands in a name or a reason is text, and begins neither a list nor a heading.
function text(plain: string): string {
  return clean(plain).replace(/[\\`*_{}[\]<>|#~!]/g, "\\$&").replaceAll("&", "&amp;");
}

function code(plain: string): string {
  const bare = clean(plain);
  const fence = "`".repeat(
    1 + Math.max(0, ...[...bare.matchAll(/`+/g)].map(([run]) => run.length)),
  );
  const pad = bare.startsWith("`") || bare.endsWith("`") ? " " : "";
  return `${fence}${pad}${bare}${pad}${fence}`;
}
