import { messageOf, SpanloopError } from "./core/errors.ts";
import type { Logger } from "./core/log.ts";
import type { Experiment, Snapshot } from "./core/proposal.ts";
import type { Store, Trial } from "./core/store.ts";
import { bind, type Binding, type Given } from "./plan/bind.ts";
import { holds } from "./plan/live.ts";
import type { Plan } from "./plan/plan.ts";
import { assertRules } from "./run/ruling.ts";
import { drawArm, isRecommended, isSplit, takesPart } from "./run/trial.ts";

// Most runs of a workflow have a part in its experiment: the newest one tells.
const PAGE = 10;

/** A new run's values. */
export interface NewRun {
  /** What it begins with: of a run of one arm, that arm's values. */
  readonly binding: Binding;
  /** Its part in the open experiment; absent for none. */
  readonly trial?: Trial;
}

/**
 * Gives new runs their part in the experiment that is open for their workflow.
 *
 * Runs that begin at the same moment in two processes may get one number twice. Then a block has a run more than it
 * should, which no comparison minds: each run says which arm it was of.
 */
export class Trials {
  // The last that was given here, by workflow: the run that it is for may not be in the store yet.
  readonly #last = new Map<string, Pick<Trial, "experiment" | "index">>();
  readonly #log: Logger;

  /** `log` hears of candidates that cannot be tried. */
  constructor(log: Logger) {
    this.#log = log;
  }

  /**
   * The values of a run that would begin with `binding`; `ordered`: a person has it for the sake of tuning. Throws
   * StoreError.
   */
  async join(
    store: Pick<Store, "runs">,
    plan: Plan,
    run: {
      readonly binding: Binding;
      readonly given: Given;
      readonly snapshot?: Snapshot;
      readonly ordered?: boolean;
    },
  ): Promise<NewRun> {
    const { workflow } = plan;
    const { binding, given, snapshot, ordered = false } = run;
    const experiment = snapshot?.experiment;
    if (snapshot === undefined || experiment === undefined) return { binding };
    if (!takesPart(experiment, binding.sources)) return { binding };
    if (!ordered && isRecommended(workflow, experiment)) return { binding };
    const split = isSplit(workflow, experiment);
    let candidate = binding;
    if (!split) {
      try {
        candidate = candidateOf(plan, given, snapshot, experiment);
      } catch (thrown) {
        this.#refuse(workflow.name, experiment, binding.masker.text(messageOf(thrown)));
        return { binding };
      }
    }
    const index = await this.#next(store, workflow.name, experiment);
    const trial = { experiment: experiment.id, index };
    if (split) return { binding, trial };
    const { arm, pair } = drawArm(experiment, index);
    return {
      binding: arm === "candidate" ? candidate : binding,
      trial: { ...trial, arm, pair },
    };
  }

  #refuse(workflow: string, { id }: Experiment, why: string): void {
    const body = `the change under measurement (${id}) is not tried in this run: ${why}`;
    this.#log.log({ severity: "warn", body, workflow });
  }

  async #next(
    store: Pick<Store, "runs">,
    workflow: string,
    experiment: Experiment,
  ): Promise<number> {
    const stored = await partsBefore(store, workflow, experiment);
    const last = this.#last.get(workflow);
    const index = last?.experiment === experiment.id ? Math.max(stored, last.index + 1) : stored;
    this.#last.set(workflow, { experiment: experiment.id, index });
    return index;
  }
}

// Throws SpanloopError for values that the file does not allow any more, or that its expressions have no value for.
function candidateOf(
  plan: Plan,
  given: Given,
  snapshot: Snapshot,
  { values }: Experiment,
): Binding {
  for (const [name, value] of Object.entries(values)) {
    const parameter = plan.workflow.params.get(name);
    if (parameter !== undefined && holds(parameter, value)) continue;
    throw new SpanloopError("value", `the file does not let ${name} be ${JSON.stringify(value)}`);
  }
  const binding = bind(plan.workflow, { ...given, tuned: { ...snapshot.values, ...values } });
  assertRules(plan, binding);
  return binding;
}

async function partsBefore(
  store: Pick<Store, "runs">,
  workflow: string,
  { id, since }: Experiment,
): Promise<number> {
  let before: bigint | undefined;
  for (;;) {
    const runs = await store.runs({ workflow, before, limit: PAGE });
    for (const { trial, rerun, createdAt } of runs) {
      // What repeats a run has that run's number.
      if (trial?.experiment === id && rerun === undefined) return trial.index + 1;
      if (createdAt < since) return 0;
    }
    if (runs.length < PAGE) return 0;
    before = runs[PAGE - 1].createdAt;
  }
}
