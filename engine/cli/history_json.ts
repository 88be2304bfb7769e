import type { AttemptHistory, RunHistory, StepHistory } from "../core/report.ts";
import { milliseconds } from "./figures.ts";
import { iso, summaryJson } from "./runs_table.ts";
import { trialJson } from "./trial_lines.ts";

/** A run as `show --json` prints it: `run --json`'s keys, and everything about its attempts. */
export function historyJson(history: RunHistory): Record<string, unknown> {
  const reported = new Map(history.steps.map((step) => [step.report.id, stepJson(step)]));
  return {
    ...summaryJson(history.summary),
    ...history.report,
    critical_path: history.criticalPath,
    trials: history.trials.map(trialJson),
    steps: history.report.steps.map((step) => reported.get(step.id) ?? step),
  };
}

/** A step with its attempts. */
export function stepJson(step: StepHistory): Record<string, unknown> {
  return {
    ...step.report,
    type: step.type,
    list: step.list,
    needs: step.needs,
    critical: step.critical,
    started_at: step.startTime === undefined ? null : iso(step.startTime),
    ended_at: step.endTime === undefined ? null : iso(step.endTime),
    tries: step.attempts.map(attemptJson),
  };
}

function attemptJson(attempt: AttemptHistory): Record<string, unknown> {
  return {
    key: attempt.key,
    attempt: attempt.attempt,
    outcome: attempt.outcome ?? null,
    span_id: attempt.span.spanId,
    started_at: iso(attempt.span.startTime),
    ended_at: attempt.endTime === undefined ? null : iso(attempt.endTime),
    duration_ms: attempt.endTime === undefined
      ? null
      : milliseconds(attempt.span.startTime, attempt.endTime),
    range: attempt.range === undefined ? null : [attempt.range.from, attempt.range.to],
    items: attempt.items ?? null,
    inputs: attempt.inputs ?? null,
    outputs: attempt.outputs ?? null,
    error: attempt.failure === undefined ? null : {
      code: attempt.failure.code,
      message: attempt.failure.message,
      class: attempt.failure.errorClass,
    },
    tail: attempt.tail ?? null,
  };
}
