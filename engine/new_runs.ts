import type { Parts, Surroundings } from "./assembly.ts";
import { traceOf } from "./business_context.ts";
import type { JsonObject } from "./core/json.ts";
import type { Snapshot } from "./core/proposal.ts";
import type { GivenValues } from "./core/run_options.ts";
import type { RunSummary } from "./core/store.ts";
import type { Workflow } from "./core/workflow.ts";
import { bind, type Binding, type Given } from "./plan/bind.ts";
import type { Plan } from "./plan/plan.ts";
import { keep, reusable } from "./run/reuse.ts";
import type { RunHandle, StartRequest } from "./run/runner.ts";
import { rebindForRerun, valuesFrom } from "./run_values.ts";
import { openLedger, standingValues } from "./standing_values.ts";
import { type SubWorkflowHost, subWorkflows } from "./sub_workflow.ts";
import type { NewRun, Trials } from "./trials.ts";
import type { LoadedWorkflow } from "./workflow_files.ts";

/** What making runs uses of the engine. */
export interface NewRunsPorts {
  /** The machine and the process. */
  readonly surroundings: Surroundings;
  /** The layers, if there is a store. */
  readonly existing: () => Promise<Parts | undefined>;
  /** The layers, with the workflow registered and its plugins hearing. */
  readonly ready: (workflow: Workflow) => Promise<Parts>;
  /** Where the runs' sub-workflows run. */
  readonly subWorkflows: SubWorkflowHost;
}

/** How a run is started; without a `trace` it is of whoever started this process. */
export interface NewRunOptions extends
  Partial<
    Pick<
      StartRequest,
      | "onEvent"
      | "ordered"
      | "parent"
      | "runId"
      | "runWorkflow"
      | "trace"
      | "trigger"
      | "triggeredBy"
    >
  > {
  /** The values that a person gives. */
  readonly given?: GivenValues;
  /** Those that a caller or a trigger gives. */
  readonly caller?: JsonObject;
}

/** A new run's values, and the version of the snapshot that they are of. */
interface Bound extends NewRun {
  readonly snapshot?: number;
}

/**
 * Makes new runs: of the values that are given and those that are tuned (V3), with the snapshot that they pin and a part in
 * the experiment that is open.
 *
 * Invariant: P3 (a run's snapshot is the one that its values are of).
 */
export class NewRuns {
  readonly #ports: NewRunsPorts;
  #trials: Promise<Trials> | undefined;

  /** Works through `ports`. */
  constructor(ports: NewRunsPorts) {
    this.#ports = ports;
  }

  /** The values that a run would begin with now; makes no store. Throws InvalidError and StoreError. */
  async preview(workflow: Workflow, given?: GivenValues): Promise<Binding> {
    const { tuned } = await this.#tuned(workflow);
    return bind(workflow, { ...this.#values(workflow, given), tuned });
  }

  /** Starts a run; the handle is given before it is over. Throws InvalidError and StoreError. */
  async start(loaded: LoadedWorkflow, options: NewRunOptions): Promise<RunHandle> {
    const { given, caller, onEvent, runId, trace, ...more } = options;
    const values = this.#values(loaded.plan.workflow, given);
    const { parts, ...bound } = await this.#bound(
      loaded.plan,
      caller === undefined ? values : { ...values, caller },
      options.ordered,
    );
    const request = await this.#request(parts, loaded, bound, { onEvent, runId, trace });
    return parts.runner.start({ ...request, ...more });
  }

  /** Starts a run that repeats another, with its values, and reuses what it need not do again. */
  async repeat(
    loaded: LoadedWorkflow,
    summary: RunSummary,
    options: Pick<NewRunOptions, "onEvent"> & { readonly from?: string; readonly failed?: boolean },
  ): Promise<RunHandle> {
    const { workflow } = loaded.plan;
    const { runId, traceId, spanId, snapshot, trial } = summary;
    const binding = rebindForRerun(workflow, summary, this.#values(workflow));
    const parts = await this.#ports.ready(workflow);
    const { store, runner } = parts;
    const steps = await keep(store, runId, loaded.plan, options);
    return runner.start({
      ...await this.#request(parts, loaded, { binding, snapshot, trial }, options),
      rerun: { runId, span: { traceId, spanId }, reuse: steps },
      reuse: await reusable(store, runId, steps),
    });
  }

  #values(workflow: Workflow, given: GivenValues = {}): Given {
    return valuesFrom(workflow, given, this.#ports.surroundings.environment);
  }

  // The tuned values that are of the workflow's file as it is now, and those that are not.
  async #tuned(
    workflow: Workflow,
  ): Promise<
    { readonly tuned?: JsonObject; readonly snapshot?: Snapshot; readonly edited?: boolean }
  > {
    const parts = await this.#ports.existing();
    if (parts === undefined) return {};
    const { snapshot, values, edited } = await standingValues(parts, workflow);
    return snapshot.version === 0 ? {} : { tuned: values, snapshot, edited };
  }

  // Its values hold before a store is made or anything written.
  async #bound(
    plan: Plan,
    given: Given,
    ordered?: boolean,
  ): Promise<Bound & { readonly parts: Parts }> {
    const { workflow } = plan;
    const { tuned, snapshot: standing, edited } = await this.#tuned(workflow);
    let snapshot = standing;
    let binding = bind(workflow, { ...given, tuned });
    const parts = await this.#ports.ready(workflow);
    if (edited) {
      const ledger = await openLedger(parts);
      snapshot = await ledger.reconcile(workflow, this.#ports.surroundings.clock.now());
      binding = bind(workflow, { ...given, tuned: snapshot.values });
    }
    const bound = { parts, snapshot: snapshot?.version, binding };
    if (snapshot?.experiment === undefined) return bound;
    const trials = await (this.#trials ??= this.#startTrials());
    const run = { binding, given, snapshot, ordered };
    return { ...bound, ...await trials.join(parts.store, plan, run) };
  }

  async #startTrials(): Promise<Trials> {
    const { Trials } = await import("./trials.ts");
    return new Trials(this.#ports.surroundings.log);
  }

  async #request(
    { propagation }: Parts,
    { plan, definition, modules }: LoadedWorkflow,
    { binding, snapshot, trial }: Bound,
    { onEvent, trace, runId = this.#ports.surroundings.ids.runId() }: Pick<
      NewRunOptions,
      "onEvent" | "runId" | "trace"
    >,
  ): Promise<StartRequest> {
    const { environment } = this.#ports.surroundings;
    const caller = trace ?? await propagation.extract({ environment });
    return {
      runId,
      plan,
      binding,
      snapshot,
      trial,
      definition,
      modules,
      trace: await traceOf(propagation, { workflow: plan.workflow, binding, runId }, caller),
      onEvent,
      runWorkflow: subWorkflows(this.#ports.subWorkflows, { onEvent, depth: 0 }),
    };
  }
}
