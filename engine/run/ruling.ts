import type { Json, JsonObject } from "../core/json.ts";
import { isDivisible } from "../core/divisible.ts";
import { messageOf, SpanloopError } from "../core/errors.ts";
import type { LiveValues } from "../core/live_values.ts";
import type { Parameter } from "../core/parameter.ts";
import type { Experiment, Snapshot } from "../core/proposal.ts";
import type { Scope, StepView } from "../core/scope.ts";
import type { Attributes, StartEntry } from "../core/span.ts";
import type { Trial } from "../core/store.ts";
import type { Step } from "../core/workflow.ts";
import type { Binding } from "../plan/bind.ts";
import { liveParameters, liveValues } from "../plan/live.ts";
import type { Plan } from "../plan/plan.ts";
import {
  armAttributes,
  armOf,
  parameterAttributes,
  parametersVersion,
  ruledBy,
  ruledValue,
} from "../telemetry/attributes.ts";
import { texts, wholeOf } from "./template_values.ts";
import { isRecommended } from "./trial.ts";

const DEFAULT_CONCURRENCY = 8;
const DEFAULT_PRIORITY = 5;
const HIGHEST_PRIORITY = 9;

/** The values that rule together what is handed out with them; one object for as long as they do. */
export interface Ruling {
  /** What expressions see; `steps` and `run` are the run's own and change as it goes on. */
  readonly scope: Scope & { readonly steps: Record<string, StepView> };
  /**
   * The values as span attributes (J3), with the snapshot's version unless they are those of the start (P3), and with
   * the arm of an experiment that they are of.
   */
  readonly parameters: Attributes;
  /** Attempts at once in the run (F1). */
  readonly maxConcurrency: number;
  /** How urgent the run is as long as it is queued, 0 to 9 (A1). */
  readonly priority: number;
}

/** The scope of a step: with its own `env:` on top of the workflow's. */
export function stepScope({ scope }: Pick<Ruling, "scope">, step: Step): Scope {
  if (isEmpty(step.env)) return scope;
  return { ...scope, env: { ...scope.env, ...texts(step.env, scope) } };
}

/** What a run's values are of. */
export interface ValuesRequest {
  /** The run. */
  readonly runId: string;
  /** Its plan. */
  readonly plan: Plan;
  /** What it began with. */
  readonly binding: Binding;
  /** The tuned values as they are now. */
  readonly live: LiveValues;
  /** Its part in an experiment. */
  readonly trial?: Trial;
  /** Whether a person ordered it for the sake of tuning (A4). */
  readonly ordered?: boolean;
  /** Hears why a version of the tuned values cannot rule this run, a sentence. */
  readonly onRefused: (message: string) => void;
}

/**
 * The values of one run: those that it pinned at its start, and for its `apply: live` parameters those of now.
 *
 * Invariants:
 * - P3: what the run pinned never changes; a live parameter is read anew when a step or a batch is handed out.
 * - A2: one reading for each that is handed out, once: its templates, its retries and its resume have the values
 *   of that reading, which its span's start has in the journal. A retry is no new hand-out: the batch's range
 *   was made with these values and stays (F2), and a verdict compares what one set of values did (P4).
 * - V3: a value that was given for the run is not live, and no experiment changes it.
 * - A6: in a run of one arm that arm's values rule for as long as its experiment is open.
 *
 * A run without live parameters has one ruling and asks nobody for another.
 */
export class RunValues {
  /** The values that the run began with. */
  readonly pinned: Ruling;
  readonly #request: ValuesRequest;
  readonly #parameters: readonly Parameter[];
  readonly #hearers = new Set<() => void>();
  readonly #divisible: boolean;
  #follows = false;
  #snapshot: Snapshot | undefined;
  #ruling: Ruling;
  #alone: Ruling | undefined;

  /** Throws SpanloopError for a `max_concurrency`, a `priority` or an `env` that does not hold. */
  constructor(request: ValuesRequest) {
    const { plan, binding, runId } = request;
    this.#request = request;
    this.#parameters = liveParameters(plan.workflow, binding.sources);
    const { tune } = plan.workflow;
    this.#divisible = this.live && (tune?.objective === undefined || isDivisible(tune));
    const base = baseScope(plan, binding, runId);
    this.pinned = this.#ruling = ofArm(
      rule(plan, base, binding, {}, undefined),
      armOfRun(request.trial),
    );
  }

  /** Whether any of its parameters is read anew. */
  get live(): boolean {
    return this.#parameters.length > 0;
  }

  /** The values that rule what is handed out now. */
  now(): Ruling {
    if (!this.#follows) return this.#ruling;
    const snapshot = this.#request.live.current(this.#request.plan.workflow.name);
    if (snapshot === undefined || snapshot === this.#snapshot) return this.#ruling;
    this.#snapshot = snapshot;
    return this.#ruling = this.#rule(this.#tuned(snapshot), snapshot.version, this.#ruling);
  }

  /** Attempts at once in the run (F1): by the values of now, or of the arm that rules alone. */
  get maxConcurrency(): number {
    return (this.#alone ?? this.now()).maxConcurrency;
  }

  /** These values rule alone from now on, in one of the run's steps; undefined: none do (A6). */
  ruleAlone(ruling: Ruling | undefined): void {
    if (ruling === this.#alone) return;
    this.#alone = ruling;
    this.#tell();
  }

  /**
   * The snapshot of now, if it has an experiment that a step of this run can be cut for: a share of its items
   * tells all, all of its parameters are read anew here, and no person has to have a say in one (A4). The same object for
   * as long as nothing changes.
   */
  get experimental(): Snapshot & { readonly experiment: Experiment } | undefined {
    if (!this.#follows || this.#request.trial?.arm !== undefined) return undefined;
    const snapshot = this.#request.live.current(this.#request.plan.workflow.name);
    return snapshot !== undefined && this.#reads(snapshot) ? snapshot : undefined;
  }

  /**
   * The candidate's values of an experiment. Throws SpanloopError when they cannot rule this run: they are outside of
   * what its file allows, or an expression that all steps share has no value with them.
   */
  candidate(
    { version, values, experiment }: Snapshot & { readonly experiment: Experiment },
  ): Ruling {
    const ruling = this.#ruled({ ...values, ...experiment.values }, version);
    for (const [name, value] of Object.entries(experiment.values)) {
      if (ruling.scope.params[name] === value) continue;
      throw new SpanloopError("value", `${name} cannot be ${JSON.stringify(value)} in this run`);
    }
    return ruling;
  }

  /** Says why something of the tuned values is not done in this run, a sentence. */
  refuse(message: string): void {
    this.#request.onRefused(this.#request.binding.masker.text(message));
  }

  /** The values that ruled what was handed out with this start, in this process or before (A2). */
  of(start: StartEntry): Ruling {
    const { attributes } = start.span;
    if (!this.live) return this.pinned;
    const version = ruledBy(attributes);
    // Of a run of one arm what was pinned says so already.
    const arm = this.#request.trial?.arm === undefined ? armOf(attributes) : {};
    if (version === undefined) return ofArm(this.pinned, arm);
    const tuned: Record<string, Json> = {};
    for (const { name } of this.#parameters) {
      const value = ruledValue(attributes, name);
      if (value !== undefined) tuned[name] = value;
    }
    return ofArm(this.#rule(tuned, version, this.pinned), arm);
  }

  /** Begins to read live parameters anew; the returned function ends it. Throws StoreError. */
  async follow(): Promise<() => void> {
    const { live, plan } = this.#request;
    const leave = await live.watch(plan.workflow.name, () => this.#tell());
    this.#follows = true;
    return leave;
  }

  /** Tells of changes, for whoever waits to hand something out; gives a function that ends it. */
  onChange(hear: () => void): () => void {
    if (!this.live) return () => {};
    this.#hearers.add(hear);
    return () => this.#hearers.delete(hear);
  }

  #tell(): void {
    for (const hear of [...this.#hearers]) hear();
  }

  // A run of the candidate's keeps its values until the experiment is over.
  #tuned({ values, experiment }: Snapshot): JsonObject {
    const { trial } = this.#request;
    return trial?.arm === "candidate" && trial.experiment === experiment?.id
      ? { ...values, ...experiment.values }
      : values;
  }

  #reads(snapshot: Snapshot): snapshot is Snapshot & { readonly experiment: Experiment } {
    const { experiment } = snapshot;
    const { ordered = false, plan } = this.#request;
    return experiment !== undefined && this.#divisible &&
      (ordered || !isRecommended(plan.workflow, experiment)) &&
      Object.keys(experiment.values).every((changed) =>
        this.#parameters.some(({ name }) => name === changed)
      );
  }

  // `otherwise` rules when expressions that all steps share, such as `env`, have no value with these.
  #rule(tuned: JsonObject, version: number, otherwise: Ruling): Ruling {
    try {
      return this.#ruled(tuned, version);
    } catch (thrown) {
      const why = messageOf(thrown);
      this.refuse(`version ${version} of the tuned values cannot rule this run: ${why}`);
      return otherwise;
    }
  }

  #ruled(tuned: JsonObject, version: number): Ruling {
    const { plan, binding } = this.#request;
    const values = liveValues(this.#parameters, binding.params, tuned);
    const same = Object.entries(values).every(([name, value]) => value === binding.params[name]);
    return same ? this.pinned : rule(plan, this.pinned.scope, binding, values, version);
  }
}

/** Throws SpanloopError for values with which no run could begin, as `RunValues` does. */
export function assertRules(plan: Plan, binding: Binding): void {
  rule(plan, baseScope(plan, binding, ""), binding, {}, undefined);
}

/** The same values, of work that says `arm` (see `armAttributes`). */
export function ofArm(ruling: Ruling, arm: Attributes): Ruling {
  if (isEmpty(arm)) return ruling;
  return { ...ruling, parameters: { ...ruling.parameters, ...arm } };
}

function armOfRun(trial: Trial | undefined): Attributes {
  if (trial?.arm === undefined) return {};
  const { experiment, arm, pair = 0 } = trial;
  return armAttributes({ experiment, arm, pair });
}

function baseScope(plan: Plan, { params }: Binding, id: string): Ruling["scope"] {
  const run = { id, name: plan.workflow.name, status: "running", error: null } as const;
  return { params, env: {}, steps: {}, run };
}

function rule(
  plan: Plan,
  base: Ruling["scope"],
  { params, journalled, masker }: Binding,
  values: JsonObject,
  version: number | undefined,
): Ruling {
  const { env, maxConcurrency, priority } = plan.workflow;
  const bare = { ...base, params: { ...params, ...values }, env: {} };
  const scope = { ...bare, env: texts(env, bare) };
  return {
    scope,
    parameters: {
      ...parameterAttributes(masker.value({ ...journalled, ...values })),
      ...(version === undefined ? {} : parametersVersion(version)),
    },
    maxConcurrency: maxConcurrency === undefined
      ? DEFAULT_CONCURRENCY
      : wholeOf(maxConcurrency, scope, "max_concurrency", 1),
    priority: priority === undefined
      ? DEFAULT_PRIORITY
      : Math.min(HIGHEST_PRIORITY, wholeOf(priority, scope, "priority", 0)),
  };
}

function isEmpty(record: object): boolean {
  for (const _ in record) return false;
  return true;
}
