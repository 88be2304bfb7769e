/**
 * A store of runs that have ended, as the engine writes them, to see what analysing costs:
 * `analysis_store.ts STORE_FILE SPANS` makes one, or adds to it.
 */
import type { EndEntry, Outcome, SpanStart, StartEntry } from "../../engine/core/span.ts";
import type { Entry, Holder, Store } from "../../engine/core/store.ts";
import { openStore } from "../../engine/store/open.ts";
import {
  parametersVersion,
  runAttributes,
  runEndAttributes,
  runName,
  taskAttributes,
  taskEndAttributes,
} from "../../engine/telemetry/attributes.ts";

/** The workflow's name. */
export const WORKFLOW = "import-orders";
/** Spans of one run: its own, two attempts, and a for_each step with its batches. */
export const SPANS_A_RUN = 104;
const BATCHES = 100;
const ITEMS = 20;
const RUNS_AT_ONCE = 20;
const EVERY_NS = 600_000_000_000n;
const BEGAN = 1_735_689_600_000_000_000n; // 2025-01-01
const HERE: Holder = { host: "bench", bootId: "b", pid: 1, startTime: "1" };

/** Adds so many runs after the `before` that are there. */
export async function addRuns(store: Store, before: number, count: number): Promise<void> {
  for (let from = before; from < before + count; from += RUNS_AT_ONCE) {
    const entries: Entry[] = [];
    const fences = new Map<string, number>();
    for (let run = from; run < Math.min(before + count, from + RUNS_AT_ONCE); run++) {
      const runId = runIdOf(run);
      fences.set(runId, 1);
      entries.push(...entriesOf(run, runId));
    }
    const { lost } = await store.commit(entries, fences);
    if (lost.length > 0) throw new Error(`${lost.length} runs were not written`);
  }
}

function timeOf(run: number): bigint {
  return BEGAN + EVERY_NS * BigInt(run);
}

function runIdOf(run: number): string {
  const made = Number(timeOf(run) / 1_000_000n).toString(16).padStart(12, "0");
  return `${made.slice(0, 8)}-${made.slice(8)}-7000-8000-${run.toString(16).padStart(12, "0")}`;
}

// Mulberry32, of the place alone: whoever adds to a store makes the same spans.
function drawn(place: number): number {
  let mixed = Math.imul(place + 0x6d2b79f5 ^ place >>> 15, 1 | place);
  mixed = (mixed + Math.imul(mixed ^ mixed >>> 7, 61 | mixed)) ^ mixed;
  return ((mixed ^ mixed >>> 14) >>> 0) / 2 ** 32;
}

function entriesOf(run: number, runId: string): Entry[] {
  const traceId = runId.replaceAll("-", "");
  let place = run * 1_000;
  const spanId = () => (++place).toString(16).padStart(16, "0");
  const createdAt = timeOf(run);
  let now = createdAt + 2_000_000n;
  const own = spanId();
  const params = { batch_size: ITEMS };
  const header = {
    runId,
    workflow: WORKFLOW,
    file: "/srv/orders/import.yaml",
    definition: "d".repeat(64),
    modules: {},
    traceId,
    spanId: own,
    params,
    sources: { batch_size: "default" as const },
    priority: 5,
    snapshot: 1,
    createdAt,
  };
  const entries: Entry[] = [];
  const begin = (entry: Omit<StartEntry, "type" | "runId" | "span">, span: Partial<SpanStart>) =>
    entries.push({
      type: "start",
      runId,
      ...entry,
      span: {
        traceId,
        spanId: own,
        parentSpanId: own,
        name: entry.stepId ?? "run",
        kind: "internal",
        startTime: now,
        attributes: {},
        ...span,
      },
    });
  const end = (entry: Omit<EndEntry, "type" | "runId">) =>
    entries.push({ type: "end", runId, ...entry });
  entries.push({
    type: "run",
    runId,
    header,
    text: "name: import-orders",
    status: "running",
    holder: HERE,
    expiresAt: createdAt + 60_000_000_000n,
  });
  begin({ role: "run", key: "run" }, {
    parentSpanId: undefined,
    name: runName(WORKFLOW),
    kind: "server",
    attributes: { "spanloop.parameter.batch_size": ITEMS, ...runAttributes(header) },
  });
  const attempt = (
    stepId: string,
    key: string,
    ms: number,
    batch?: { readonly index: number; readonly parent: string },
  ) => {
    const id = spanId();
    const range = batch && { from: batch.index * ITEMS, to: (batch.index + 1) * ITEMS };
    const failed = drawn(place) < 0.01 ? 1 : 0;
    const of = { role: "attempt" as const, key, stepId };
    begin({ ...of, attempt: 1, ...range && { range } }, {
      spanId: id,
      ...batch && { parentSpanId: batch.parent },
      attributes: {
        "spanloop.parameter.batch_size": ITEMS,
        ...parametersVersion(1),
        ...taskAttributes({
          runId,
          workflow: WORKFLOW,
          key,
          stepId,
          type: "script",
          attempt: 1,
          ...batch && range && { batch: { index: batch.index, range } },
        }),
      },
    });
    now += BigInt(Math.round(ms * (0.7 + 0.6 * drawn(place + 500)) * 1e6));
    const outcome: Outcome = "succeeded";
    const items = batch && { processed: ITEMS - failed, failed };
    const attributes = taskEndAttributes(outcome, undefined, items);
    end({
      ...of,
      spanId: id,
      outcome,
      end: { endTime: now, error: false, attributes },
      ...items && { items },
      outputs: {},
    });
  };
  attempt("count", "count", 40);
  const step = spanId();
  const of = { role: "step" as const, key: "load", stepId: "load" };
  begin(of, {
    spanId: step,
    attributes: taskAttributes({
      runId,
      workflow: WORKFLOW,
      key: "load",
      stepId: "load",
      type: "script",
    }),
  });
  for (let index = 0; index < BATCHES; index++) {
    const key = `load[${index * ITEMS},${(index + 1) * ITEMS})`;
    attempt("load", key, 30, { index, parent: step });
  }
  const items = { processed: BATCHES * ITEMS, failed: 0 };
  end({
    ...of,
    spanId: step,
    outcome: "succeeded",
    end: {
      endTime: now,
      error: false,
      attributes: taskEndAttributes("succeeded", undefined, items),
    },
    items,
    outputs: {},
  });
  attempt("report", "report", 60);
  end({
    role: "run",
    key: "run",
    spanId: own,
    outcome: "succeeded",
    end: { endTime: now, error: false, attributes: runEndAttributes("succeeded", undefined) },
    outputs: {},
  });
  entries.push({ type: "status", runId, status: "succeeded", at: now });
  return entries;
}

if (import.meta.main) {
  const [file, spans] = Deno.args;
  const store = await openStore(`sqlite:${file}`, { durability: "normal" });
  const before = (await store.runs({ limit: 10_000_000 })).length;
  const wanted = Math.ceil(Number(spans) / SPANS_A_RUN);
  for (let run = before; run < wanted; run += 1_000) {
    await addRuns(store, run, Math.min(1_000, wanted - run));
    console.log(`${Math.min(wanted, run + 1_000) * SPANS_A_RUN} spans`);
  }
  await store.close();
}
