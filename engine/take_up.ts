import type { Parts, Surroundings } from "./assembly.ts";
import { SpanloopError } from "./core/errors.ts";
import type { RunEvent } from "./core/report.ts";
import type { RunSummary } from "./core/store.ts";
import type { Workflow } from "./core/workflow.ts";
import { unendedRun, workflowTextOf } from "./find_run.ts";
import { removeOutputFolders } from "./output_folders.ts";
import { rebind } from "./plan/bind.ts";
import { RunFold } from "./run/fold.ts";
import { LEASE_NS } from "./run/keeper.ts";
import { reusable } from "./run/reuse.ts";
import type { RunHandle, StartRequest } from "./run/runner.ts";
import { takeOver } from "./take_over.ts";
import { changedModules, loadText, secretReader } from "./workflow_files.ts";

/** How a run is taken up. */
export interface TakeUpOptions extends Pick<StartRequest, "runWorkflow"> {
  /** Hears what happens. */
  readonly onEvent?: (event: RunEvent) => void;
  /** Goes on although modules have changed (R4). */
  readonly acceptChanges?: boolean;
  /** With false a run that another process holds is refused at once. */
  readonly wait?: boolean;
  /** Hears which workflow it is before the run goes on, and after which position the run began. */
  readonly about: (parts: Parts, workflow: Workflow, since?: number) => Promise<void>;
}

/**
 * Goes on with an unfinished run, with the workflow's text and the values that it began with (J2, R4). Throws
 * SpanloopError `resume.changed`, `run.held` or `run.ended`, and gives the lease back then.
 */
export async function takeUp(
  parts: Parts,
  { clock, environment, log }: Pick<Surroundings, "clock" | "environment" | "log">,
  summary: RunSummary,
  options: TakeUpOptions,
): Promise<RunHandle> {
  const { runId } = summary;
  const { store, runner } = parts;
  const loaded = loadText(await workflowTextOf(store, summary), summary.file);
  const changed = changedModules(summary.modules, loaded.modules);
  if (changed.length > 0 && !options.acceptChanges) {
    throw new SpanloopError(
      "resume.changed",
      `Cannot resume ${runId}: changed since it started: ${changed.join(", ")}. Resume with ` +
        "--accept-changes to go on with what is there now",
      { exitCode: 2 },
    );
  }
  const { workflow } = loaded.plan;
  const binding = rebind(workflow, summary, secretReader(workflow.folder, environment));
  const fence = await takeOver({ store, clock, log }, summary, options);
  try {
    // Its holder may have ended it, or got it out of its group's queue, while this process waited.
    const { status } = await unendedRun({ store, location: store.location }, runId);
    removeOutputFolders(runId);
    const fold = new RunFold({ recover: true });
    let since: number | undefined;
    for await (const record of store.read(runId)) {
      since ??= record.position - 1;
      fold.apply(record);
    }
    const reuse = summary.rerun === undefined
      ? undefined
      : await reusable(store, summary.rerun.runId, summary.rerun.reuse);
    await options.about(parts, workflow, since);
    return runner.resume({
      header: summary,
      plan: loaded.plan,
      binding,
      fold,
      fence,
      // The lease was renewed as long as the process lived.
      lastHeard: (summary.lease?.expiresAt ?? 0n) - LEASE_NS,
      queued: status === "queued",
      reuse,
      onEvent: options.onEvent,
      runWorkflow: options.runWorkflow,
    });
  } catch (thrown) {
    await store.release([{ name: `run:${runId}`, fence }]);
    throw thrown;
  }
}
