import type { PlanReport, PlanStep, StepList } from "../core/report.ts";
import type { Style } from "./style.ts";
import { clean, fit, pad, width } from "./text.ts";
import { parameterLines } from "./value_lines.ts";

/**
 * A plan as a spine of layers: steps of one layer can run side by side and branch off the spine. What a step
 * needs is spelled out where it is not simply the whole layer above.
 */
export function planTree(plan: PlanReport, columns: number, style: Style): string[] {
  const result = [`${style.bold(clean(plan.workflow))}  ${style.dim(clean(plan.file))}`];
  result.push(...parameterLines(plan.parameters, plan.sources, style).map((line) => `  ${line}`));
  const names: readonly (readonly [StepList, string])[] = [
    ["steps", "steps"],
    ["on_failure", "on failure"],
    ["finally", "finally"],
  ];
  for (const [list, title] of names) {
    const steps = plan.steps.filter((step) => step.list === list);
    if (steps.length === 0) continue;
    result.push("", style.bold(title), ...section(steps, style).map((line) => `  ${line}`));
  }
  return result.map((line) => fit(line, columns - 1));
}

function section(steps: readonly PlanStep[], style: Style): string[] {
  const layers = new Map<number, PlanStep[]>();
  for (const step of steps) layers.set(step.layer, [...layers.get(step.layer) ?? [], step]);
  const order = [...layers.keys()].sort((a, b) => a - b);
  const name = Math.min(32, Math.max(...steps.map(({ id }) => width(clean(id)))));
  const result: string[] = [];
  order.forEach((layer, index) => {
    const members = layers.get(layer) ?? [];
    const above = index === 0 ? [] : layers.get(order[index - 1]) ?? [];
    const last = index === order.length - 1;
    if (index > 0) result.push(style.dim("│"));
    members.forEach((step, at) => {
      const alone = members.length === 1;
      const tail = last && at === members.length - 1;
      const fork = alone ? "●  " : index === 0 && at === 0 ? "┌─●" : tail ? "└─●" : "├─●";
      const [main, ...more] = describe(step, above, style);
      const head = `${style.cyan(fork)} ${pad(clean(step.id), name)}  ${main}`;
      result.push(head.trimEnd());
      const gutter = tail ? " " : style.dim("│");
      for (const line of more) {
        result.push(`${gutter}   ${" ".repeat(name)}  ${line}`);
      }
    });
  });
  return result;
}

function describe(step: PlanStep, above: readonly PlanStep[], style: Style): string[] {
  const main = [step.uses];
  const needs = needsText(step, above);
  if (needs !== undefined) main.push(style.dim(needs));
  if (step.description !== undefined) main.push(style.dim(clean(step.description)));
  const result = [main.join("  ")];
  if (step.forEach !== undefined) result.push(style.dim("for each ") + clean(step.forEach));
  if (step.if !== undefined) result.push(style.dim("if ") + clean(step.if));
  return result;
}

function needsText(step: PlanStep, above: readonly PlanStep[]): string | undefined {
  const simple = step.needs.length === above.length && above.length <= 1 &&
    above.every(({ id }) => step.needs.includes(id));
  if (simple || step.needs.length === 0) return undefined;
  const whole = step.needs.length === above.length &&
    above.every(({ id }) => step.needs.includes(id));
  if (whole && above.length > 4) return `needs all ${above.length} above`;
  const shown = step.needs.slice(0, 4).map(clean).join(", ");
  const more = step.needs.length - 4;
  return `needs ${shown}${more > 0 ? ` and ${more} more` : ""}`;
}
