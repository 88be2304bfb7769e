import type { PlanReport, PlanStep } from "../core/report.ts";
import { clean } from "./text.ts";

/** A plan as a Mermaid flowchart; on_failure and finally as subgraphs of their own. */
export function mermaid(plan: PlanReport): string[] {
  const numbers = new Map(plan.steps.map(({ id }, index) => [id, `s${index}`]));
  const node = (step: PlanStep) => {
    const text = [
      clean(step.id),
      ...step.forEach === undefined ? [] : [`for each ${clean(step.forEach)}`],
      ...step.if === undefined ? [] : [`if ${clean(step.if)}`],
    ].map(quoted).join("<br>");
    // A diamond-like shape for a condition, stacked for a for_each, so that the picture says it at a glance.
    const [open, close] = step.forEach !== undefined
      ? ["[[", "]]"]
      : step.if !== undefined
      ? ["{{", "}}"]
      : ["[", "]"];
    return `${numbers.get(step.id)}${open}"${text}"${close}`;
  };
  const edges = (step: PlanStep) =>
    step.needs.filter((need) => numbers.has(need)).map((need) =>
      `${numbers.get(need)} --> ${numbers.get(step.id)}`
    );
  const result = ["flowchart TD"];
  for (const list of ["steps", "on_failure", "finally"] as const) {
    const steps = plan.steps.filter((step) => step.list === list);
    if (steps.length === 0) continue;
    const inside = [...steps.map(node), ...steps.flatMap(edges)];
    if (list === "steps") result.push(...inside.map((line) => `  ${line}`));
    else result.push(`  subgraph ${list}`, ...inside.map((line) => `    ${line}`), "  end");
  }
  return result;
}

// Mermaid reads entities in quoted text; everything it could take for syntax becomes one.
function quoted(text: string): string {
  return text.replace(/[&"<>#;`\\]/g, (character) => `#${character.codePointAt(0)};`);
}
