import { InvalidError, SpanloopError, StepError, StoreError } from "./core/errors.ts";
import { childRunId } from "./core/ids.ts";
import type { JsonObject } from "./core/json.ts";
import type { RunEvent, RunReport } from "./core/report.ts";
import type { RunSummary } from "./core/store.ts";
import { removeOutputFolders } from "./output_folders.ts";
import type { RunHandle, StartRequest } from "./run/runner.ts";

/** How deep workflows may call one another (S6): a recursion without an end is stopped here. */
const DEEPEST = 16;

type RunWorkflow = StartRequest["runWorkflow"];

/** What calling a workflow uses of the engine. */
export interface SubWorkflowHost {
  /** A run that may be there. */
  find(runId: string): Promise<RunSummary | undefined>;
  /** Starts a workflow's file with the caller's values as a child. */
  start(
    file: string,
    params: JsonObject,
    child: Pick<StartRequest, "trace" | "parent" | "onEvent" | "runWorkflow"> & {
      readonly runId: string;
    },
  ): Promise<RunHandle>;
  /** Takes a child up that did not end. */
  takeUp(
    runId: string,
    options: { readonly onEvent?: (event: RunEvent) => void; readonly acceptChanges: boolean },
  ): Promise<RunHandle>;
  /** What became of a child that has ended. */
  report(runId: string): Promise<RunReport>;
}

/** Who calls, and how. */
export interface Calling {
  /** Hears of the child what belongs to the step that calls it. */
  readonly onEvent?: (event: RunEvent) => void;
  /** How deep the caller is: 0 for a run that nobody called. */
  readonly depth: number;
  /** Whether a child that is taken up goes on although modules have changed (R4). */
  readonly acceptChanges?: boolean;
}

/** Runs workflows as children of an attempt (S6), in this process. */
export function subWorkflows(host: SubWorkflowHost, calling: Calling): RunWorkflow {
  const { onEvent, depth, acceptChanges = false } = calling;
  return async (request, attempt, cancellation) => {
    if (depth + 1 > DEEPEST) {
      throw new StepError(
        "workflow.depth",
        `${request.file} is called ${DEEPEST} workflows deep; does it call itself without an end?`,
      );
    }
    const runId = childRunId(attempt.span.spanId, attempt.startTime);
    const childEvents = onEvent === undefined
      ? undefined
      : (event: RunEvent) => forward(event, attempt.key, onEvent);
    const existing = attempt.resumed ? await host.find(runId) : undefined;
    let handle: RunHandle | undefined;
    if (existing === undefined) {
      const started = host.start(request.file, request.params, {
        runId,
        trace: {
          traceId: attempt.span.traceId,
          parentSpanId: attempt.span.spanId,
          traceFlags: attempt.traceFlags,
          traceState: attempt.traceState,
          baggage: attempt.baggage,
          context: attempt.context,
        },
        parent: { runId: attempt.runId, key: attempt.key, depth: depth + 1 },
        onEvent: childEvents,
        runWorkflow: subWorkflows(host, { onEvent: childEvents, depth: depth + 1, acceptChanges }),
      });
      handle = await started.catch((thrown) => {
        throw withFirstMistake(thrown);
      });
    } else if (existing.endedAt === undefined) {
      const taken = host.takeUp(runId, { onEvent: childEvents, acceptChanges });
      handle = await taken.catch((thrown) => {
        throw asResumeError(thrown);
      });
    } else {
      // Its engine may have been killed after its end and before this.
      removeOutputFolders(runId);
    }
    const report = handle === undefined
      ? await host.report(runId)
      : await followChild(handle, cancellation);
    if (report.status === "succeeded" || report.status === "skipped") return report.outputs;
    throw new StepError("workflow.failed", failureOf(report));
  };
}

// The innermost failure alone: each caller's name before it would bury it.
function failureOf(report: RunReport): string {
  if (report.error?.code === "workflow.failed") return report.error.message;
  return `${report.workflow} ${report.status.replace("_", " ")} (run ${report.run_id})` +
    (report.error === null ? "" : `: ${report.error.message}`);
}

// A step's failure is one line: the first mistake of a file that does not hold, with its place.
function withFirstMistake(thrown: unknown): unknown {
  if (!(thrown instanceof InvalidError) || thrown.diagnostics.length === 0) return thrown;
  const [{ file, line, column, message }] = thrown.diagnostics;
  const more = thrown.diagnostics.length - 1;
  return new StepError(
    "workflow.invalid",
    `${file}:${line}:${column}: ${message}${more === 0 ? "" : ` (and ${more} more mistakes)`}`,
    { cause: thrown },
  );
}

async function followChild(
  handle: RunHandle,
  cancellation: Parameters<RunWorkflow>[2],
): Promise<RunReport> {
  const leave = cancellation.listen((stop) =>
    // A caller that was lost does not cancel: the run goes on under whoever takes the caller up.
    stop.why === "lost" ? handle.abandon() : handle.cancel(stop.force)
  );
  try {
    return await handle.report;
  } finally {
    leave();
  }
}

// Why a sub-workflow cannot be taken up, in a form that stops its caller instead of failing it.
function asResumeError(thrown: unknown): unknown {
  const told = !(thrown instanceof SpanloopError) || thrown instanceof StoreError ||
    thrown.code.startsWith("resume.");
  if (told) return thrown;
  return new SpanloopError("resume.child", thrown.message, {
    cause: thrown,
    exitCode: thrown.exitCode,
  });
}

// A child's output belongs to the step that called it; its other events are its own run's.
function forward(event: RunEvent, key: string, onEvent: (event: RunEvent) => void): void {
  if (event.type === "line") onEvent({ ...event, stepId: key, key: `${key}/${event.key}` });
  else if (event.type === "notice") onEvent(event);
}
