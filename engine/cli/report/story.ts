import type { Json } from "../../core/json.ts";
import type { Parameter } from "../../core/parameter.ts";
import { type Arm, isRollBack, type LedgerEntry } from "../../core/proposal.ts";
import type { TuningReport } from "../../core/tuning_report.ts";
import { guardValue } from "../improvement.ts";

/** What one arm came to in a run. */
export interface RunPoint {
  /** Which of the measured runs, from 1. */
  readonly run: number;
  /** Its id. */
  readonly runId: string;
  /** When it was measured, nanoseconds since the epoch. */
  readonly at: bigint;
  /** Whose values. */
  readonly arm: Arm;
  /** The tunable parameters' values. */
  readonly values: Readonly<Record<string, Json>>;
  /** The objective. */
  readonly objective: number;
  /** The share of items that failed; absent where there were none. */
  readonly errorRate?: number;
  /** The guards' metrics, in the order of `Story.guards`; absent where one was not measured. */
  readonly guards: readonly (number | undefined)[];
  /** The experiment that was open. */
  readonly experiment?: string;
}

/** A change of values, or a verdict, at its place among the runs. */
export interface Mark {
  /** After so many measured runs. */
  readonly after: number;
  /** What it was. */
  readonly kind: "kept" | "rolled_back" | "changed";
  /** The change or the verdict. */
  readonly entry: LedgerEntry;
}

/** A change that was tried. */
export interface Trial {
  /** The entry with which it began. */
  readonly entry: LedgerEntry;
  /** Its verdict; absent while it is open. */
  readonly verdict?: LedgerEntry;
  /** What was measured of it, in order. */
  readonly points: readonly RunPoint[];
}

/** A guard of the objective's step that is measured with it. */
export interface StoryGuard {
  /** Its metric. */
  readonly metric: string;
  /** What it must stay below. */
  readonly below?: number;
  /** What it must stay above. */
  readonly above?: number;
}

/** A report as it is told: points, marks and trials in the order of the runs. */
export interface Story {
  /** What it is made of. */
  readonly report: TuningReport;
  /** How many runs were measured. */
  readonly runs: number;
  /** What was measured, in order. */
  readonly points: readonly RunPoint[];
  /** What changed, in order. */
  readonly marks: readonly Mark[];
  /** What was tried, in order. */
  readonly trials: readonly Trial[];
  /** The guards that are drawn. */
  readonly guards: readonly StoryGuard[];
}

/** Puts a report in order. */
export function storyOf(report: TuningReport): Story {
  const { measurements, entries, objective } = report;
  const guards = report.guards.filter(({ metric, of }) =>
    of === objective?.of && GUARDED.has(metric)
  );
  const numbers = new Map<string, number>();
  for (const { runId } of measurements) {
    if (!numbers.has(runId)) numbers.set(runId, numbers.size + 1);
  }
  const points = measurements.flatMap((measurement) => {
    const { runId, at, experiment, arms } = measurement;
    return arms.map((arm): RunPoint => ({
      run: numbers.get(runId)!,
      runId,
      at,
      arm: arm.arm,
      values: arm.values,
      objective: arm.objective,
      ...arm.items === 0 ? {} : { errorRate: arm.failed / arm.items },
      guards: guards.map(({ metric }) => guardValue(measurement, arm, metric)),
      ...experiment === undefined ? {} : { experiment },
    }));
  });
  const marks = entries.flatMap((entry): Mark[] => {
    const kind = kindOf(entry);
    if (kind === undefined) return [];
    const { at } = entry.proposal;
    const after = points.findLast((point) => point.at <= at)?.run ?? 0;
    return [{ after, kind, entry }];
  });
  const trials = entries.filter(({ decision }) => decision.outcome === "testing").map((entry) => {
    const { number, proposal: { id } } = entry;
    const verdict = entries.find((one) => one.verdict !== undefined && one.answers === number);
    return {
      entry,
      ...verdict === undefined ? {} : { verdict },
      points: points.filter(({ experiment }) => experiment === id),
    };
  });
  return { report, runs: numbers.size, points, marks, trials, guards };
}

/** Whether a parameter's values are numbers, on a scale. */
export function isNumeric({ type }: Parameter): boolean {
  return type === "integer" || type === "number";
}

const GUARDED = new Set(["error_rate", "duration", "items", "failed"]);

function kindOf(entry: LedgerEntry): Mark["kind"] | undefined {
  const { verdict, decision, proposal } = entry;
  if (verdict !== undefined) return verdict.action;
  if (isRollBack(entry)) return "rolled_back";
  return decision.outcome === "applied" && proposal.frozen === undefined ? "changed" : undefined;
}
