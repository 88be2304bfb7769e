import type { Clock } from "./core/clock.ts";
import { InvalidError } from "./core/errors.ts";
import type { Store } from "./core/store.ts";
import type { TunedWorkflow } from "./core/tuning.ts";
import type { TuningReport } from "./core/tuning_report.ts";
import type { Workflow } from "./core/workflow.ts";
import { MEASURED, measurementOf } from "./measurements.ts";
import { goalOf } from "./parameters/goal.ts";
import { loadText, type WorkflowFiles } from "./workflow_files.ts";

/** What a report needs of the engine. */
export interface TuningReportPorts {
  /** Time. */
  readonly clock: Clock;
  /** Workflow files. */
  readonly files: WorkflowFiles;
  /** The store; undefined when there is none. */
  readonly store: Store | undefined;
  /** The tunable parameters of a workflow as they are now. */
  readonly tuned: (workflow: Workflow) => Promise<TunedWorkflow>;
}

// More than this no page shows and no reader follows.
const MOST_MEASUREMENTS = 2_000;
const MOST_ENTRIES = 1_000;
const MOST_WORKFLOWS = 50;

/** All that there is to tell of a workflow. Throws StoreError. */
export async function reportTuning(
  { clock, store, tuned }: TuningReportPorts,
  workflow: Workflow,
): Promise<TuningReport> {
  const { name, file, tune } = workflow;
  const spans = await store?.emitted({
    ...MEASURED,
    workflow: name,
    limit: MOST_MEASUREMENTS + 1,
  }) ?? [];
  const entries = await store?.ledger({ workflow: name, limit: MOST_ENTRIES + 1 }) ?? [];
  const { objective, guards = [] } = tune ?? {};
  return {
    file,
    at: clock.now(),
    ...objective === undefined
      ? {}
      : { objective: { ...objective, expression: objective.expression.source } },
    guards,
    tuned: await tuned(workflow),
    measurements: spans.slice(0, MOST_MEASUREMENTS).toReversed()
      .flatMap(({ span }) => measurementOf(span) ?? [])
      // An objective of before has other figures.
      .filter((one) => objective !== undefined && one.goal === goalOf(objective)),
    entries: entries.slice(0, MOST_ENTRIES).toReversed(),
    more: spans.length > MOST_MEASUREMENTS || entries.length > MOST_ENTRIES,
  };
}

/**
 * The workflows of a store of which something was measured or proposed, by name, as their files say them now: or, where
 * a file is gone or does not hold, as their last run has it. Throws StoreError.
 */
export async function tunedWorkflows(
  { store, files }: TuningReportPorts,
): Promise<readonly Workflow[]> {
  if (store === undefined) return [];
  const measured = await store.emitted({ ...MEASURED, limit: MOST_MEASUREMENTS });
  const entries = await store.ledger({ limit: MOST_ENTRIES });
  const names = new Set([
    ...measured.flatMap(({ span }) => span.workflow ?? []),
    ...entries.map(({ proposal }) => proposal.workflow),
  ]);
  const found: Workflow[] = [];
  for (const name of [...names].sort().slice(0, MOST_WORKFLOWS)) {
    const [run] = await store.runs({ workflow: name, limit: 1 });
    // Of one that never ran here nothing was measured, and its file is not known.
    if (run === undefined) continue;
    try {
      const { workflow } = files.load(run.file).plan;
      if (workflow.name === name) {
        found.push(workflow);
        continue;
      }
    } catch (thrown) {
      if (!(thrown instanceof InvalidError)) throw thrown;
    }
    const text = await store.definition(run.definition);
    if (text !== undefined) found.push(loadText(text, run.file).plan.workflow);
  }
  return found;
}
