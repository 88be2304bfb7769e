import { existsSync } from "node:fs";
import type { EndEntry, JournalRecord, StartEntry } from "../../engine/core/span.ts";
import type { RunSummary } from "../../engine/core/store.ts";
import { openStore } from "../../engine/store/open.ts";

/** All runs of a store with their journals, as a process that died left them. */
export interface Snapshot {
  /** Runs in the order of their creation. */
  readonly runs: readonly { readonly summary: RunSummary; readonly records: JournalRecord[] }[];
}

/** Reads a store without writing to it; one that is not there has no runs. */
export async function snapshot(file: string): Promise<Snapshot> {
  if (!existsSync(file)) return { runs: [] };
  const store = await openStore(`sqlite:${file}`, { durability: "normal", readOnly: true });
  try {
    const runs = [];
    for (const summary of [...await store.runs({ limit: 10_000 })].reverse()) {
      runs.push({ summary, records: await Array.fromAsync(store.read(summary.runId)) });
    }
    return { runs };
  } finally {
    await store.close();
  }
}

/** How many records there are. */
export function recordCount({ runs }: Snapshot): number {
  return runs.reduce((sum, { records }) => sum + records.length, 0);
}

/** A started span with its end, if it has one. */
export interface SpanRecord {
  /** Its start. */
  readonly start: StartEntry;
  /** Its end. */
  readonly end?: EndEntry;
}

/** Spans in the order of their start. */
export function spansOf(records: readonly JournalRecord[]): readonly SpanRecord[] {
  const ends = new Map<string, EndEntry>();
  for (const record of records) if (record.type === "end") ends.set(record.spanId, record);
  return records.flatMap((start) =>
    start.type === "start" ? [{ start, end: ends.get(start.span.spanId) }] : []
  );
}

/** A try at a key of a run, as a step names it in its log. */
export function tryName(runId: string, key: string, attempt: number | undefined): string {
  return `${runId}/${key}#${attempt ?? 1}`;
}

/** Tries whose end was committed, an interruption not counted. */
export function completed({ runs }: Snapshot): Set<string> {
  return new Set(runs.flatMap(({ summary, records }) =>
    spansOf(records)
      .filter(({ start, end }) =>
        start.role === "attempt" && end !== undefined && end.outcome !== "interrupted"
      )
      .map(({ start }) => tryName(summary.runId, start.key, start.attempt))
  ));
}

/** Tries that were under way. */
export function underWay({ runs }: Snapshot): readonly string[] {
  return runs.flatMap(({ summary, records }) =>
    spansOf(records)
      .filter(({ start, end }) => start.role === "attempt" && end === undefined)
      .map(({ start }) => tryName(summary.runId, start.key, start.attempt))
  );
}
