import type { PluginState } from "../core/plugin.ts";
import type { Arm } from "../core/proposal.ts";
import type { Count } from "../parameters/count.ts";
import {
  added,
  type ArmTotal,
  NOTHING,
  type Piece,
  settledCountOf,
  type Share,
  shared,
  type StepTally,
  type Work,
} from "../parameters/measure.ts";

/** What is known of a run that goes on. Plain JSON. */
export interface RunRecord {
  /** By step: the objective's and the guards'. */
  readonly steps: Readonly<Record<string, StepTally>>;
  /** The experiment that `arms`, `untold`, `shares` and `half` are of. */
  readonly experiment?: string;
  /** The arms that had a part in it. */
  readonly arms: readonly Arm[];
  /** What the arms did that no span has told yet. */
  readonly untold: Readonly<Partial<Record<Arm, ArmTotal>>>;
  /** What the arms did in slices of the objective's step. */
  readonly shares?: Readonly<Partial<Record<Arm, Share>>>;
  /** The slice of a pair whose other slice is not over; `log` of its objective, more being better. */
  readonly half?: { readonly pair: number; readonly arm: Arm; readonly log: number };
  /** Whose part of the objective's step it failed in. */
  readonly failedIn?: Arm;
}

/** A run of which nothing was heard yet. */
export const NEW_RUN: RunRecord = { steps: {}, arms: [], untold: {} };

/** A run that has come to the work of this experiment: what is known of another one in it counts no more. */
export function within(record: RunRecord, experiment: string): RunRecord {
  if (record.experiment === experiment) return record;
  return { ...record, experiment, arms: [], untold: {}, shares: undefined, half: undefined };
}

/** Whether work is of an arm of the experiment that a run has come to. */
export function isOfIts({ experiment }: RunRecord, work: Work | undefined): work is Work {
  return work !== undefined && work.experiment === experiment;
}

/** An arm had a part in the run. */
export function withArm(record: RunRecord, arm: Arm): RunRecord {
  return record.arms.includes(arm) ? record : { ...record, arms: [...record.arms, arm] };
}

/** A piece of the objective's step is to be told of. What a step without an arm did is the incumbent's. */
export function withUntold(record: RunRecord, piece: Piece): RunRecord {
  const { work } = piece;
  if (work !== undefined && !isOfIts(record, work)) return record;
  const { untold } = record;
  const arm = work?.arm ?? "incumbent";
  return { ...record, untold: { ...untold, [arm]: added(untold[arm], piece) } };
}

/** A whole slice of an arm is part of what it did in the run. */
export function withShare(record: RunRecord, arm: Arm, slice: Piece): RunRecord {
  const { shares = {} } = record;
  return { ...record, shares: { ...shares, [arm]: shared(shares[arm], slice) } };
}

/** A slice is over; `log` of its objective, more being better. When its pair is complete, `ratio` compares the two. */
export function withSlice(
  record: RunRecord,
  { pair, arm }: Work,
  log: number,
): { readonly record: RunRecord; readonly ratio?: number } {
  const { half } = record;
  if (half?.pair !== pair || half.arm === arm) {
    return { record: { ...record, half: { pair, arm, log } } };
  }
  const ratio = arm === "candidate" ? log - half.log : half.log - log;
  return { record: { ...record, half: undefined }, ratio };
}

/** What the slice or step under way has brought so far that counts, by its arm. */
export function underWay(record: RunRecord, step: string): Partial<Record<Arm, Count>> {
  const { piece } = record.steps[step] ?? NOTHING;
  if (piece === undefined || !isOfIts(record, piece.work)) return {};
  return { [piece.work.arm]: settledCountOf(piece) };
}

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
