import { SpanloopError, StoreError } from "./core/errors.ts";
import type { RunSummary, Store } from "./core/store.ts";

/** The store to look in, undefined when there is none yet, and what it is called in errors. */
export interface Shelf {
  /** The store; undefined when its file is not there. */
  readonly store: Pick<Store, "run" | "runs"> | undefined;
  /** Its location. */
  readonly location: string;
}

const FEWEST_CHARACTERS = 4;
const MOST_RUNS = 10_000;

/**
 * The one run whose id starts or ends with `text`, or the newest that no other run called for `last`. Throws
 * SpanloopError `run.unknown` when there is none, or more than one.
 */
export async function findRun({ store, location }: Shelf, text: string): Promise<RunSummary> {
  if (store === undefined) throw unknownRun(`There are no runs in ${location} yet`);
  if (text === "last") {
    const last = (await store.runs({ limit: 50 })).find((run) => run.parent === undefined);
    if (last !== undefined) return last;
    throw unknownRun(`There are no runs in ${location} yet`);
  }
  const exact = await store.run(text);
  if (exact !== undefined) return exact;
  const byPrefix = await store.runs({ prefix: text, limit: 2 });
  const candidates = byPrefix.length > 0 || text.length < FEWEST_CHARACTERS
    ? byPrefix
    : (await store.runs({ limit: MOST_RUNS })).filter((run) => run.runId.endsWith(text));
  if (candidates.length === 1) return candidates[0];
  throw unknownRun(
    candidates.length === 0
      ? `There is no run ${text} in ${location}; \`runs\` lists them`
      : `${text} is the id of more than one run; give more of it`,
  );
}

/** The run with that id. Throws SpanloopError `run.unknown`. */
export async function runById({ store, location }: Shelf, runId: string): Promise<RunSummary> {
  const summary = await store?.run(runId);
  if (summary !== undefined) return summary;
  throw unknownRun(`There is no run ${runId} in ${location}`);
}

/** The run with that id, which has not ended. Throws SpanloopError `run.unknown` or `run.ended`. */
export async function unendedRun(shelf: Shelf, runId: string): Promise<RunSummary> {
  const summary = await runById(shelf, runId);
  if (summary.endedAt === undefined) return summary;
  throw new SpanloopError(
    "run.ended",
    `Run ${runId} has ended (${summary.status}); rerun starts it anew, with --failed or --from`,
    { exitCode: 2 },
  );
}

/** The workflow's text that a run began with. Throws StoreError `store.corrupt` when the store has lost it. */
export async function workflowTextOf(
  store: Pick<Store, "definition" | "location">,
  summary: Pick<RunSummary, "runId" | "definition">,
): Promise<string> {
  const text = await store.definition(summary.definition);
  if (text !== undefined) return text;
  throw new StoreError(
    "store.corrupt",
    `${store.location} has lost the workflow text of run ${summary.runId}`,
  );
}

function unknownRun(message: string): SpanloopError {
  return new SpanloopError("run.unknown", message, { exitCode: 2 });
}
