import { isObject, type Json } from "../core/json.ts";
import type { RunHistory, StepHistory } from "../core/report.ts";
import type { Status } from "../core/span.ts";
import { milliseconds } from "./figures.ts";

/** How one step fared in both runs. Durations are milliseconds; null where a run lacks the step. */
export interface StepChange {
  /** Its id. */
  readonly id: string;
  /** Its duration in A and B. */
  readonly durations_ms: readonly [number | null, number | null];
  /** Its status in A and B. */
  readonly statuses: readonly [Status | null, Status | null];
  /** Why it was skipped or not run, in A and B. */
  readonly reasons: readonly [string | null, string | null];
  /** Items in A and B, for a for_each. */
  readonly items: readonly [number | null, number | null];
  /** Attempts in A and B. */
  readonly attempts: readonly [number | null, number | null];
  /** Whether it lay on the critical path of A and of B. */
  readonly critical: readonly [boolean, boolean];
  /**
   * By how much it made B end later than A: the time of the critical path that it took up in B less that in A.
   * Over all steps, and `rest_ms`, this adds up to the runs' difference.
   */
  readonly contribution_ms: number;
  /** Its part in that difference, in [-∞, ∞]; null when the runs took the same time. */
  readonly share: number | null;
}

/** Something that was not the same in both runs; null where it was not there at all. */
export interface Difference {
  /** What it is. */
  readonly name: string;
  /** In A. */
  readonly a: Json;
  /** In B. */
  readonly b: Json;
}

/** Two runs side by side: B as seen from A. */
export interface Comparison {
  /** Durations of A and B, milliseconds. */
  readonly durations_ms: readonly [number, number];
  /** B less A. */
  readonly change_ms: number;
  /** Steps in the order of B's file, then those that only A has. */
  readonly steps: readonly StepChange[];
  /** The change that belongs to no step: before the first and after the last one of the critical path. */
  readonly rest_ms: number;
  /** Critical paths of A and B. */
  readonly critical_paths: readonly [readonly string[], readonly string[]];
  /** Parameters that differ. */
  readonly parameters: readonly Difference[];
  /** Resolved inputs that differ, as `step.path`; of each step's first attempt. */
  readonly inputs: readonly Difference[];
  /** Modules and sub-workflows whose text differs, by path, with their hashes. */
  readonly modules: readonly Difference[];
  /** Whether the workflow's own text differs. */
  readonly definition_changed: boolean;
}

/** Compares run B with run A. Pure; unfinished runs end at `now`, nanoseconds since the epoch. */
export function compare(a: RunHistory, b: RunHistory, now: bigint): Comparison {
  const [pathA, pathB] = [segments(a, now), segments(b, now)];
  const change = pathB.total - pathA.total;
  const inA = new Map(a.steps.map((step) => [step.report.id, step]));
  const inB = new Map(b.steps.map((step) => [step.report.id, step]));
  const ids = new Set([...inB.keys(), ...inA.keys()]);
  const steps = [...ids].map((id): StepChange => {
    const pair = [inA.get(id), inB.get(id)] as const;
    const contribution = (pathB.steps.get(id) ?? 0) - (pathA.steps.get(id) ?? 0);
    const both = <T>(pick: (step: StepHistory) => T | undefined) =>
      [pick2(pair[0], pick), pick2(pair[1], pick)] as const;
    return {
      id,
      durations_ms: both((step) => step.report.duration_ms),
      statuses: both((step) => step.report.status),
      reasons: both((step) => step.report.reason),
      items: both((step) => step.report.items),
      attempts: both((step) => step.report.attempts),
      critical: [pathA.steps.has(id), pathB.steps.has(id)],
      contribution_ms: contribution,
      share: change === 0 ? null : contribution / change,
    };
  });
  return {
    durations_ms: [pathA.total, pathB.total],
    change_ms: change,
    steps,
    rest_ms: pathB.rest - pathA.rest,
    critical_paths: [a.criticalPath, b.criticalPath],
    parameters: differences(a.summary.params, b.summary.params),
    inputs: [...ids].flatMap((id) => inputDifferences(id, inA.get(id), inB.get(id))),
    modules: differences(a.summary.modules, b.summary.modules),
    definition_changed: a.summary.definition !== b.summary.definition,
  };
}

function pick2<T>(
  step: StepHistory | undefined,
  pick: (step: StepHistory) => T | undefined,
): T | null {
  return step === undefined ? null : pick(step) ?? null;
}

// The run's time laid out along its critical path: each step of it is charged with what passed since the one
// before it ended, its own waiting included.
function segments(history: RunHistory, now: bigint): {
  readonly total: number;
  readonly rest: number;
  readonly steps: ReadonlyMap<string, number>;
} {
  const { summary } = history;
  const begin = summary.startedAt ?? summary.createdAt;
  const end = summary.endedAt ?? (summary.status === "running" ? now : begin);
  const byId = new Map(history.steps.map((step) => [step.report.id, step]));
  const steps = new Map<string, number>();
  let at = begin;
  for (const id of history.criticalPath) {
    const step = byId.get(id);
    const ended = step?.endTime;
    if (ended === undefined || ended < at) continue;
    steps.set(id, milliseconds(at, ended));
    at = ended;
  }
  return { total: milliseconds(begin, end), rest: milliseconds(at, end), steps };
}

function inputDifferences(
  id: string,
  a: StepHistory | undefined,
  b: StepHistory | undefined,
): Difference[] {
  const [first, second] = [a?.attempts[0]?.inputs, b?.attempts[0]?.inputs];
  if (first === undefined || second === undefined) return [];
  return differences(leaves(first, id), leaves(second, id));
}

function leaves(json: Json, path: string): Record<string, Json> {
  if (!isObject(json)) return { [path]: json };
  return Object.fromEntries(
    Object.entries(json).flatMap(([key, item]) => Object.entries(leaves(item, `${path}.${key}`))),
  );
}

function differences(
  a: Readonly<Record<string, Json>>,
  b: Readonly<Record<string, Json>>,
): Difference[] {
  const of = (values: Readonly<Record<string, Json>>, name: string) =>
    Object.hasOwn(values, name) ? values[name] : null;
  return [...new Set([...Object.keys(b), ...Object.keys(a)])]
    .map((name) => ({ name, a: of(a, name), b: of(b, name) }))
    .filter((difference) => stable(difference.a) !== stable(difference.b));
}

// The order of keys says nothing about a value.
function stable(json: Json): string {
  return JSON.stringify(
    json,
    (_, item: Json) =>
      isObject(item)
        ? Object.fromEntries(Object.entries(item).sort(([x], [y]) => x < y ? -1 : x > y ? 1 : 0))
        : item,
  );
}
