import { isObject } from "../core/json.ts";
import type { RunReport, StepReport } from "../core/report.ts";
import type { RunHeader } from "../core/store.ts";
import type { Status } from "../core/span.ts";
import type { Plan } from "../plan/plan.ts";
import { milliseconds, reportStep, type RunFold } from "./fold.ts";

/** What became of a run, from what its journal says. */
export function reportRun(
  plan: Plan,
  header: RunHeader,
  fold: RunFold,
  status: Status,
): RunReport {
  const start = fold.run?.span.startTime ?? header.createdAt;
  const end = fold.runEnd?.end.endTime ?? (fold.lastTime > start ? fold.lastTime : start);
  const ended = fold.runEnd !== undefined;
  const failure = fold.runEnd?.failure;
  const { lists } = plan;
  return {
    run_id: header.runId,
    trace_id: header.traceId,
    workflow: header.workflow,
    status,
    duration_ms: milliseconds(end - start),
    parameters: header.params,
    steps: [...lists.steps, ...lists.on_failure, ...lists.finally].map(({ step }) =>
      settledReport(reportStep(step.id, fold.steps.get(step.id)), ended)
    ),
    outputs: isObject(fold.runEnd?.outputs) ? fold.runEnd.outputs : {},
    error: failure === undefined ? null : { code: failure.code, message: failure.message },
  };
}

// A step that a finished run never came to, such as on_failure's in a run that succeeded.
function settledReport(report: StepReport, ended: boolean): StepReport {
  return ended && report.status === "queued"
    ? { ...report, status: "skipped", reason: "not needed" }
    : report;
}
