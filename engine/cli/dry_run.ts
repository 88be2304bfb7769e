import type { PlanReport } from "../core/report.ts";
import type { Style } from "./style.ts";
import { clean } from "./text.ts";
import { jsonLines, parameterLines } from "./value_lines.ts";

/** What `run --dry-run` prints: the values, and each step with its resolved inputs. */
export function dryRunLines(plan: PlanReport, style: Style): string[] {
  const result = [`${style.bold(clean(plan.workflow))} would run with`];
  const parameters = parameterLines(plan.parameters, plan.sources, style);
  result.push(
    ...parameters.length === 0 ? ["  no parameters"] : parameters.map((line) => `  ${line}`),
  );
  for (const step of plan.steps) {
    const where = step.list === "steps" ? "" : `, ${step.list}`;
    const needs = step.needs.length === 0 ? "" : ` after ${step.needs.map(clean).join(", ")}`;
    result.push("", `${style.bold(clean(step.id))}  ${step.uses}${style.dim(needs + where)}`);
    if (step.if !== undefined) result.push(`  ${style.dim("if")} ${clean(step.if)}`);
    if (step.forEach !== undefined) {
      result.push(`  ${style.dim("for each")} ${clean(step.forEach)}`);
    }
    result.push(
      ...step.with === undefined
        ? [`  ${style.dim("its inputs depend on other steps")}`]
        : jsonLines(step.with, style).map((line) => `  ${line}`),
    );
  }
  return [...result, "", style.dim("Nothing was run.")];
}
