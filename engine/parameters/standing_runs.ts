import type { Json } from "../core/json.ts";
import type { SpanReference } from "../core/span.ts";
import { excesses, type GuardEvidence, limitsOf } from "./guards.ts";
import { evidenceAboveZero, median } from "./sequential.ts";
import { changed } from "./standing.ts";

/** One run of a step that ruling values had to themselves. */
export interface StandingRun {
  /** What a guard's metric was. */
  readonly value: number;
  /** What tells of it. */
  readonly span: SpanReference;
}

/**
 * What the values that rule without an experiment brought lately of a guard's metric that is no rate, a value a run.
 * Plain JSON, of bounded size.
 */
export interface StandingRuns {
  /** The values. */
  readonly values: Readonly<Record<string, Json>>;
  /** Their runs, oldest first. */
  readonly runs: readonly StandingRun[];
  /** What the values that ruled before them brought. */
  readonly before: readonly number[];
}

// What is older says nothing of now.
const MOST_RUNS = 20;
// A metric whose median stands right at the guard is taken for one that breaks it once in so many runs at most; in
// simulations with the noise of trials it was once in 10,000, with the worst of it once in 2,700, and never at nine
// tenths of the guard.
const ALARM = 1_000;

/** Takes note of a run under these values; others than before begin anew. */
export function ran(
  known: StandingRuns | undefined,
  values: StandingRuns["values"],
  run: StandingRun,
): StandingRuns {
  if (known === undefined) return { values, runs: [run], before: [] };
  const { runs, before } = known;
  if (JSON.stringify(known.values) !== JSON.stringify(values)) {
    return { values, runs: [run], before: runs.length > 0 ? runs.map(valueOf) : before };
  }
  return { values, runs: [...runs, run].slice(-MOST_RUNS), before };
}

/**
 * The runs since the metric has come to break its guard; undefined where it has not. Where the values before broke it as
 * well these are not to blame, unless they do worse.
 */
export function breakingRuns(
  { runs, before }: StandingRuns,
  guard: Pick<GuardEvidence, "below" | "above">,
): readonly StandingRun[] | undefined {
  for (const excess of excesses(runs.map(valueOf), limitsOf(guard, before))) {
    const since = changed(excess, evidenceAboveZero, ALARM);
    if (since !== undefined) return runs.slice(since);
  }
}

/** A breach is told, and is not told again unless it becomes worse. */
export function told(standing: StandingRuns, runs: readonly StandingRun[]): StandingRuns {
  return { ...standing, runs: [], before: runs.map(valueOf) };
}

/** What the metric is in these runs. */
export function metricIn(runs: readonly StandingRun[]): number {
  return median(runs.map(valueOf));
}

function valueOf({ value }: StandingRun): number {
  return value;
}
