import type { Json, JsonObject } from "../core/json.ts";
import { messageOf } from "../core/errors.ts";
import type { LiveValues } from "../core/live_values.ts";
import type { Parameter } from "../core/parameter.ts";
import type { Snapshot } from "../core/proposal.ts";
import type { Scope, StepView } from "../core/scope.ts";
import type { Attributes, StartEntry } from "../core/span.ts";
import type { Step } from "../core/workflow.ts";
import type { Binding } from "../plan/bind.ts";
import { liveParameters, liveValues } from "../plan/live.ts";
import type { Plan } from "../plan/plan.ts";
import {
  parameterAttributes,
  parametersVersion,
  ruledBy,
  ruledValue,
} from "../telemetry/attributes.ts";
import { texts, wholeOf } from "./template_values.ts";

const DEFAULT_CONCURRENCY = 8;
const DEFAULT_PRIORITY = 5;
const HIGHEST_PRIORITY = 9;

/** The values that rule together what is handed out with them; one object for as long as they do. */
export interface Ruling {
  /** What expressions see; `steps` and `run` are the run's own and change as it goes on. */
  readonly scope: Scope & { readonly steps: Record<string, StepView> };
  /** The values as span attributes (J3), with the snapshot's version unless they are those of the start (P3). */
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
 * - V3: a value that was given for the run is not live.
 *
 * A run without live parameters has one ruling and asks nobody for another.
 */
export class RunValues {
  /** The values that the run began with. */
  readonly pinned: Ruling;
  readonly #request: ValuesRequest;
  readonly #parameters: readonly Parameter[];
  readonly #hearers = new Set<() => void>();
  #follows = false;
  #snapshot: Snapshot | undefined;
  #ruling: Ruling;

  /** Throws SpanloopError for a `max_concurrency`, a `priority` or an `env` that does not hold. */
  constructor(request: ValuesRequest) {
    const { plan, binding, runId } = request;
    this.#request = request;
    this.#parameters = liveParameters(plan.workflow, binding.sources);
    const base: Ruling["scope"] = {
      params: binding.params,
      env: {},
      steps: {},
      run: { id: runId, name: plan.workflow.name, status: "running", error: null },
    };
    this.pinned = this.#ruling = rule(plan, base, binding, {}, undefined);
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
    return this.#ruling = this.#rule(snapshot.values, snapshot.version, this.#ruling);
  }

  /** The values that ruled what was handed out with this start, in this process or before (A2). */
  of(start: StartEntry): Ruling {
    const { attributes } = start.span;
    const version = ruledBy(attributes);
    if (version === undefined || !this.live) return this.pinned;
    const tuned: Record<string, Json> = {};
    for (const { name } of this.#parameters) {
      const value = ruledValue(attributes, name);
      if (value !== undefined) tuned[name] = value;
    }
    return this.#rule(tuned, version, this.pinned);
  }

  /** Begins to read live parameters anew; the returned function ends it. Throws StoreError. */
  async follow(): Promise<() => void> {
    const { live, plan } = this.#request;
    const leave = await live.watch(plan.workflow.name, () => {
      for (const hear of [...this.#hearers]) hear();
    });
    this.#follows = true;
    return leave;
  }

  /** Tells of changes, for whoever waits to hand something out; gives a function that ends it. */
  onChange(hear: () => void): () => void {
    if (!this.live) return () => {};
    this.#hearers.add(hear);
    return () => this.#hearers.delete(hear);
  }

  // `otherwise` rules when expressions that all steps share, such as `env`, have no value with these.
  #rule(tuned: JsonObject, version: number, otherwise: Ruling): Ruling {
    const { plan, binding, onRefused } = this.#request;
    const values = liveValues(this.#parameters, binding.params, tuned);
    const same = Object.entries(values).every(([name, value]) => value === binding.params[name]);
    if (same) return this.pinned;
    try {
      return rule(plan, this.pinned.scope, binding, values, version);
    } catch (thrown) {
      const why = binding.masker.text(messageOf(thrown));
      onRefused(`version ${version} of the tuned values cannot rule this run: ${why}`);
      return otherwise;
    }
  }
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
