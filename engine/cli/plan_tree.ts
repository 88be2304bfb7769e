import type { PlanReport, PlanStep, StepList } from "../core/report.ts";
import type { Style } from "./style.ts";
import { clean, fit, hanging, isCramped, pad, width } from "./text.ts";
import { parameterLines } from "./value_lines.ts";

/**
 * A plan as a spine of layers: steps of one layer can run side by side and branch off the spine. What a step
 * needs is spelled out where it is not simply the whole layer above.
 */
export function planTree(plan: PlanReport, columns: number, style: Style): string[] {
  const values = parameterLines(plan.parameters, plan.sources, style, columns);
  const title = [style.bold(clean(plan.workflow)), style.dim(clean(plan.file))];
  const result = isCramped([title.join("  ")], columns, 1) ? title : [title.join("  ")];
  result.push(...values.map((line) => `  ${line}`));
  const names: readonly (readonly [StepList, string])[] = [
    ["steps", "steps"],
    ["on_failure", "on failure"],
    ["finally", "finally"],
  ];
  for (const [list, title] of names) {
    const steps = plan.steps.filter((step) => step.list === list);
    if (steps.length === 0) continue;
    const wide = section(steps, style);
    const tree = isCramped(wide, columns, 3) ? section(steps, style, columns - 3) : wide;
    result.push("", style.bold(title), ...tree.map((line) => `  ${line}`));
  }
  return result.map((line) => fit(line, columns - 1));
}

// With `room`, what is known of a step stands below its name, in lines of at most so many columns.
function section(steps: readonly PlanStep[], style: Style, room?: number): string[] {
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
      const { aside, rules } = describe(step, above);
      const gutter = tail ? " " : style.dim("│");
      if (room !== undefined) {
        const [first, ...rest] = hanging([`${clean(step.id)} `, step.uses], room - 4);
        result.push(`${style.cyan(fork)} ${first.trimEnd()}`);
        const below = [
          ...aside.flatMap((text) => hanging(text, room - 6).map(style.dim)),
          ...rules.flatMap(([word, text]) => {
            const [first, ...rest] = hanging(`${word} ${text}`, room - 6);
            return [style.dim(word) + first.slice(word.length), ...rest];
          }),
        ];
        for (const line of [...rest, ...below.map((text) => `  ${text}`)]) {
          result.push(`${gutter}   ${line}`);
        }
        return;
      }
      const main = [step.uses, ...aside.map(style.dim)].join("  ");
      result.push(`${style.cyan(fork)} ${pad(clean(step.id), name)}  ${main}`.trimEnd());
      for (const [word, text] of rules) {
        result.push(`${gutter}   ${" ".repeat(name)}  ${style.dim(`${word} `)}${text}`);
      }
    });
  });
  return result;
}

// What is told of a step beside its name and type, and the rules that it runs by.
function describe(step: PlanStep, above: readonly PlanStep[]): {
  readonly aside: readonly string[];
  readonly rules: readonly (readonly [word: string, text: string])[];
} {
  const needs = needsText(step, above);
  return {
    aside: [
      ...needs === undefined ? [] : [needs],
      ...step.description === undefined ? [] : [clean(step.description)],
    ],
    rules: [
      ...step.forEach === undefined ? [] : [["for each", clean(step.forEach)] as const],
      ...step.if === undefined ? [] : [["if", clean(step.if)] as const],
    ],
  };
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
