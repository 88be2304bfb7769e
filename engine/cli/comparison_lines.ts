import { formatDuration } from "../core/duration.ts";
import type { Json } from "../core/json.ts";
import type { RunHistory } from "../core/report.ts";
import type { Comparison, Difference, StepChange } from "./comparison.ts";
import { ago, change, count, counted, shortId, value } from "./figures.ts";
import { byStatus, sign, type Style, words } from "./style.ts";
import { clean, fit, pad, width, wrap } from "./text.ts";
import { CRITICAL } from "./waterfall.ts";

const MOST_STEPS = 40;
const MOST_INPUTS = 20;

/** `diff A B`: the headline, the runs, step by step, the critical paths, and what was not the same. */
export function comparisonLines(
  comparison: Comparison,
  runs: readonly [RunHistory, RunHistory],
  view: { readonly columns: number; readonly now: bigint },
  style: Style,
): string[] {
  const result = [...wrap(headline(comparison), view.columns).map((line) => style.bold(line)), ""];
  runs.forEach(({ summary }, index) => {
    result.push(
      `${style.dim(index === 0 ? "A" : "B")} ${shortId(summary.runId)}  ${
        clean(summary.workflow)
      }  ${sign(summary.status, style)} ${
        byStatus(summary.status, words(summary.status), style)
      } in ${formatDuration(comparison.durations_ms[index])}${
        style.dim(`  ${ago(summary.createdAt, view.now)}`)
      }`,
    );
  });
  result.push("", ...stepTable(comparison, style));
  const [pathA, pathB] = comparison.critical_paths.map((path) => path.map(clean).join(" → "));
  const mark = style.magenta(CRITICAL);
  if (pathA === pathB) result.push("", `${mark} critical path of both: ${pathB}`);
  else {result.push(
      "",
      `${mark} critical path of A: ${pathA}`,
      `${mark} critical path of B: ${pathB}`,
    );}
  result.push(...differenceLines("parameters", comparison.parameters, style));
  result.push(...differenceLines("inputs", comparison.inputs, style));
  if (comparison.definition_changed || comparison.modules.length > 0) {
    result.push("", style.bold("files"));
    if (comparison.definition_changed) result.push("  the workflow's own text changed");
    for (const { name, a, b } of comparison.modules) {
      result.push(
        `  ${clean(name)} ${a === null ? "is new in B" : b === null ? "is only in A" : "changed"}`,
      );
    }
  }
  const same = comparison.parameters.length === 0 && comparison.inputs.length === 0 &&
    comparison.modules.length === 0 && !comparison.definition_changed;
  if (same) {
    result.push("", style.dim("Parameters, inputs, modules and the workflow's text are the same."));
  }
  return result.map((line) => fit(line, view.columns));
}

/** One sentence: where most of the change came from, and what differed; `load: +3.10 s, 62 % of the slowdown; …`. */
export function headline(comparison: Comparison): string {
  const [a, b] = comparison.durations_ms;
  const differing = parameterText(comparison.parameters);
  // Under a hundredth of the time, or a few milliseconds, two runs are as fast as each other.
  if (Math.abs(comparison.change_ms) < Math.max(5, 0.01 * Math.max(a, b))) {
    return `A and B took the same time, ${formatDuration(b)}${differing}`;
  }
  const slower = comparison.change_ms > 0;
  const top = comparison.steps.reduce<StepChange | undefined>(
    (best, step) => (step.share ?? 0) > (best?.share ?? 0) ? step : best,
    undefined,
  );
  const what = slower ? "slowdown" : "gain";
  if (top === undefined || top.share === null) {
    return `B ${slower ? "took longer" : "was faster"}: ${change(comparison.change_ms)}, ` +
      `none of it in a step${differing}`;
  }
  const [itemsA, itemsB] = top.items;
  const items = itemsA !== null && itemsB !== null && itemsA !== itemsB
    ? `; ${count(itemsA)} -> ${counted(itemsB, "item")}`
    : "";
  return `${clean(top.id)}: ${change(top.contribution_ms)}, ${
    percent(top.share)
  } of the ${what}${items}${differing}`;
}

function parameterText(parameters: readonly Difference[]): string {
  if (parameters.length === 0) return "";
  if (parameters.length > 3) return `; ${parameters.length} parameters differ`;
  return `; ${
    parameters.map(({ name, a, b }) => `${clean(name)} ${short(a)} -> ${short(b)}`).join(", ")
  }`;
}

function short(json: Json): string {
  return json === null ? "none" : fit(value(json), 24);
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

function stepTable(comparison: Comparison, style: Style): string[] {
  const order = [...comparison.steps].sort((x, y) => weight(y) - weight(x));
  const chosen = new Set(order.slice(0, MOST_STEPS));
  const steps = comparison.steps.filter((step) => chosen.has(step));
  const rows = steps.map((step) => [
    `${step.critical[1] ? style.magenta(CRITICAL) : " "} ${clean(step.id)}`,
    took(step, 0, style),
    took(step, 1, style),
    delta(step, style),
    step.share === null || Math.abs(step.share) < 0.005 ? "" : percent(step.share),
    style.dim(notes(step)),
  ]);
  const table = [["  step", "A", "B", "change", "share", ""], ...rows];
  const widths = [0, 1, 2, 3, 4].map((column) =>
    Math.max(...table.map((row) => width(row[column])))
  );
  const lines = table.map((row, index) => {
    const cells = widths.map((columns, at) => pad(row[at], columns, at === 0 ? "end" : "start"));
    const line = [...cells, row[5]].join("  ").trimEnd();
    return index === 0 ? style.dim(line) : line;
  });
  const hidden = comparison.steps.length - steps.length;
  return hidden === 0
    ? lines
    : [...lines, style.dim(`  and ${counted(hidden, "more step")} that changed less`)];
}

function weight(step: StepChange): number {
  const [a, b] = step.durations_ms;
  return Math.abs(step.contribution_ms) * 1_000 + Math.abs((b ?? 0) - (a ?? 0));
}

function took(step: StepChange, run: 0 | 1, style: Style): string {
  const [ms, status] = [step.durations_ms[run], step.statuses[run]];
  if (ms === null || status === null) return style.dim("none");
  if (step.reasons[run] === "reuse") return style.dim("reused");
  if (status === "skipped" || status === "queued") return style.dim(status);
  return status === "succeeded" ? formatDuration(ms) : byStatus(status, formatDuration(ms), style);
}

function delta(step: StepChange, style: Style): string {
  const [a, b] = step.durations_ms;
  if (a === null || b === null || step.reasons.includes("reuse")) return "";
  const text = change(b - a);
  const matters = Math.abs(b - a) >= 0.05 * Math.max(a, b) && Math.abs(b - a) >= 1;
  return !matters ? style.dim(text) : b > a ? style.red(text) : style.green(text);
}

function notes(step: StepChange): string {
  const [statusA, statusB] = step.statuses;
  const parts: string[] = [];
  if (statusA !== null && statusB !== null && statusA !== statusB) {
    parts.push(`${words(statusA)} -> ${words(statusB)}`);
  }
  const pairs = [[step.items, "item"], [step.attempts, "attempt"]] as const;
  for (const [[a, b], name] of pairs) {
    if (a !== null && b !== null && a !== b) parts.push(`${count(a)} -> ${counted(b, name)}`);
  }
  return parts.join(" · ");
}

function differenceLines(
  title: string,
  differences: readonly Difference[],
  style: Style,
): string[] {
  if (differences.length === 0) return [];
  const shown = differences.slice(0, MOST_INPUTS);
  const name = Math.max(...shown.map((difference) => width(clean(difference.name))));
  return [
    "",
    style.bold(title),
    ...shown.map((difference) =>
      `  ${pad(clean(difference.name), name)}  ${fit(text(difference.a), 60)} -> ${
        fit(text(difference.b), 60)
      }`
    ),
    ...differences.length === shown.length
      ? []
      : [style.dim(`  and ${count(differences.length - shown.length)} more; see them with --json`)],
  ];
}

function text(json: Json): string {
  return json === null ? "none" : value(json);
}
