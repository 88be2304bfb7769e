import type { Json } from "../core/json.ts";
import type { Parameter } from "../core/parameter.ts";
import type { Basis, Decision, Experiment, Snapshot } from "../core/proposal.ts";
import type { Workflow } from "../core/workflow.ts";
import { boundsOf, clamp } from "./clamp.ts";
import { goalOf } from "./goal.ts";
import { show, typeProblem } from "./values.ts";

/** What the tuned values need to be those of a file that its author has edited since. */
export interface Reconciliation {
  /** New values by parameter; null: retired, back to the file's default. */
  readonly values: Readonly<Record<string, Json>>;
  /** Those that were cut to narrower bounds. */
  readonly clamped: readonly string[];
  /** The parameters of an open experiment that is not of the file any more; none when it may go on. */
  readonly dropped: readonly string[];
  /** What the author did, a sentence. */
  readonly reason: string;
}

type Tuned = Pick<Workflow, "params" | "tune">;

/** What a parameter is tuned against in this file (A5). */
export function basisOf(workflow: Tuned, parameter: Parameter): Basis {
  const objective = workflow.tune?.objective;
  return {
    type: parameter.type,
    default: parameter.default ?? null,
    ...objective === undefined ? {} : {
      objective: goalOf(objective),
    },
  };
}

/**
 * Holds tuned values against the file as it is now (A5): where its default, type or objective is another one, or
 * the parameter is not tunable any more, the value is retired; where its bounds are narrower, it is clamped. An
 * experiment is dropped once one of its parameters is another one, or a value changes: it would compare what never ruled.
 * Undefined when all of it holds.
 */
export function reconcile(workflow: Tuned, snapshot: Snapshot): Reconciliation | undefined {
  const values: Record<string, Json> = {};
  const clamped: string[] = [];
  const reasons: string[] = [];
  for (const [name, value] of Object.entries(snapshot.values)) {
    const parameter = workflow.params.get(name);
    const why = whyRetired(workflow, name, parameter, value, snapshot.basis?.[name]);
    if (why !== undefined || parameter === undefined) {
      values[name] = null;
      reasons.push(why ?? `${name} is gone`);
      continue;
    }
    const fitting = fit(parameter, value);
    if (fitting === undefined || fitting === value) continue;
    values[name] = fitting;
    clamped.push(name);
    const [low, high] = boundsOf(parameter);
    reasons.push(`${name} must be from ${low} to ${high} now, and was tuned to ${show(value)}`);
  }
  const { experiment } = snapshot;
  const lost = experiment === undefined ? undefined : whyDropped(workflow, snapshot, experiment);
  const told = reasons.filter((reason) => reason !== lost);
  if (lost !== undefined) told.push(`${lost}, so its experiment has ended`);
  if (told.length === 0) return undefined;
  const dropped = Object.keys(experiment?.values ?? {});
  return { values, clamped, dropped, reason: `The file has changed: ${told.join("; ")}` };
}

/** A value cut to the parameter's bounds, whatever `max_step` says; undefined when it is of another type. */
export function fit(parameter: Parameter, value: Json): Json | undefined {
  if (typeProblem(parameter, value) !== undefined) return undefined;
  if (typeof value !== "number" || parameter.tune === undefined) return value;
  const { maxStep: _, step: __, ...tune } = parameter.tune;
  return clamp({ ...parameter, tune }, value, undefined).value;
}

/** What a change makes of a snapshot. */
export interface Change {
  /** New values by parameter; null: retired. */
  readonly values: Decision["values"];
  /** Frozen parameters after it; those of before when absent. */
  readonly frozen?: readonly string[];
  /** The experiment that is open after it; absent for none. */
  readonly experiment?: Experiment;
}

/** The snapshot after a change; `at` in nanoseconds since the epoch. */
export function following(
  snapshot: Snapshot,
  workflow: Tuned,
  change: Change,
  at: bigint,
): Snapshot {
  const { experiment } = change;
  const values = new Map(Object.entries(snapshot.values));
  const basis = new Map(Object.entries(snapshot.basis ?? {}));
  for (const [name, value] of Object.entries(change.values)) {
    const parameter = workflow.params.get(name);
    if (value === null || parameter === undefined) {
      values.delete(name);
      basis.delete(name);
    } else {
      values.set(name, value);
      basis.set(name, basisOf(workflow, parameter));
    }
  }
  for (const name of basis.keys()) if (!values.has(name)) basis.delete(name);
  for (const name of Object.keys(experiment?.values ?? {})) {
    const parameter = workflow.params.get(name);
    // That of a tuned value is as old as the value.
    if (parameter !== undefined && !basis.has(name)) basis.set(name, basisOf(workflow, parameter));
  }
  return {
    workflow: snapshot.workflow,
    version: snapshot.version + 1,
    values: Object.fromEntries(values),
    frozen: change.frozen ?? snapshot.frozen,
    basis: Object.fromEntries(basis),
    ...experiment === undefined ? {} : { experiment },
    at,
  };
}

function whyDropped(
  workflow: Tuned,
  snapshot: Snapshot,
  { values }: Experiment,
): string | undefined {
  for (const [name, value] of Object.entries(values)) {
    const parameter = workflow.params.get(name);
    const why = whyRetired(workflow, name, parameter, value, snapshot.basis?.[name]);
    if (why !== undefined || parameter === undefined) return why ?? `${name} is gone`;
    if (parameter.tune?.mode === "off") return `${name} has \`mode: off\` now`;
    if (fit(parameter, value) === value) continue;
    const [low, high] = boundsOf(parameter);
    return `${name} must be from ${low} to ${high} now, and was tried at ${show(value)}`;
  }
}

function whyRetired(
  workflow: Tuned,
  name: string,
  parameter: Parameter | undefined,
  value: Json,
  then: Basis | undefined,
): string | undefined {
  if (parameter?.tune === undefined) return `${name} is no tunable parameter any more`;
  const now = basisOf(workflow, parameter);
  if (then !== undefined) {
    if (then.type !== now.type) return `${name} is of type ${now.type} now, and was ${then.type}`;
    if (then.default !== now.default) {
      return `the default of ${name} is ${show(now.default)} now, and was ${show(then.default)}`;
    }
    if (then.objective !== now.objective) {
      return `the objective is ${now.objective ?? "none"} now, and was ${then.objective ?? "none"}`;
    }
  }
  return typeProblem(parameter, value);
}
