import { nearest } from "../core/diagnostic.ts";
import { SpanloopError } from "../core/errors.ts";
import type { Store } from "../core/store.ts";
import type { Plan } from "../plan/plan.ts";
import { linkTo } from "../telemetry/attributes.ts";
import { outputsOf, RunFold } from "./fold.ts";
import type { ListRequest } from "./scheduler.ts";

/**
 * The steps whose outcomes a rerun keeps (R5): those that succeeded and that nothing which runs again comes
 * before. With `from` that step runs again and all that follow it; with `failed` those that did not succeed;
 * with neither everything. Throws SpanloopError for a step that is not there.
 */
export async function keep(
  store: Store,
  runId: string,
  plan: Plan,
  options: { readonly from?: string; readonly failed?: boolean },
): Promise<readonly string[]> {
  const { from, failed } = options;
  if (from === undefined && !failed) return [];
  const nodes = plan.lists.steps;
  if (from !== undefined && !nodes.some(({ step }) => step.id === from)) {
    const near = nearest(from, nodes.map(({ step }) => step.id));
    throw new SpanloopError(
      "step.unknown",
      `${plan.workflow.name} has no step ${from} among its steps` +
        (near === undefined ? "" : `; did you mean ${near}?`),
      { exitCode: 2 },
    );
  }
  const fold = await readFold(store, runId);
  const again = nodes.map(({ step }) =>
    step.id === from || fold.steps.get(step.id)?.status !== "succeeded"
  );
  // Needs come before their dependents in layers, not in the file.
  const order = nodes.map((_, index) => index).sort((a, b) => nodes[a].layer - nodes[b].layer);
  for (const index of order) {
    if (again[index]) nodes[index].dependents.forEach((next) => again[next] = true);
  }
  return nodes.flatMap(({ step }, index) => again[index] ? [] : [step.id]);
}

/** The outcomes of these steps of a run, as a rerun takes them over. */
export async function reusable(
  store: Store,
  runId: string,
  steps: readonly string[],
): Promise<ListRequest["reuse"]> {
  if (steps.length === 0) return undefined;
  const fold = await readFold(store, runId);
  return new Map(steps.flatMap((id) => {
    const step = fold.steps.get(id);
    const run = fold.run?.span;
    if (step === undefined || run === undefined) return [];
    return [[id, {
      outcome: "succeeded" as const,
      outputs: outputsOf(step),
      ...(step.processed === undefined
        ? {}
        : { items: { processed: step.processed, failed: step.failed ?? 0 } }),
      link: linkTo(run, "rerun"),
    }]];
  }));
}

async function readFold(store: Store, runId: string): Promise<RunFold> {
  const fold = new RunFold();
  for await (const record of store.read(runId)) fold.apply(record);
  return fold;
}
