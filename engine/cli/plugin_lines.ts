import type { ActionOutcome, PluginReport } from "../core/plugin_report.ts";
import { iso } from "./runs_table.ts";
import { grantLines } from "./grant_lines.ts";
import type { Style } from "./style.ts";
import { clean, pad, width } from "./text.ts";

const STANDINGS: Readonly<Record<PluginReport["state"], string>> = {
  active: "active",
  waiting: "waiting",
  set_aside: "set aside",
};

/** Plugins as a table, each with what it may do, and what was refused or is wrong. */
export function pluginLines(reports: readonly PluginReport[], style: Style): string[] {
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
  const lines = [style.dim(line(titles))];
  reports.forEach((report, i) => {
    lines.push(report.state === "set_aside" ? style.red(line(rows[i])) : line(rows[i]));
    const { grant, workflow, refused, why, use, version } = report;
    const from = `from ${use}${version === null ? "" : `, version ${version}`}`;
    lines.push(
      ...[from, ...grantLines(grant, workflow ?? undefined)].map((text) =>
        style.dim(`  ${clean(text)}`)
      ),
    );
    for (const [reason, count] of Object.entries(refused)) {
      lines.push(style.yellow(`  refused ${count} (${REFUSALS[reason] ?? reason})`));
    }
    if (why !== null) lines.push(style.red(`  ${clean(why)}`));
  });
  return lines;
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
