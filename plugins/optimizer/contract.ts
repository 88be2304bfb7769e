/** What a workflow's contract means to a tuner. */
import type { TunableParameter, TunableParameters } from "spanloop";
import type { Tunable, TunerOptions, Value, Values } from "./tuner.ts";

/** What is to be tuned, and what rules now. */
export interface Contract {
  /** What a tuner is created with. */
  readonly options: TunerOptions;
  /** The values that rule, of the tunables and of all others that there could be. */
  readonly ruling: Values;
  /** Those of the tunables of which a run has one value throughout. */
  readonly whole: readonly string[];
  /** What is measured, in words. */
  readonly measure: string;
  /** The same with its direction: what was measured for another goal cannot be compared. */
  readonly goal: string;
  /** Whether more of it is better. */
  readonly maximize: boolean;
  /** The share of items that may fail, in words; absent without such a guard. */
  readonly guard?: number;
}

// Without a guard on the error rate only what fails more often than not is avoided for it.
const LOOSE = 0.5;
// A guard that nothing can keep, or everything keeps, is taken for one that something does.
const LEAST = 1e-4;
const MOST = 0.99;

/**
 * What is to be tuned of a workflow: parameters that are neither off nor frozen, of `only` when it names any. Undefined
 * without an objective, or when nothing may be changed.
 */
export function contractOf(
  workflow: string,
  { objective, guards, parameters, whole }: TunableParameters,
  only: readonly string[],
): Contract | undefined {
  if (objective === undefined) return undefined;
  const tunables = Object.entries(parameters).flatMap(([name, parameter]) =>
    only.length > 0 && !only.includes(name) ? [] : tunable(name, parameter) ?? []
  );
  if (tunables.length === 0) return undefined;
  const limits = guards.flatMap(({ metric, of, below }) =>
    metric === "error_rate" && of === objective.of ? below ?? [] : []
  );
  const below = limits.length === 0 ? LOOSE : Math.min(...limits);
  return {
    options: {
      tunables,
      guard: { below: Math.min(MOST, Math.max(LEAST, below)) },
      seed: seedOf(workflow),
    },
    ruling: Object.fromEntries(
      Object.entries(parameters).flatMap(([name, { value }]) =>
        isValue(value) ? [[name, value]] : []
      ),
    ),
    whole: tunables.map(({ name }) => name)
      .filter((name) => whole || parameters[name].apply === "next_run"),
    measure: `${objective.expression} of ${objective.of}`,
    goal: `${objective.direction} ${objective.expression} of ${objective.of}`,
    maximize: objective.direction === "maximize",
    ...limits.length > 0 && { guard: below },
  };
}

function tunable(name: string, parameter: TunableParameter): Tunable | undefined {
  const { type, value, mode, frozen, choices = [], min, max } = parameter;
  if (mode === "off" || frozen || !isValue(value)) return undefined;
  const begin = isValue(parameter.default) ? parameter.default : value;
  if (type === "enum") {
    if (choices.length < 2 || !choices.includes(value as string)) return undefined;
    const first = choices.includes(begin as string) ? begin : value;
    return { name, kind: "choice", choices, default: first };
  }
  if (min === undefined || max === undefined || typeof value !== "number") return undefined;
  const [low, high] = type === "integer" ? [Math.ceil(min), Math.floor(max)] : [min, max];
  if (!(low < high) || value < low || value > high) return undefined;
  const scale = parameter.scale === "log" && low > 0 ? "log" : "linear";
  const maxStep = stepOf(parameter, scale);
  return {
    name,
    kind: type,
    min: low,
    max: high,
    scale,
    ...parameter.step !== undefined && parameter.step > 0 && { step: parameter.step },
    ...maxStep !== undefined && { maxStep },
    default: Math.min(high, Math.max(low, begin as number)),
  };
}

// A factor is one on a log scale alone; what does not suit the scale is left to the policy, which cuts.
function stepOf(
  { maxStep }: TunableParameter,
  scale: "linear" | "log",
): number | undefined {
  if (maxStep === undefined) return undefined;
  if ("factor" in maxStep) return scale === "log" ? maxStep.factor : undefined;
  return scale === "linear" ? maxStep.amount : undefined;
}

function isValue(value: unknown): value is Value {
  return typeof value === "number" || typeof value === "string";
}

// FNV-1a (G. Fowler, L. C. Noll, P. Vo): each workflow has a seed of its own, the same in a replay.
function seedOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
