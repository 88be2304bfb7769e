import type { StepList } from "../core/report.ts";
import type { Step, Workflow } from "../core/workflow.ts";

/** A step in its list's graph. Indexes are into the list's nodes, which stand in the file's order. */
export interface PlanNode {
  /** The step. */
  readonly step: Step;
  /** Indexes of the steps it follows. */
  readonly needs: readonly number[];
  /** Indexes of the steps that follow it. */
  readonly dependents: readonly number[];
  /** 0 for a step that starts at once, otherwise one more than its deepest need. */
  readonly layer: number;
}

/** A workflow's graphs, one for each list of steps (S3). Immutable. */
export interface Plan {
  /** The workflow. */
  readonly workflow: Workflow;
  /** The graphs. */
  readonly lists: Readonly<Record<StepList, readonly PlanNode[]>>;
}

/** Makes the plan of a validated workflow: names become indexes, cycles are impossible by then. */
export function planWorkflow(workflow: Workflow): Plan {
  return {
    workflow,
    lists: {
      steps: graph(workflow.steps),
      on_failure: graph(workflow.onFailure),
      finally: graph(workflow.finally),
    },
  };
}

function graph(steps: readonly Step[]): readonly PlanNode[] {
  const index = new Map(steps.map((step, i) => [step.id, i]));
  const needs = steps.map((step) => step.needs.map((id) => index.get(id) as number));
  const dependents: number[][] = steps.map(() => []);
  const waiting = needs.map((list) => list.length);
  needs.forEach((list, i) => list.forEach((need) => dependents[need].push(i)));
  const layers = steps.map(() => 0);
  const ready = steps.flatMap((_, i) => waiting[i] === 0 ? [i] : []);
  for (const i of ready) { // grows while it is walked: Kahn's order
    for (const next of dependents[i]) {
      layers[next] = Math.max(layers[next], layers[i] + 1);
      if (--waiting[next] === 0) ready.push(next);
    }
  }
  return steps.map((step, i) => ({
    step,
    needs: needs[i],
    dependents: dependents[i],
    layer: layers[i],
  }));
}
