import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { isObject, type Json } from "../../engine/core/json.ts";
import type { RunReport } from "../../engine/core/report.ts";
import type { JournalRecord } from "../../engine/core/span.ts";
import { createEngine } from "../../engine/engine.ts";
import { completed, type Snapshot, spansOf, tryName } from "./snapshot.ts";

/** How often each try began, counted by the steps themselves. */
export function beginnings(log: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  let text = "";
  try {
    text = Deno.readTextFileSync(log);
  } catch {
    return counts; // no step has come to write yet
  }
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const { event, key, attempt } = JSON.parse(line);
    if (event !== "begin") continue;
    const name = `${key}#${attempt}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

/** J1: what was committed before a kill is there afterwards, each record as it was and where it was. */
export function assertKept(before: Snapshot, after: Snapshot): void {
  const later = new Map(after.runs.map((run) => [run.summary.runId, run]));
  for (const { summary, records } of before.runs) {
    const run = later.get(summary.runId);
    assert.ok(run !== undefined, `run ${summary.runId} is gone (J1)`);
    assert.deepEqual(run.records.slice(0, records.length), records, "a record changed (J1)");
    for (const name of ["traceId", "spanId", "parentSpanId", "definition"] as const) {
      assert.equal(run.summary[name], summary[name], `${name} changed`);
    }
  }
}

/** J2: no try that had ended began again. */
export function assertNotRepeated(
  before: Snapshot,
  begunBefore: ReadonlyMap<string, number>,
  begunAfter: ReadonlyMap<string, number>,
): void {
  for (const name of completed(before)) {
    assert.equal(
      begunAfter.get(name) ?? 0,
      begunBefore.get(name) ?? 0,
      `${name} had ended and ran again (J2)`,
    );
  }
}

/** What must hold of a journal once its run has ended: J3, R5, S5, F2 and the trace. */
export function assertSound(end: Snapshot, begun: ReadonlyMap<string, number>): void {
  const traces = new Map(end.runs.map(({ summary }) => [summary.runId, summary.traceId]));
  const ids = new Set<string>();
  for (const { summary, records } of end.runs) {
    assert.ok(summary.endedAt !== undefined, `${summary.workflow} ${summary.runId} has not ended`);
    if (summary.parent !== undefined) {
      assert.equal(summary.traceId, traces.get(summary.parent.runId), "one trace");
    }
    assertSpansEndOnce(records, ids);
    assertTries(summary.runId, records, begun);
    assertRanges(records);
    assertSeen(records);
    const runSpans = spansOf(records).filter(({ start }) => start.role === "run");
    assert.deepEqual(runSpans.map(({ start }) => start.span.spanId), [summary.spanId]);
    assert.equal(runSpans[0].end?.outcome, summary.status);
  }
}

function assertSpansEndOnce(records: readonly JournalRecord[], ids: Set<string>): void {
  const open = new Set<string>();
  for (const record of records) {
    if (record.type === "start") {
      const { spanId } = record.span;
      assert.ok(!ids.has(spanId), `span ${spanId} of ${record.key} started twice (J3)`);
      ids.add(spanId);
      open.add(spanId);
    } else {
      assert.ok(open.delete(record.spanId), `span of ${record.key} ended twice (J3)`);
    }
  }
  assert.deepEqual([...open], [], "spans without an end (J3)");
}

// R5: of the spans of one try all but the last are interrupted, and a try follows the one before.
function assertTries(
  runId: string,
  records: readonly JournalRecord[],
  begun: ReadonlyMap<string, number>,
): void {
  const tries = Map.groupBy(
    spansOf(records).filter(({ start }) => start.role === "attempt"),
    ({ start }) => tryName(runId, start.key, start.attempt),
  );
  for (const [name, spans] of tries) {
    const outcomes = spans.map(({ end }) => end?.outcome);
    assert.ok(
      outcomes.slice(0, -1).every((outcome) => outcome === "interrupted") &&
        outcomes.at(-1) !== "interrupted",
      `${name} ended ${outcomes.join(", ")} (R5)`,
    );
    const times = begun.get(name) ?? 0;
    assert.ok(times <= spans.length, `${name} began ${times} times in ${spans.length} spans`);
    const { key, attempt = 1 } = spans[0].start;
    if (attempt > 1) {
      assert.ok(tries.has(tryName(runId, key, attempt - 1)), `${name} has no try before it (R5)`);
    }
  }
}

// F2, S5: the ranges of a step follow one another without a gap and none is there twice.
function assertRanges(records: readonly JournalRecord[]): void {
  const steps = Map.groupBy(
    spansOf(records).filter(({ start }) => start.range !== undefined),
    ({ start }) => start.stepId,
  );
  for (const [stepId, spans] of steps) {
    const ranges = new Map(spans.map(({ start }) => [start.key, start.range!]));
    const sorted = [...ranges.values()].sort((a, b) => a.from - b.from);
    let next = 0;
    for (const { from, to } of sorted) {
      assert.equal(from, next, `ranges of ${stepId} leave a gap or overlap (F2)`);
      next = to;
    }
  }
}

// J1: the nonces that a step was given are those that are recorded for the steps it names.
function assertSeen(records: readonly JournalRecord[]): void {
  const outputs = new Map<string, Json>();
  for (const { start, end } of spansOf(records)) {
    if (start.role !== "attempt" || end?.outcome !== "succeeded" || !isObject(end.outputs)) {
      continue;
    }
    const { nonce } = end.outputs;
    if (nonce === undefined) continue;
    outputs.set(start.key, nonce);
  }
  const listOf = (step: string) =>
    [...outputs].filter(([key]) => key.startsWith(`${step}[`))
      .sort(([a], [b]) => firstItem(a) - firstItem(b)).map(([, nonce]) => nonce);
  for (const record of records) {
    if (record.type !== "start" || !isObject(record.inputs) || !isObject(record.inputs.saw)) {
      continue;
    }
    for (const [step, nonce] of Object.entries(record.inputs.saw)) {
      const recorded = outputs.get(step) ?? listOf(step);
      assert.deepEqual(nonce, recorded, `${record.key} saw another outcome of ${step} (J1)`);
    }
  }
}

function firstItem(key: string): number {
  return Number(key.slice(key.indexOf("[") + 1, key.indexOf(",")));
}

/** Processes that carry the mark of a span of these journals. */
export function leftovers({ runs }: Snapshot): readonly string[] {
  const ids = new Set(
    runs.flatMap(({ records }) => spansOf(records).map(({ start }) => start.span.spanId)),
  );
  const found: string[] = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const environment = Deno.readTextFileSync(`/proc/${name}/environ`);
      const mark = /(?:^|\0)SPANLOOP_SPAN_ID=([0-9a-f]+)/.exec(environment)?.[1];
      if (mark === undefined || !ids.has(mark)) continue;
      found.push(`${name} ${Deno.readTextFileSync(`/proc/${name}/cmdline`)}`);
    } catch {
      // it ended meanwhile, or is not ours to read
    }
  }
  return found;
}

/** Folders for output files that engines of these runs have left. */
export function outputFolders({ runs }: Snapshot): readonly string[] {
  return Array.from(Deno.readDirSync(tmpdir()), ({ name }) => name)
    .filter((name) => runs.some(({ summary }) => name.includes(summary.runId)));
}

/** What runs came to, without what differs from run to run: ids, times, nonces, the log's place. */
export async function outcome(store: string, end: Snapshot, log: string): Promise<Json> {
  const engine = await createEngine({ near: store, store: `sqlite:${store}` });
  try {
    const reports: RunReport[] = [];
    for (const { summary } of end.runs) {
      reports.push((await engine.history(summary.runId)).report);
    }
    const texts = reports.map((report) => JSON.stringify(plain(report, log)));
    return texts.sort().map((text) => JSON.parse(text));
  } finally {
    await engine.close();
  }
}

/** A report without what differs from run to run. */
export function plain(value: unknown, log: string): Json {
  if (typeof value === "string") {
    return value.replaceAll(log, "LOG").replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "ID");
  }
  if (Array.isArray(value)) return value.map((one) => plain(one, log));
  if (value !== null && typeof value === "object") {
    return Object.fromEntries(
      Object.entries(value)
        .filter(([name]) => !["run_id", "trace_id", "duration_ms", "nonce"].includes(name))
        .map(([name, one]) => [name, plain(one, log)]),
    );
  }
  return value as Json;
}
