import type { RunSummary, Store } from "../core/store.ts";
import type { EmittedRecord, JournalRecord } from "../core/span.ts";
import type { Heard } from "./heard.ts";

type Ended = Heard & { readonly kind: "journal" };

/**
 * The runs of recorded events, and what plugins emitted, as far as queries read them. A run whose own span is not among
 * them has ended with the last span that is.
 */
export function recordedRuns(heard: readonly Heard[]): Pick<Store, "runs" | "read" | "emitted"> {
  const runs = new Map<string, Ended[]>();
  for (const one of heard) {
    if (one.kind !== "journal" || one.end === undefined) continue;
    const { runId } = one.start;
    const spans = runs.get(runId);
    if (spans === undefined) runs.set(runId, [one]);
    else spans.push(one);
  }
  const summaries = [...runs.values()].map(summaryOf);
  const emitted = heard.toReversed().flatMap((one): EmittedRecord[] =>
    one.kind === "emitted" ? [{ type: "emitted", span: one.span, position: one.position }] : []
  );
  return {
    emitted: ({ plugin, name, workflow, limit }) =>
      Promise.resolve(
        emitted.filter(({ span }) =>
          (plugin === undefined || span.plugin === plugin) &&
          (name === undefined || span.name === name) &&
          (workflow === undefined || span.workflow === workflow)
        ).slice(0, limit),
      ),
    runs: ({ workflow, before }) =>
      Promise.resolve(
        summaries.filter((run) =>
          (workflow === undefined || run.workflow === workflow) &&
          (before === undefined || run.createdAt < before)
        ),
      ),
    async *read(runId) {
      for (const one of runs.get(runId) ?? []) yield* recordsOf(one);
    },
  };
}

function summaryOf(spans: readonly Ended[]): RunSummary {
  const run = spans.find(({ start }) => start.role === "run") ?? spans[spans.length - 1];
  const { start: { runId, span: { traceId, spanId } }, workflow } = run;
  return {
    runId,
    workflow,
    traceId,
    spanId,
    status: "succeeded",
    createdAt: run.start.span.startTime,
    endedAt: run.at,
    // What a span does not tell, and no query asks.
    file: "",
    definition: "",
    modules: {},
    params: {},
    sources: {},
    priority: 5,
  };
}

function recordsOf({ start, end, position }: Ended): readonly JournalRecord[] {
  return [{ ...start, position }, { ...end!, position }];
}
