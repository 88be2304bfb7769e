import type { PluginState } from "../core/plugin.ts";
import type { Arm } from "../core/proposal.ts";
import type { ArmTotal, StepTally } from "../parameters/measure.ts";
import type { Count } from "../parameters/verdict.ts";

/** What is known of a run that goes on. Plain JSON. */
export interface RunRecord {
  /** By step: the objective's and the guards'. */
  readonly steps: Readonly<Record<string, StepTally>>;
  /** The experiment that `counts`, `untold` and `half` are of. */
  readonly experiment?: string;
  /** Items of pieces that are over, by step and arm. */
  readonly counts: Readonly<Record<string, Readonly<Partial<Record<Arm, Count>>>>>;
  /** What the arms did that no span has told yet. */
  readonly untold: Readonly<Partial<Record<Arm, ArmTotal>>>;
  /** The slice of a pair whose other slice is not over; `log` of its objective, more being better. */
  readonly half?: { readonly pair: number; readonly arm: Arm; readonly log: number };
  /** Whose part of the objective's step it failed in. */
  readonly failedIn?: Arm;
}

/** A run of which nothing was heard yet. */
export const NEW_RUN: RunRecord = { steps: {}, counts: {}, untold: {} };

// Runs that are remembered while they go on; those whose end never comes are the oldest at last.
const MOST_RUNS = 100;
const PREFIX = "run/";

/** What is kept of a run. */
export function readRun(state: PluginState, runId: string): RunRecord {
  const kept = state.get(PREFIX + runId);
  return typeof kept === "string" ? JSON.parse(kept) : NEW_RUN;
}

/** Keeps what is known of a run `now`; undefined: it is over. */
export function keepRun(
  state: PluginState,
  runId: string,
  before: RunRecord,
  now: RunRecord | undefined,
): void {
  if (now === before) return;
  if (now === undefined) return state.delete(PREFIX + runId);
  // As text it is copied once, which counts for each batch.
  state.set(PREFIX + runId, JSON.stringify(now));
  if (before !== NEW_RUN) return;
  // Run ids sort by time.
  const runs = state.keys().filter((key) => key.startsWith(PREFIX));
  for (const oldest of runs.slice(0, -MOST_RUNS)) state.delete(oldest);
}
