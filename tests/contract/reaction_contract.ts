import assert from "node:assert/strict";
import type { EmittedSpan, SpanReference } from "../../engine/core/span.ts";
import type { Lease, Reaction, Store } from "../../engine/core/store.ts";
import {
  emitted,
  end,
  first,
  HERE,
  journal,
  newRun,
  nobody,
  received,
  start,
  status,
  T0,
  THERE,
} from "./store_entries.ts";

const CURSOR = "plugin/slow_step@test/cursor";

const HOSTILE = [
  "",
  "a\0b",
  "\ud800",
  '\u0001"x"',
  "__proto__",
  "%",
  "a_b",
  "'; DROP TABLE items; --",
  "é 😀",
];

/** What every driver must keep of what plugins make of what they hear; `open` gives a new, empty store. */
export function reactionContract(driver: string, open: () => Promise<Store>): void {
  const test = (name: string, body: (store: Store, lease: Lease) => Promise<void>) =>
    Deno.test(`${driver}: ${name}`, async () => {
      const store = await open();
      try {
        await body(store, await take(store));
      } finally {
        await store.close();
      }
    });

  const many = (count: number, from = 0) =>
    Array.from({ length: count }, (_, i) => emitted(from + i));

  const idsOf = ({ traceId, spanId }: SpanReference): SpanReference => ({ traceId, spanId });

  const listed = async (store: Store, prefix: string) => [...await store.items(prefix)];

  test(
    "emitted spans share the order of the journal and of received ones (J4)",
    async (store, lease) => {
      const one = await store.commit([newRun("a"), start("a", "x")], new Map());
      const two = await store.react(lease, reaction(many(40)));
      const three = await store.receive([received(1), received(2)], T0);
      const four = await store.react(lease, reaction(many(1, 40)));
      const five = await store.commit([end("a", "x")], first("a"));
      const all = [...one.records, ...two!, ...three.records, ...four!, ...five.records];
      for (let i = 1; i < all.length; i++) assert(all[i].position > all[i - 1].position);
      assert.deepEqual(await store.since(0, 1_000), all);
      assert.deepEqual(await store.since(all[5].position, 3), all.slice(6, 9));
      assert.equal(await store.last(), all.at(-1)!.position);
      assert.deepEqual(two!.map(({ span }) => span), many(40));
      assert.deepEqual(new Set(two!.map(({ type }) => type)), new Set(["emitted"]));
      // They are no part of a run.
      assert.deepEqual(await journal(store, "a"), [...one.records, ...five.records]);
    },
  );

  test("an emitted span comes back as it was, its time exact", async (store, lease) => {
    const attributes = JSON.parse('{"__proto__": "a key like any other", "none": []}');
    Object.assign(attributes, {
      text: "a\0b \ud800 é",
      real: 0.1,
      large: 1e300,
      yes: true,
      emitted: "x",
      list: [1, 2.5],
    });
    const span = emitted(1, { name: "a\0b", attributes, time: 2n ** 64n - 1n, depth: 8 });
    // What answers a tick of a plugin for all workflows.
    const { parentSpanId: _, workflow: _w, runId: _r, stepId: _s, ...alone } = emitted(2, {
      time: 0n,
      plugin: 'other "plugin"',
      attributes: {},
      links: [],
    });
    const records = await store.react(lease, reaction([span, alone]));
    assert.deepEqual(records!.map((one) => one.span), [span, alone]);
    assert.deepEqual(await store.since(0, 10), [
      { type: "emitted", position: records![0].position, span },
      { type: "emitted", position: records![1].position, span: alone },
    ]);
  });

  test("a received span that claims to be emitted is received (T2)", async (store, lease) => {
    const claims = received(1, {
      attributes: { emitted: "x" },
      resource: { emitted: { plugin: "slow_step" } },
      scope: { name: '{"emitted":{"plugin":"slow_step"}}' },
    });
    await store.react(lease, reaction([emitted(1)]));
    await store.receive([claims], T0);
    const [, record] = await store.since(0, 10);
    assert.equal(record.type, "received");
    assert.deepEqual(record.span, claims);
  });

  test("a store keeps nothing of the spans that it was given", async (store, lease) => {
    const attributes = { list: [1] };
    const records = await store.react(lease, reaction([emitted(1, { attributes })]));
    attributes.list.push(2);
    const span = emitted(1, { attributes: { list: [1] } });
    assert.deepEqual(await store.since(0, 1), [
      { type: "emitted", position: records![0].position, span },
    ]);
  });

  test("what is emitted twice is there once, as it was first (T3)", async (store, lease) => {
    const one = await store.react(lease, reaction([...many(40), ...many(3)], { [CURSOR]: "1" }));
    assert.deepEqual(one!.map(({ span }) => span), many(40));
    const again = [...many(50).map((span) => ({ ...span, name: "another" })), ...many(2)];
    const two = await store.react(lease, reaction(again, { [CURSOR]: "2" }));
    assert.deepEqual(two!.map(({ span }) => span), again.slice(40, 50));
    assert.deepEqual(await store.react(lease, reaction(many(50))), []);
    assert.deepEqual(await store.since(0, 1_000), [...one!, ...two!]);
    assert.equal(await store.getItem(CURSOR), "2");
    // One of the same id in another trace is another.
    const other = emitted(0, { traceId: "b".repeat(32) });
    assert.deepEqual((await store.react(lease, reaction([other])))!.map(({ span }) => span), [
      other,
    ]);
  });

  test(
    "an emitted span that comes back through the receiver is dropped (T2)",
    async (store, lease) => {
      await store.react(lease, reaction([emitted(1)]));
      const { traceId, spanId, time } = emitted(1);
      const back = received(0, { traceId, spanId, startTime: time, endTime: time });
      assert.deepEqual(await store.receive([back], T0), { records: [], own: 0, repeated: 1 });
      assert.equal((await store.since(0, 10)).length, 1);
    },
  );

  test("items are set and deleted with the spans", async (store, lease) => {
    await store.react(lease, reaction(many(1), { [CURSOR]: "1", state: "x", "": "empty" }));
    assert.equal(await store.getItem(CURSOR), "1");
    await store.react(lease, reaction([], { [CURSOR]: "2", state: null, absent: null, "": "" }));
    assert.equal(await store.getItem(CURSOR), "2");
    assert.equal(await store.getItem("state"), undefined);
    assert.equal(await store.getItem(""), "");
    assert.deepEqual(await listed(store, ""), [["", ""], [CURSOR, "2"]]);
  });

  test(
    "under a lease that is lost nothing is written, neither spans nor items (R7)",
    async (store, lease) => {
      await store.react(lease, reaction(many(1), { [CURSOR]: "1" }));
      const before = { all: await store.since(0, 10), items: await listed(store, "") };
      const late = reaction(many(3), { [CURSOR]: "9", new: "x" });
      const wrong = [
        { ...lease, fence: lease.fence - 1 },
        { ...lease, fence: lease.fence + 1 },
        { name: "schedules", fence: lease.fence },
        { name: "", fence: 1 },
      ];
      for (const one of wrong) assert.equal(await store.react(one, late), undefined);
      const { acquired: theirs } = await store.acquire("plugins", {
        holder: THERE,
        now: T0 + 120_000_000_000n,
        expiresAt: T0 + 180_000_000_000n,
        isDead: nobody,
      }) as { acquired: Lease };
      assert.equal(await store.react(lease, late), undefined);
      await store.release([theirs]);
      assert.equal(await store.react(theirs, late), undefined);
      const after = { all: await store.since(0, 10), items: await listed(store, "") };
      assert.deepEqual(after, before);
      assert.equal(await store.last(), before.all.at(-1)!.position);
    },
  );

  test("known tells which spans are there, whoever's they are", async (store, lease) => {
    await store.commit([newRun("a"), start("a", "x")], new Map());
    await store.receive([received(1), received(1, { startTime: 0n }), received(2)], T0);
    await store.react(lease, reaction(many(40)));
    const own = start("a", "x").span;
    const there = [own, received(1), received(2), emitted(0), emitted(39)].map(idsOf);
    const not = [
      idsOf(emitted(40)),
      idsOf(received(3)),
      { ...idsOf(own), spanId: "1".repeat(16) },
      { ...idsOf(own), traceId: "1".repeat(32) },
      { ...idsOf(received(1)), traceId: own.traceId },
      { traceId: own.traceId + own.spanId, spanId: "" },
      { traceId: emitted(0).traceId.slice(0, 31), spanId: `6${emitted(0).spanId}` },
      { traceId: "", spanId: "" },
      { traceId: "a\0b", spanId: "\ud800" },
    ];
    assert.deepEqual(await store.known([]), []);
    assert.deepEqual(await store.known(not), []);
    assert.deepEqual(await store.known(there), there);
    const mixed = there.flatMap((one, i) => [not[i], one, one]);
    assert.deepEqual(await store.known(mixed), there.flatMap((one) => [one, one]));
    for (const one of there) assert.deepEqual(await store.known([one]), [one]);
    // What the run starts later is known then, too.
    const later = { ...own, spanId: "1".repeat(16) };
    await store.commit([start("a", "y", { span: later })], first("a"));
    assert.deepEqual(await store.known(not), [idsOf(later)]);
  });

  test("what is pruned is not known any more", async (store, lease) => {
    await store.commit([newRun("a"), start("a", "x"), status("a", "succeeded")], new Map());
    await store.receive([received(1)], T0);
    await store.react(lease, reaction(many(1)));
    const all = [start("a", "x").span, received(1), emitted(0)].map(idsOf);
    assert.deepEqual(await store.known(all), all);
    await store.prune(2n ** 62n);
    assert.deepEqual(await store.known(all), []);
  });

  test("items are found by how their keys begin, in the keys' order", async (store, lease) => {
    const keys = ["a", "b", "a/b", "a/", "a0", "a/%", "a_b", "aXb", "a%", "A", "a/\uffff", "a/😀"];
    for (const key of keys) await store.setItem(key, `of ${key}`);
    const of = (...keys: string[]) => keys.sort().map((key) => [key, `of ${key}`]);
    assert.deepEqual(await listed(store, ""), of(...keys));
    assert.deepEqual(await listed(store, "a/"), of("a/", "a/b", "a/%", "a/\uffff", "a/😀"));
    assert.deepEqual(await listed(store, "a_"), of("a_b"));
    assert.deepEqual(await listed(store, "a%"), of("a%"));
    assert.deepEqual(await listed(store, "a/😀"), of("a/😀"));
    // A prefix may end within a character, as texts do.
    assert.deepEqual(await listed(store, "a/\ud83d"), of("a/😀"));
    assert.deepEqual(await listed(store, "a/\udeee"), []);
    assert.deepEqual(await listed(store, "c"), []);
    await store.react(lease, reaction([], { "a/b": null, "a/c": "of a/c" }));
    assert.deepEqual(await listed(store, "a/"), of("a/", "a/c", "a/%", "a/\uffff", "a/😀"));
  });

  test("hostile keys and values come back unchanged and keep apart", async (store, lease) => {
    const all = new Map(
      HOSTILE.flatMap((key) => [[key, key], [`p/${key}`, key], [`${key}/s`, key]]),
    );
    await store.react(lease, { spans: [], items: fromEntries(all), at: T0 });
    for (const [key, value] of all) assert.equal(await store.getItem(key), value);
    for (const prefix of [...all.keys(), "p", "a", "\u0001", '\u0001"', "\ud83d", "a\0"]) {
      const found = [...all].filter(([key]) => key.startsWith(prefix));
      const expected = found.sort(([a], [b]) => a < b ? -1 : 1);
      assert.deepEqual(await listed(store, prefix), expected, JSON.stringify(prefix));
    }
    await store.react(lease, {
      spans: [],
      items: fromEntries([...all.keys()].map((key) => [key, null])),
      at: T0,
    });
    assert.deepEqual(await listed(store, ""), []);
  });

  test(
    "prune deletes what was emitted before, and counts it with received spans",
    async (store, lease) => {
      const emit = async (span: EmittedSpan, at: bigint) =>
        (await store.react(lease, { spans: [span], items: { [CURSOR]: "1" }, at }))![0];
      const one = await emit(emitted(1, { plugin: "one" }), T0);
      const two = await emit(emitted(2, { plugin: "two" }), T0 + 10n);
      await store.receive([received(1)], T0);
      assert.deepEqual(await store.prune(T0 + 10n), { runs: 0, receivedSpans: 2, changes: 0 });
      assert.deepEqual(await store.since(0, 10), [two]);
      assert.deepEqual(await store.prune(2n ** 62n), { runs: 0, receivedSpans: 1, changes: 0 });
      assert.deepEqual(await store.since(0, 10), []);
      assert.equal(await store.getItem(CURSOR), "1");
      const again = await emit(emitted(1, { plugin: "one" }), T0);
      assert(again.position > two.position && two.position > one.position);
      assert.deepEqual(await store.since(0, 10), [again]);
    },
  );

  test(
    "emitted spans are listed newest first, by plugin, name, workflow and position",
    async (store, lease) => {
      const odd = { plugin: 'a\0"b', name: "c\0d", workflow: "\ud800" };
      await store.react(lease, reaction([emitted(1), emitted(2, odd)]));
      await store.receive([received(1), received(2)], T0);
      await store.commit([newRun("a"), start("a", "x")], new Map());
      await store.react(lease, reaction([emitted(3, odd), emitted(4, { ...odd, name: "e" })]));
      await store.react(lease, reaction(many(90, 10)));
      const all = (await store.since(0, 1_000)).filter((one) => one.type === "emitted").reverse();
      assert.equal(all.length, 94);
      assert.deepEqual(await store.emitted({}), all);
      assert.deepEqual(await store.emitted({ limit: 7 }), all.slice(0, 7));
      assert.deepEqual(await store.emitted({ limit: 0 }), []);
      const [four, three, two, one] = all.slice(90);
      assert.deepEqual(await store.emitted({ plugin: odd.plugin }), [four, three, two]);
      assert.deepEqual(await store.emitted({ ...odd }), [three, two]);
      assert.deepEqual(await store.emitted({ ...odd, limit: 1 }), [three]);
      assert.deepEqual(await store.emitted({ ...odd, after: two.position }), [three]);
      assert.deepEqual(await store.emitted({ after: four.position }), all.slice(0, 90));
      assert.deepEqual(await store.emitted({ after: all[0].position }), []);
      assert.deepEqual((await store.emitted({ plugin: one.span.plugin })).at(-1), one);
      for (const query of [{ plugin: "nobody" }, { name: "none" }, { workflow: "none" }]) {
        assert.deepEqual(await store.emitted(query), []);
      }
      await store.prune(T0 + 1n);
      assert.deepEqual(await store.emitted({}), []);
    },
  );

  test(
    "react changes the version, so that others see it; reading does not",
    async (store, lease) => {
      const before = await store.version();
      await store.react(lease, reaction([], { [CURSOR]: "1" }));
      const after = await store.version();
      assert.notEqual(after, before);
      await store.known([idsOf(emitted(1))]);
      await store.items("");
      assert.equal(await store.version(), after);
    },
  );

  test("a closed store reacts to nothing", async (store, lease) => {
    await store.close();
    for (
      const call of [
        () => store.react(lease, reaction(many(1))),
        () => store.known([]),
        () => store.emitted({}),
        () => store.items(""),
      ]
    ) await assert.rejects(call(), { code: "store.unavailable" });
  });
}

/** The lease of the plugins' host. */
async function take(store: Store): Promise<Lease> {
  const { acquired } = await store.acquire("plugins", {
    holder: HERE,
    now: T0,
    expiresAt: T0 + 60_000_000_000n,
    isDead: nobody,
  }) as { acquired: Lease };
  return acquired;
}

function reaction(spans: readonly EmittedSpan[], items: Reaction["items"] = {}): Reaction {
  return { spans, items, at: T0 };
}

function fromEntries<T>(entries: Iterable<readonly [string, T]>): Record<string, T> {
  return Object.fromEntries(entries);
}
