import type { ActionOutcome, PluginReport } from "../core/plugin_report.ts";
import { iso } from "./runs_table.ts";
import { grantLines } from "./grant_lines.ts";
import type { Style } from "./style.ts";
import { clean, hanging, isCramped, pad, width } from "./text.ts";

const STANDINGS: Readonly<Record<PluginReport["state"], string>> = {
  active: "active",
  waiting: "waiting",
  set_aside: "set aside",
};

/**
 * Plugins as a table, or where a terminal is too narrow for that a paragraph each, with what each may do, and what was
 * refused or is wrong.
 */
export function pluginLines(
  reports: readonly PluginReport[],
  columns: number,
  style: Style,
): string[] {
  if (reports.length === 0) {
    return [
      "No plugins are used here; name one under `plugins:` in a workflow or in spanloop.yaml",
    ];
  }
  const rows = reports.map((report) => [
    clean(report.name),
    clean(report.workflow ?? "all workflows"),
    STANDINGS[report.state],
    String(report.lag),
    String(report.handled),
    String(report.actions),
    report.isolation,
    report.role ?? "",
  ]);
  const titles = ["plugin", "workflow", "state", "lag", "handled", "actions", "runs in", "role"];
  const widths = titles.map((title, i) =>
    Math.max(width(title), ...rows.map((row) => width(row[i])))
  );
  const line = (cells: readonly string[]) =>
    cells.map((cell, i) => pad(cell, widths[i], i >= 3 && i <= 5 ? "start" : undefined)).join("  ")
      .trimEnd();
  const table = [titles, ...rows].map(line);
  const cramped = isCramped(table, columns);
  const lines = cramped ? [] : [style.dim(table[0])];
  const below = (text: string, paint: (text: string) => string) =>
    (isCramped([text], columns, 2) ? hanging(text, columns - 2) : [text])
      .map((line) => paint(`  ${line}`));
  reports.forEach((report, i) => {
    const told = cramped ? hanging(partsOf(report), columns) : [table[i + 1]];
    lines.push(...report.state === "set_aside" ? told.map(style.red) : told);
    const { grant, workflow, refused, why, use, version } = report;
    const from = `from ${use}${version === null ? "" : `, version ${version}`}`;
    lines.push(
      ...[from, ...grantLines(grant, workflow ?? undefined)].flatMap((text) =>
        below(clean(text), style.dim)
      ),
    );
    for (const [reason, count] of Object.entries(refused)) {
      lines.push(...below(`refused ${count} (${REFUSALS[reason] ?? reason})`, style.yellow));
    }
    if (why !== null) lines.push(...below(clean(why), style.red));
  });
  return lines;
}

// A row as a paragraph's parts: `slow_step of orders: active, lag 0, handled 12, actions 1, in process, analyzer`.
function partsOf(report: PluginReport): readonly string[] {
  const { name, workflow, state, lag, handled, actions, isolation, role } = report;
  const facts = [
    STANDINGS[state],
    `lag ${lag}`,
    `handled ${handled}`,
    `actions ${actions}`,
    isolation === "sandbox" ? "in a sandbox" : isolation,
    ...role === null ? [] : [role],
  ];
  return [
    clean(name),
    workflow === null ? "of all workflows:" : `of ${clean(workflow)}:`,
    ...facts.map((fact, i) => i === facts.length - 1 ? fact : `${fact},`),
  ];
}

const REFUSALS: Readonly<Record<string, string>> = {
  undeclared: "not among its `actions`",
  grant: "past its grant",
  rate: "past its rate",
  depth: "too long a chain of reactions",
  invalid: "not in the form of an action, or for what is not there",
  size: "too many, or too large",
};

/** What a plugin would have done, a line for each action. */
export function outcomeLine(outcome: ActionOutcome, style: Style): string {
  const { action, refused, decision, time } = outcome;
  const parts = [style.dim(iso(BigInt(Math.round(time * 1e6)) * 1_000n)), style.bold(action.type)];
  switch (action.type) {
    case "emit":
      parts.push(clean(action.name), style.dim(clean(JSON.stringify(action.attributes ?? {}))));
      break;
    case "propose":
      parts.push(
        Object.entries(action.changes).map(([name, value]) =>
          `${clean(name)}=${clean(JSON.stringify(value))}`
        )
          .join(" "),
        style.dim(clean(action.reason)),
      );
      break;
    case "command":
      parts.push(clean(action.name), style.dim(clean(JSON.stringify(action.params ?? {}))));
  }
  if (refused !== undefined) parts.push(style.yellow(`refused: ${clean(refused.message)}`));
  if (decision !== undefined) {
    const text = `${decision.outcome} (${decision.rule}): ${clean(decision.message)}`;
    parts.push(decision.outcome === "refused" ? style.yellow(text) : style.green(text));
  }
  return parts.join("  ");
}
