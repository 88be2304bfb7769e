import assert from "node:assert/strict";
import {
  emitted,
  end,
  first,
  HERE,
  newRun,
  nobody,
  received,
  start,
  T0,
} from "../../tests/contract/store_entries.ts";
import type { Clock } from "../core/clock.ts";
import type { TailedSpan, TailOptions } from "../core/received.ts";
import type { Lease, Store } from "../core/store.ts";
import { openStore } from "../store/open.ts";
import { systemClock } from "../system.ts";
import { tailSpans } from "./tail.ts";

const DONE: Pick<TailOptions, "follow" | "signal"> = {
  follow: false,
  signal: new AbortController().signal,
};

async function withStore(body: (store: Store) => Promise<void>): Promise<void> {
  const store = await openStore("memory:", { durability: "normal" });
  await body(store);
  await store.close();
}

async function names(spans: AsyncIterable<TailedSpan>): Promise<string[]> {
  return (await Array.fromAsync(spans)).map(({ span }) => span.name);
}

// A start and an end of the same span, under a name.
function both(runId: string, name: string, spanId: string) {
  const one = start(runId, name);
  return [
    { ...one, span: { ...one.span, spanId, name } },
    end(runId, name, { spanId, end: { endTime: T0 + 9n, error: true, attributes: { more: 1 } } }),
  ] as const;
}

Deno.test("spans are told as they end, in the store's order (J4)", async () => {
  await withStore(async (store) => {
    const [xStart, xEnd] = both("a", "x", "1".repeat(16));
    const [yStart, yEnd] = both("a", "y", "2".repeat(16));
    await store.commit([newRun("a"), xStart, yStart], new Map());
    await store.receive([received(1, { name: "r" })], T0);
    await store.commit([yEnd, xEnd], first("a"));
    const spans = await Array.fromAsync(
      tailSpans(store, systemClock(), { ...DONE, from: "start" }),
    );
    assert.deepEqual(spans.map(({ span, runId }) => [span.name, runId]), [
      ["r", undefined],
      ["y", "a"],
      ["x", "a"],
    ]);
    const { span, service } = spans[1];
    assert.equal(service, "spanloop");
    assert.equal(span.status, "error");
    assert.equal(span.endTime, T0 + 9n);
    assert.deepEqual(span.attributes, { ...yStart.span.attributes, more: 1 });
    assert.equal(spans[0].service, "shop");
  });
});

Deno.test("what a plugin emitted is told as the engine's span, with its run and attributes", async () => {
  await withStore(async (store) => {
    const request = { holder: HERE, now: T0, expiresAt: T0 + 1n, isDead: nobody };
    const { acquired } = await store.acquire("plugins", request) as { acquired: Lease };
    const { parentSpanId: _, runId: _r, ...alone } = emitted(2, { time: T0 - 1n });
    const attributes = { "spanloop.plugin.name": "slow_step", count: 3 };
    await store.react(acquired, { spans: [emitted(1, { attributes }), alone], items: {}, at: T0 });
    const all = await Array.fromAsync(tailSpans(store, systemClock(), { ...DONE, from: "start" }));
    assert.deepEqual(all.map(({ service, runId }) => [service, runId]), [
      ["spanloop", "a"],
      ["spanloop", undefined],
    ]);
    const [{ span }] = all;
    assert.equal(span.name, "slow_step.slow");
    assert.equal(span.scope.name, "spanloop");
    assert.deepEqual(span.attributes, attributes);
    assert.deepEqual([span.startTime, span.endTime], [T0 + 9n, T0 + 9n]);
    assert.equal(span.parentSpanId, emitted(1).parentSpanId);
    assert.deepEqual(span.links, emitted(1).links.map((link) => ({ ...link, attributes: {} })));
    assert(JSON.stringify(all[1].otlp()).includes(alone.spanId));
    const late = tailSpans(store, systemClock(), { ...DONE, from: T0 });
    assert.deepEqual(await names(late), ["slow_step.slow"]);
  });
});

Deno.test("from now on, a span that was open already is told when it ends", async () => {
  await withStore(async (store) => {
    const [xStart, xEnd] = both("a", "x", "1".repeat(16));
    const [yStart, yEnd] = both("a", "y", "2".repeat(16));
    await store.commit([newRun("a"), xStart, yStart], new Map());
    await store.receive([received(1)], T0);
    const stop = new AbortController();
    let polls = 0;
    // Time passes as fast as it is asked for; what comes meanwhile is committed at the first poll.
    const clock: Clock = {
      ...systemClock(),
      after(_ms, fire) {
        const commit = polls++ === 0 ? store.commit([xEnd, yEnd], first("a")) : Promise.resolve();
        void commit.then(fire);
        return () => {};
      },
    };
    const seen: string[] = [];
    for await (
      const { span } of tailSpans(store, clock, { from: "now", follow: true, signal: stop.signal })
    ) {
      seen.push(span.name);
      if (seen.length === 2) stop.abort();
    }
    assert.deepEqual(seen, ["x", "y"]);
  });
});

Deno.test("from a time on, spans that ended before it are left out", async () => {
  await withStore(async (store) => {
    await store.receive([
      received(1, { name: "early", endTime: T0 - 1n }),
      received(2, { name: "late", endTime: T0 }),
    ], T0);
    assert.deepEqual(await names(tailSpans(store, systemClock(), { ...DONE, from: T0 })), ["late"]);
  });
});

Deno.test("more records than are read at once are all told", async () => {
  await withStore(async (store) => {
    const spans = Array.from({ length: 2_500 }, (_, i) => received(i, { name: `${i}` }));
    await store.receive(spans, T0);
    const told = await names(tailSpans(store, systemClock(), { ...DONE, from: "start" }));
    assert.deepEqual(told, spans.map(({ name }) => name));
  });
});

Deno.test("aborting ends the wait", async () => {
  await withStore(async (store) => {
    const stop = new AbortController();
    const clock: Clock = {
      ...systemClock(),
      after() {
        queueMicrotask(() => stop.abort());
        return () => {};
      },
    };
    const options = { from: "now", follow: true, signal: stop.signal } as const;
    assert.deepEqual(await names(tailSpans(store, clock, options)), []);
  });
});
