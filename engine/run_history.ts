import type { LedgerEntry } from "./core/proposal.ts";
import type { RunHistory } from "./core/report.ts";
import type { RunSummary, Store } from "./core/store.ts";
import { workflowTextOf } from "./find_run.ts";
import { RunFold } from "./run/fold.ts";
import { historyOf } from "./run/history.ts";
import { experimentsOf } from "./run/trial_history.ts";
import { loadText } from "./workflow_files.ts";

/** A whole run, as its journal has it. Throws StoreError, and SpanloopError when its workflow's text is gone. */
export async function readHistory(store: Store, summary: RunSummary): Promise<RunHistory> {
  const { plan } = loadText(await workflowTextOf(store, summary), summary.file);
  const fold = new RunFold({ detail: true });
  for await (const record of store.read(summary.runId)) fold.apply(record);
  const changes = new Map<string, LedgerEntry | undefined>();
  for (const experiment of experimentsOf(summary, fold.attempts)) {
    const [change] = await store.ledger({
      workflow: summary.workflow,
      proposal: experiment,
      limit: 1,
    });
    changes.set(experiment, change);
  }
  return historyOf(plan, summary, fold, changes);
}
