import type { JsonObject } from "../core/json.ts";
import type { PlanReport, PlanStep, StepList } from "../core/report.ts";
import type { Scope } from "../core/scope.ts";
import type { ForEach } from "../core/workflow.ts";
import type { Binding } from "./bind.ts";
import type { Plan } from "./plan.ts";

const LISTS: readonly StepList[] = ["steps", "on_failure", "finally"];

/** What would run, with which values; inputs that wait for other steps' outputs are left out. */
export function describePlan(plan: Plan, binding: Binding): PlanReport {
  const { workflow } = plan;
  const scope: Scope = {
    params: binding.params,
    env: {},
    steps: {},
    run: { id: "", name: workflow.name, status: "queued", error: null },
  };
  return {
    workflow: workflow.name,
    file: workflow.file,
    parameters: binding.journalled,
    sources: binding.sources,
    steps: LISTS.flatMap((list) =>
      plan.lists[list].map(({ step, layer }): PlanStep => {
        const inputs = tryEvaluate(() => step.with.evaluate(scope));
        return {
          id: step.id,
          list,
          uses: step.uses,
          needs: step.needs,
          layer,
          ...(step.if === undefined ? {} : { if: step.if.source }),
          ...(step.forEach === undefined
            ? {}
            : { forEach: binding.masker.text(describeSource(step.forEach, scope)) }),
          ...(step.description === undefined ? {} : { description: step.description }),
          ...(inputs === undefined ? {} : { with: binding.masker.value(inputs) as JsonObject }),
        };
      })
    ),
  };
}

// An input may well need what only the run knows; then it is not shown, which is what a dry run is for.
function tryEvaluate<T>(evaluate: () => T): T | undefined {
  try {
    return evaluate();
  } catch {
    return undefined;
  }
}

function describeSource(forEach: ForEach, scope: Scope): string {
  const { source } = forEach;
  const template = source.kind === "list"
    ? source.list
    : source.kind === "glob"
    ? source.glob
    : source.file;
  const value = tryEvaluate(() => template.evaluate(scope));
  const parts = [
    source.kind,
    value === undefined
      ? "(known when it starts)"
      : Array.isArray(value)
      ? `of ${value.length} items`
      : String(value),
  ];
  for (
    const [word, field] of [["batch", forEach.batch], ["concurrency", forEach.concurrency]] as const
  ) {
    const number = field === undefined ? undefined : tryEvaluate(() => field.evaluate(scope));
    if (number !== undefined) parts.push(`${word} ${number}`);
  }
  return parts.join(" ");
}
