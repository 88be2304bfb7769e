import assert from "node:assert/strict";
import { emitted } from "../../tests/contract/store_entries.ts";
import type { SpanRole, StartEntry, TraceSettings } from "../core/span.ts";
import { linkedTraceId, Placements } from "./placement.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";

function start(
  id: number,
  role: SpanRole,
  more: {
    parent?: number;
    run?: string;
    batch?: boolean;
    trace?: TraceSettings;
    flags?: number;
  } = {},
): StartEntry {
  return {
    type: "start",
    runId: more.run ?? "r",
    role,
    key: `k${id}`,
    range: more.batch ? { from: 0, to: 1 } : undefined,
    trace: more.trace,
    span: {
      traceId: TRACE,
      spanId: spanId(id),
      parentSpanId: more.parent === undefined ? undefined : spanId(more.parent),
      traceFlags: more.flags,
      name: "n",
      kind: "internal",
      startTime: 1n,
      attributes: {},
    },
  };
}

const spanId = (id: number) => id.toString(16).padStart(16, "0");

/** A run 1 of a step 2, whose batch 3 emits 4 and calls a run 5 with a step 6. */
function tree(trace: TraceSettings | undefined, sampled = () => true): Placements {
  const placements = new Placements(sampled);
  for (
    const entry of [
      start(1, "run", { trace }),
      start(2, "step", { parent: 1 }),
      start(3, "attempt", { parent: 2, batch: true }),
      start(4, "emit", { parent: 3 }),
      start(5, "run", { parent: 3, run: "child" }),
      start(6, "attempt", { parent: 5, run: "child" }),
    ]
  ) placements.opened(entry);
  return placements;
}

function exported(placements: Placements): Record<number, number | undefined> {
  const parents: Record<number, number | undefined> = {};
  for (let id = 1; id <= 6; id++) {
    const place = placements.of(spanId(id))!;
    if (!place.exported) continue;
    assert.equal(place.spanId, spanId(id));
    parents[id] = place.parentSpanId === undefined ? undefined : parseInt(place.parentSpanId, 16);
  }
  return parents;
}

Deno.test("detail decides which spans are exported; a called run stands below the nearest (T1)", () => {
  const single = (detail: TraceSettings["detail"]) => tree({ mode: "single", detail });
  assert.deepEqual(exported(single("batches")), { 1: undefined, 2: 1, 3: 2, 4: 3, 5: 3, 6: 5 });
  // The called run has its own workflow's settings: by default its steps.
  assert.deepEqual(exported(single("steps")), { 1: undefined, 2: 1, 5: 2, 6: 5 });
  assert.deepEqual(exported(single("run")), { 1: undefined, 5: 1, 6: 5 });
  assert.deepEqual(exported(tree(undefined)), exported(single("steps")));
});

Deno.test("what is not exported is told to children as the span around it that is (T1)", () => {
  const { traceId, spanId: id } = tree({ mode: "single", detail: "run" }).of(spanId(4))!;
  assert.deepEqual({ traceId, id }, { traceId: TRACE, id: spanId(1) });
});

Deno.test("linked: each batch is the root of a trace of its own, with all below it (T1)", () => {
  const placements = tree({ mode: "linked", detail: "batches" });
  assert.deepEqual(exported(placements), {
    1: undefined,
    2: 1,
    3: undefined,
    4: 3,
    5: 3,
    6: 5,
  });
  const traces = [1, 2, 3, 4, 5, 6].map((id) => placements.of(spanId(id))!.traceId);
  const own = linkedTraceId(spanId(3));
  assert.match(own, /^[0-9a-f]{32}$/);
  assert.deepEqual(traces, [TRACE, TRACE, own, own, own, own]);
  assert.deepEqual(placements.of(spanId(3))!.linkedTo, { traceId: TRACE, spanId: spanId(2) });
});

Deno.test("the sampler is asked once a run, and what it calls follows it", () => {
  let asked = 0;
  const placements = tree(undefined, () => ++asked > 1);
  assert.equal(asked, 1);
  for (let id = 1; id <= 6; id++) assert.equal(placements.of(spanId(id))!.sampled, false);
});

Deno.test("a caller of another process stays the run's parent, and its flags reach the sampler", () => {
  const flags: (number | undefined)[] = [];
  const placements = new Placements((_, parentFlags) => {
    flags.push(parentFlags);
    return true;
  });
  placements.opened(start(1, "run", { parent: 99, flags: 0 }));
  assert.equal(placements.of(spanId(1))!.parentSpanId, spanId(99));
  assert.deepEqual(flags, [0]);
});

Deno.test("an emitted span finds the place of what it answers after that has ended, among thousands", () => {
  let asked = 0;
  const placements = tree(undefined, () => ++asked === 1);
  const answer = (parent: number) =>
    placements.emitted(emitted(1, { traceId: TRACE, parentSpanId: spanId(parent) }));
  const closed = (id: number) => placements.closed(start(id, "attempt", { batch: true }));
  assert.equal(answer(3).parentSpanId, spanId(2), "open");
  closed(3);
  for (let id = 10; id < 4_000; id++) {
    placements.opened(start(id, "attempt", { parent: 2, batch: true }));
    closed(id);
  }
  assert.equal(answer(3).parentSpanId, spanId(2), "ended");
  assert.equal(asked, 1);
  // One that ended long ago, or in another process: the trace's id decides, and its parent stays.
  for (let id = 4_000; id < 20_000; id++) {
    placements.opened(start(id, "attempt", { parent: 2, batch: true }));
    closed(id);
  }
  const { parentSpanId, sampled } = answer(3);
  assert.deepEqual([parentSpanId, sampled, asked], [spanId(3), false, 2]);
});

Deno.test("what has ended or is lost is not open any more", () => {
  const placements = tree(undefined);
  placements.closed(start(4, "emit", { parent: 3 }));
  assert.equal(placements.of(spanId(4)), undefined);
  const open = [start(1, "run"), start(2, "step", { parent: 1 })];
  placements.hear({ event: "lost", runId: "r", open });
  assert.equal(placements.of(spanId(2)), undefined);
});
