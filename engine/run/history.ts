import type { LedgerEntry } from "../core/proposal.ts";
import type { RunHistory, StepHistory, StepList } from "../core/report.ts";
import type { RunSummary } from "../core/store.ts";
import type { Plan } from "../plan/plan.ts";
import type { RunFold } from "./fold.ts";
import { reportRun } from "./report.ts";
import { trialsOf } from "./trial_history.ts";

const LISTS: readonly StepList[] = ["steps", "on_failure", "finally"];

/**
 * A whole run, from its plan and its journal, folded with `detail`, and by experiment the change that each one that it
 * has a part in tests.
 */
export function historyOf(
  plan: Plan,
  summary: RunSummary,
  fold: RunFold,
  changes: ReadonlyMap<string, LedgerEntry | undefined>,
): RunHistory {
  const report = reportRun(plan, summary, fold, summary.status);
  const attempts = Map.groupBy(fold.attempts, (attempt) => attempt.stepId);
  const reports = new Map(report.steps.map((step) => [step.id, step]));
  const steps = LISTS.flatMap((list) =>
    plan.lists[list].map(({ step }): StepHistory => {
      const folded = fold.steps.get(step.id);
      return {
        report: reports.get(step.id) as StepHistory["report"],
        type: step.uses,
        list,
        needs: step.needs,
        ...(folded === undefined ? {} : { startTime: folded.startTime, endTime: folded.endTime }),
        critical: false,
        attempts: attempts.get(step.id) ?? [],
      };
    })
  );
  const criticalPath = findCriticalPath(steps);
  const critical = new Set(criticalPath);
  return {
    summary,
    report,
    steps: steps.map((step) => critical.has(step.report.id) ? { ...step, critical: true } : step),
    criticalPath,
    trials: trialsOf(summary, fold.attempts, changes),
  };
}

/**
 * The chain of steps that determined when the run ended, from its end backwards: the step that ended last,
 * then whichever it waited for longest, and so on (the critical path method, with measured durations).
 */
function findCriticalPath(steps: readonly StepHistory[]): readonly string[] {
  const byId = new Map(steps.map((step) => [step.report.id, step]));
  const ran = steps.filter((step) => step.attempts.length > 0);
  const last = (among: readonly StepHistory[]) =>
    among.reduce<StepHistory | undefined>(
      (best, step) => best === undefined || end(step) > end(best) ? step : best,
      undefined,
    );
  const path: string[] = [];
  const seen = new Set<StepHistory>();
  for (let step = last(ran); step !== undefined && !seen.has(step);) {
    seen.add(step);
    path.unshift(step.report.id);
    const needed = step.needs.flatMap((id) => byId.get(id) ?? []);
    // A skipped need takes no time itself; what it waited for may.
    const waitedFor = needed.length > 0 ? through(needed, byId) : before(step, ran);
    step = last(waitedFor.filter((one) => !seen.has(one)));
  }
  return path;
}

function through(
  needed: readonly StepHistory[],
  byId: ReadonlyMap<string, StepHistory>,
): readonly StepHistory[] {
  const found = new Set<StepHistory>();
  const queue = [...needed];
  const seen = new Set(queue);
  for (const step of queue) {
    if (step.attempts.length > 0) {
      found.add(step);
      continue;
    }
    for (const id of step.needs) {
      const next = byId.get(id);
      if (next !== undefined && !seen.has(next)) {
        seen.add(next);
        queue.push(next);
      }
    }
  }
  return [...found];
}

// The first step of on_failure or finally waits for all that came before it.
function before(step: StepHistory, ran: readonly StepHistory[]): readonly StepHistory[] {
  const order = LISTS.indexOf(step.list);
  return ran.filter((other) => LISTS.indexOf(other.list) < order);
}

function end(step: StepHistory): bigint {
  return step.endTime ?? 0n;
}
