import assert from "node:assert/strict";
import type { Lease, Store } from "../../engine/core/store.ts";
import type { EmittedSpan, SpanRole, StartEntry, TraceSettings } from "../../engine/core/span.ts";
import { openStore } from "../../engine/store/open.ts";
import { standardStreams, systemClock, systemRandom } from "../../engine/system.ts";
import { Bus } from "../../engine/telemetry/bus.ts";
import { EngineLog } from "../../engine/telemetry/log.ts";
import { linkedTraceId } from "../../engine/telemetry/placement.ts";
import { readTelemetrySettings } from "../../engine/telemetry/settings.ts";
import { Telemetry } from "../../engine/telemetry/telemetry.ts";
import {
  emitted,
  end,
  first,
  HERE,
  newRun,
  nobody,
  RUN_TRACE,
  start,
  T0,
} from "../contract/store_entries.ts";
import { collect, type CollectedSpan } from "./collector.ts";

const spanId = (id: number) => id.toString(16).padStart(16, "0");

/** A run 1 of a for_each step 2 with a batch 3. */
function opened(trace: TraceSettings | undefined): StartEntry[] {
  const entry = (id: number, role: SpanRole, parent?: number): StartEntry => ({
    ...start("a", `k${id}`),
    role,
    ...id === 3 ? { range: { from: 0, to: 1 } } : {},
    ...id === 1 && trace !== undefined ? { trace } : {},
    span: {
      ...start("a", "").span,
      spanId: spanId(id),
      ...parent === undefined ? {} : { parentSpanId: spanId(parent) },
      attributes: {},
    },
  });
  return [entry(1, "run"), entry(2, "step", 1), entry(3, "attempt", 2)];
}

/** What answers a span. */
function finding(number: number, of: string, more: Partial<EmittedSpan> = {}): EmittedSpan {
  return emitted(number, {
    parentSpanId: of,
    links: [{ traceId: RUN_TRACE, spanId: of }],
    attributes: { "spanloop.plugin.name": "slow_step", "spanloop.reaction.depth": 1, count: 3 },
    name: "finding",
    ...more,
  });
}

/**
 * Runs a run whose spans, all but the run's own, have ended when plugins answer the batch, the step, what was said of
 * the batch, a span of another process, and a tick. Gives what a collector gets, by the finding's number.
 */
async function exported(
  trace: TraceSettings | undefined,
  env: Record<string, string> = {},
): Promise<Map<number, CollectedSpan>> {
  await using collector = collect();
  const store = await openStore("memory:", { durability: "normal" });
  const clock = systemClock();
  const bus = new Bus((thrown) => assert.fail(String(thrown)));
  const { settings } = readTelemetrySettings({
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
    OTEL_METRICS_EXPORTER: "none",
    OTEL_LOGS_EXPORTER: "none",
    ...env,
  });
  const telemetry = await Telemetry.start({
    settings,
    resource: { "service.name": "spanloop" },
    bus,
    clock,
    random: systemRandom(),
    log: new EngineLog(clock),
    activity: () => ({ runs: [], waitingAttempts: 0 }),
    ...standardStreams(),
  });
  const starts = opened(trace);
  bus.publish((await store.commit([newRun("a"), ...starts], new Map())).records);
  const ends = [3, 2].map((id) => end("a", `k${id}`, { spanId: spanId(id) }));
  bus.publish((await store.commit(ends, first("a"))).records);
  const { acquired: lease } = await store.acquire("plugins", {
    holder: HERE,
    now: T0,
    expiresAt: T0 + 1n,
    isDead: nobody,
  }) as { acquired: Lease };
  await react(store, bus, lease, [
    finding(1, spanId(3)),
    finding(2, spanId(2)),
    finding(3, emitted(1).spanId, { plugin: "other" }),
    finding(4, "f".repeat(16), { traceId: "f".repeat(32), links: [] }),
    finding(5, "", { traceId: "a".repeat(32), parentSpanId: undefined, links: [] }),
  ]);
  bus.publish((await store.commit([end("a", "k1", { spanId: spanId(1) })], first("a"))).records);
  await react(store, bus, lease, [finding(6, spanId(1))]);
  await telemetry.shutdown();
  await store.close();
  const findings = collector.spans.filter(({ name }) => name === "finding");
  return new Map(findings.map((span) => [parseInt(span.spanId.slice(1), 16), span]));
}

async function react(
  store: Store,
  bus: Bus,
  lease: Lease,
  spans: readonly EmittedSpan[],
): Promise<void> {
  const records = await store.react(lease, { spans, items: {}, at: T0 });
  for (const record of records!) bus.tell({ event: "emitted", record });
}

const parents = (spans: ReadonlyMap<number, CollectedSpan>) =>
  Object.fromEntries([...spans].map(([number, span]) => [number, span.parentSpanId]));

const E1 = emitted(1).spanId;
const ELSEWHERE = { 4: "f".repeat(16), 5: undefined, 6: spanId(1) };

Deno.test("what plugins emit is exported below what it answers, as it was emitted (T1)", async () => {
  const spans = await exported({ mode: "single", detail: "batches" });
  assert.deepEqual(parents(spans), { 1: spanId(3), 2: spanId(2), 3: E1, ...ELSEWHERE });
  const { name, traceId, start, end, attributes, links } = spans.get(1)!;
  assert.equal(name, "finding");
  assert.equal(traceId, RUN_TRACE);
  assert.deepEqual([start, end], [String(T0 + 9n), String(T0 + 9n)]);
  assert.deepEqual(attributes, {
    "spanloop.plugin.name": "slow_step",
    "spanloop.reaction.depth": 1,
    count: 3,
  });
  assert.deepEqual(links.map((link) => link.spanId), [spanId(3)]);
  assert.equal(spans.get(4)!.traceId, "f".repeat(32));
});

Deno.test("no trace.detail hides what plugins emit: it stands below the nearest exported span (T1)", async () => {
  const steps = await exported(undefined);
  assert.deepEqual(parents(steps), { 1: spanId(2), 2: spanId(2), 3: E1, ...ELSEWHERE });
  assert.deepEqual(steps.get(1)!.links.map((link) => link.spanId), [spanId(2)]);
  const run = await exported({ mode: "single", detail: "run" });
  assert.deepEqual(parents(run), { 1: spanId(1), 2: spanId(1), 3: E1, ...ELSEWHERE });
});

Deno.test("what plugins emit about a batch that is a trace of its own is in that trace (T1)", async () => {
  const spans = await exported({ mode: "linked", detail: "batches" });
  const own = linkedTraceId(spanId(3));
  assert.deepEqual(parents(spans), { 1: spanId(3), 2: spanId(2), 3: E1, ...ELSEWHERE });
  assert.deepEqual([1, 2, 3].map((number) => spans.get(number)!.traceId), [own, RUN_TRACE, own]);
  assert.deepEqual(spans.get(1)!.links[0].traceId, own);
});

Deno.test("what plugins emit about a run that is not sampled stays here; the deny-list acts (T1)", async () => {
  assert.deepEqual(
    parents(await exported(undefined, { OTEL_TRACES_SAMPLER: "always_off" })),
    {},
  );
  const spans = await exported(undefined, { SPANLOOP_OTEL_DENY_ATTRIBUTES: "count" });
  assert.equal(spans.size, 6);
  assert.equal(spans.get(1)!.attributes.count, "[redacted]");
});
