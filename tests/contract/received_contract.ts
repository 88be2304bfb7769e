import assert from "node:assert/strict";
import type { ReceivedSpan } from "../../engine/core/span.ts";
import type { Store } from "../../engine/core/store.ts";
import {
  end,
  first,
  journal,
  newRun,
  received,
  RUN_TRACE,
  start,
  status,
  T0,
} from "./store_entries.ts";

const OWN = "00f067aa0ba902b7";

/** What every driver must keep of spans that other programs send; `open` gives a new, empty store. */
export function receivedContract(driver: string, open: () => Promise<Store>): void {
  const test = (name: string, body: (store: Store) => Promise<void>) =>
    Deno.test(`${driver}: ${name}`, async () => {
      const store = await open();
      try {
        await body(store);
      } finally {
        await store.close();
      }
    });

  const many = (count: number, from = 0) =>
    Array.from({ length: count }, (_, i) => received(from + i));

  test("received spans share the journal's order, and one cursor reads both (J4)", async (store) => {
    assert.equal(await store.last(), 0);
    const one = await store.commit([newRun("a"), start("a", "x")], new Map());
    const two = await store.receive(many(100), T0);
    const three = await store.commit([end("a", "x")], first("a"));
    const four = await store.receive([received(100)], T0);
    const all = [...one.records, ...two.records, ...three.records, ...four.records];
    for (let i = 1; i < all.length; i++) assert(all[i].position > all[i - 1].position);
    assert.deepEqual(await store.since(0, 1_000), all);
    assert.deepEqual(await store.since(all[50].position, 3), all.slice(51, 54));
    assert.equal(await store.last(), all.at(-1)!.position);
    assert.deepEqual(two.records.map(({ span }) => span), many(100));
    // They are no part of a run.
    assert.deepEqual(await journal(store, "a"), [...one.records, ...three.records]);
  });

  test("a received span comes back as it was, nanoseconds and 64-bit integers exact", async (store) => {
    const attributes = JSON.parse('{"__proto__": "a key like any other"}');
    Object.assign(attributes, {
      text: "a\0b \ud800 é",
      small: 1,
      large: 9_007_199_254_740_993n,
      least: -(2n ** 63n),
      real: 0.1,
      odd: [NaN, Infinity, -Infinity, -0, 1e300],
      yes: true,
      nothing: null,
      bytes: new Uint8Array([0, 255]),
      none: [],
      list: [1n, ["x", null], { deep: { i: "no tag" } }],
      map: { a: 1, i: "2", o: {}, 7: new Uint8Array(0) },
      i: "x",
    });
    const span: ReceivedSpan = {
      traceId: "1".repeat(32),
      spanId: "2".repeat(16),
      parentSpanId: "3".repeat(16),
      traceState: "a=b",
      traceFlags: 1,
      name: "",
      kind: "consumer",
      startTime: 2n ** 64n - 1n,
      endTime: 2n ** 63n,
      status: "error",
      message: "no",
      attributes,
      links: [{ traceId: "4".repeat(32), spanId: "5".repeat(16), traceState: "x", attributes }],
      events: [{ name: "e", time: 2n ** 64n - 1n, attributes, droppedAttributes: 2 }],
      dropped: { attributes: 1, events: 2, links: 3 },
      resource: attributes,
      scope: { name: "lib", version: "1", attributes, schemaUrl: "https://x" },
    };
    const { records } = await store.receive([span, received(1, { startTime: 0n })], T0);
    assert.deepEqual(records[0].span, span);
    const [one, two] = await store.since(0, 10);
    assert.deepEqual(one, { type: "received", position: records[0].position, span });
    assert.equal((two as { span: ReceivedSpan }).span.startTime, 0n);
  });

  test("a store keeps nothing of the spans that it was given", async (store) => {
    const attributes = { list: [1] };
    const { records } = await store.receive([received(1, { attributes })], T0);
    attributes.list.push(2);
    assert.deepEqual((await store.since(0, 1))[0], {
      type: "received",
      position: records[0].position,
      span: received(1, { attributes: { list: [1] } }),
    });
  });

  test("what is received twice is stored once and counted", async (store) => {
    const one = await store.receive([...many(40), ...many(3)], T0);
    assert.equal(one.records.length, 40);
    assert.equal(one.repeated, 3);
    const two = await store.receive([...many(50), received(0, { traceId: "b".repeat(32) })], T0);
    assert.equal(two.repeated, 40);
    assert.equal(two.own, 0);
    assert.deepEqual(two.records.map(({ span }) => span), [
      ...many(10, 40),
      received(0, { traceId: "b".repeat(32) }),
    ]);
    assert.deepEqual(await store.receive(many(50), T0), { records: [], own: 0, repeated: 50 });
    assert.deepEqual(await store.receive([], T0), { records: [], own: 0, repeated: 0 });
  });

  test("a run's own spans are dropped and counted; others of its trace are not (T2)", async (store) => {
    const own = received(1, { traceId: RUN_TRACE, spanId: OWN });
    const late = received(2, { traceId: RUN_TRACE, spanId: "b".repeat(16) });
    const child = received(3, { traceId: RUN_TRACE, parentSpanId: OWN });
    const elsewhere = received(4, { spanId: OWN });
    await store.commit([newRun("a"), start("a", "x")], new Map());
    const one = await store.receive([own, child, elsewhere], T0);
    assert.equal(one.own, 1);
    assert.deepEqual(one.records.map(({ span }) => span), [child, elsewhere]);
    // A span that the run starts later is known then, too.
    const span = { ...start("a", "y").span, spanId: late.spanId };
    await store.commit([start("a", "y", { span })], first("a"));
    assert.deepEqual(await store.receive([own, late], T0), { records: [], own: 2, repeated: 0 });
  });

  test("a trace id in a run's texts is not taken for its own (T2)", async (store) => {
    const other = "c".repeat(32);
    const header = {
      workflow: `","traceId":"${other}`,
      params: { traceId: other, text: `"traceId":"${other}"` },
      traceId: "d".repeat(32),
    };
    await store.commit([newRun("a", header), start("a", "x")], new Map());
    const span = (traceId: string) => received(0, { traceId, spanId: OWN });
    assert.equal((await store.receive([span(other)], T0)).own, 0);
    assert.equal((await store.receive([span(header.traceId)], T0)).own, 1);
  });

  test("prune deletes what was received before, and positions are not given again (J4)", async (store) => {
    const shop = (i: number) => received(i, { resource: { "service.name": `shop ${i}` } });
    const { records: [one] } = await store.receive([shop(1)], T0);
    const { records: [two] } = await store.receive([shop(2)], T0 + 10n);
    assert.deepEqual(await store.prune(T0 + 10n), { runs: 0, receivedSpans: 1, changes: 0 });
    assert.deepEqual(await store.since(0, 10), [two]);
    await store.commit([newRun("a"), start("a", "x"), status("a", "succeeded")], new Map());
    assert.deepEqual(await store.prune(2n ** 62n), { runs: 1, receivedSpans: 1, changes: 0 });
    assert.deepEqual(await store.since(0, 10), []);
    // What was pruned may come again, after all that was.
    const { records: [again], repeated } = await store.receive([shop(1)], T0);
    assert.equal(repeated, 0);
    assert(again.position > two.position + 1 && two.position > one.position);
    assert.deepEqual(await store.since(0, 10), [again]);
    // The last position stays, and is told of as any other.
    assert.deepEqual(await store.prune(2n ** 62n), { runs: 0, receivedSpans: 1, changes: 0 });
    const { records: [last] } = await store.receive([shop(3)], T0);
    assert(last.position > again.position);
  });

  test("receive changes the version, so that others see it", async (store) => {
    const before = await store.version();
    await store.receive(many(1), T0);
    assert.notEqual(await store.version(), before);
  });
}
