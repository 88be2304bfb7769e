import assert from "node:assert/strict";
import type { Experiment, LedgerEntry, Verdict } from "../../engine/core/proposal.ts";
import type { LedgerQuery, Store } from "../../engine/core/store.ts";
import { change, newRun, refusal, status, T0 } from "./store_entries.ts";

const HOSTILE = [
  "",
  "a\0b",
  "\ud800",
  '\u0001"x"',
  "__proto__",
  "'; DROP TABLE ledger; --",
  "é 😀",
];

/** What every driver must keep of changes to parameters; `open` gives a new, empty store. */
export function ledgerContract(driver: string, open: () => Promise<Store>): void {
  const test = (name: string, body: (store: Store) => Promise<void>) =>
    Deno.test(`${driver}: ${name}`, async () => {
      const store = await open();
      try {
        await body(store);
      } finally {
        await store.close();
      }
    });

  const numbers = async (store: Store, query: LedgerQuery) =>
    (await store.ledger(query)).map(({ number }) => number);

  test("a workflow that nothing has changed has version 0, without values", async (store) => {
    const none = { workflow: "test", version: 0, values: {}, frozen: [], at: 0n };
    assert.deepEqual(await store.snapshot("test"), none);
    assert.deepEqual(await store.snapshot("test", 0), none);
    assert.equal(await store.snapshot("test", 1), undefined);
    assert.deepEqual(await store.ledger({}), []);
  });

  test("decide writes the entry and the snapshot; every version stays (P2, P3)", async (store) => {
    const [one, two] = [change("a", 0), change("b", 1, { changes: { batch: 7, other: "x" } })];
    assert.deepEqual(await store.decide(...one), {
      entry: { ...one[0], number: 1 },
      repeated: false,
    });
    assert.deepEqual(await store.decide(...two), {
      entry: { ...two[0], number: 2 },
      repeated: false,
    });
    assert.deepEqual(await store.snapshot("test"), two[1].snapshot);
    assert.deepEqual(await store.snapshot("test", 1), one[1].snapshot);
    assert.equal((await store.snapshot("test", 0))!.version, 0);
    assert.equal(await store.snapshot("test", 3), undefined);
    assert.equal((await store.snapshot("other")).version, 0);
    assert.deepEqual(await store.ledger({}), [
      { ...two[0], number: 2 },
      { ...one[0], number: 1 },
    ]);
  });

  test("a snapshot comes back with its experiment, nanoseconds exact (P2)", async (store) => {
    const [entry, { expected, snapshot }] = change("a", 0);
    const experiment = {
      id: "a",
      values: { batch: 640, codec: HOSTILE[4] },
      incumbent: { batch: 160, codec: null },
      exposure: 0.125,
      since: T0 + 3n,
    };
    const open = { ...snapshot, experiment };
    await store.decide(entry, { expected, snapshot: open });
    assert.deepEqual(await store.snapshot("test"), open);
    await store.decide(...change("b", 1));
    assert.equal(Object.hasOwn(await store.snapshot("test"), "experiment"), false);
    assert.deepEqual(await store.snapshot("test", 1), open, "that version stays as it was");
  });

  test("an experiment's verdict comes back as it was, and is found by its outcome (P2)", async (store) => {
    await store.decide(...change("a", 0, { exposure: 0.125, immediate: true }));
    const [entry, { expected, snapshot }] = change("verdict/a", 1, { author: { kind: "engine" } });
    const verdict: Verdict = {
      outcome: "inconclusive",
      action: "rolled_back",
      ended: "withdrawn",
      effect: { ratio: 1 / 3, low: 0.001, high: 1_000 },
      confidence: 0.95,
      pairs: 2,
      guards: [
        { metric: "error_rate", of: HOSTILE[4], value: 0, breached: false },
        { metric: "duration", of: "load", breached: true },
      ],
    };
    const decision = { ...entry.decision, outcome: "ended" as const, rule: "verdict" as const };
    const ended = { ...entry, decision, verdict, answers: 1 };
    await store.decide(ended, { expected, snapshot });
    assert.deepEqual(await store.ledger({ outcome: "ended" }), [{ ...ended, number: 2 }]);
    assert.deepEqual(
      (await store.ledger({ number: 1 })).map(({ proposal: { exposure, immediate } }) => [
        exposure,
        immediate,
      ]),
      [[0.125, true]],
    );
    assert.deepEqual(await store.ledger({ outcome: "testing" }), []);
  });

  test("what makes no version is in the ledger and changes nothing (P2)", async (store) => {
    await store.decide(...change("a", 0));
    const before = await store.snapshot("test");
    const no = refusal("b", 1);
    assert.deepEqual(await store.decide(...no), {
      entry: { ...no[0], number: 2 },
      repeated: false,
    });
    assert.deepEqual(await store.snapshot("test"), before);
    assert.equal(Object.hasOwn((await store.ledger({ number: 2 }))[0], "version"), false);
  });

  test("one id has one entry, whatever else is asked (P2)", async (store) => {
    const [entry, first] = change("a", 0);
    await store.decide(entry, first);
    await store.decide(...change("b", 1));
    const known = { entry: { ...entry, number: 1 }, repeated: true };
    const before = await store.snapshot("test");
    for (
      const again of [
        change("a", 0),
        change("a", 2, { changes: { batch: 99 } }),
        change("a", 0, { workflow: "other" }),
        change("a", 0, { at: -1n }),
        refusal("a", 5),
      ]
    ) assert.deepEqual(await store.decide(...again), known);
    assert.deepEqual(await store.snapshot("test"), before);
    assert.equal((await store.snapshot("other")).version, 0);
    assert.deepEqual(await numbers(store, {}), [2, 1]);
  });

  test("on another version than expected nothing is written (P2)", async (store) => {
    await store.decide(...change("a", 0));
    const current = await store.snapshot("test");
    for (const late of [change("b", 0), change("c", 2), refusal("d", 0), refusal("e", 9)]) {
      assert.deepEqual(await store.decide(...late), { stale: current });
    }
    assert.deepEqual(await store.snapshot("test"), current);
    assert.deepEqual(await numbers(store, {}), [1]);
    // The id was not used up.
    assert.deepEqual(await store.decide(...change("b", 1)), {
      entry: { ...change("b", 1)[0], number: 2 },
      repeated: false,
    });
  });

  test("of many that expect one version, exactly one is applied (P2)", async (store) => {
    const results = await Promise.all(
      Array.from({ length: 8 }, (_, i) => store.decide(...change(`p${i}`, 0))),
    );
    assert.equal(results.filter((one) => "entry" in one).length, 1);
    assert.equal((await store.snapshot("test")).version, 1);
  });

  test("an entry and a snapshot that do not belong together are refused (P2)", async (store) => {
    const [entry, { expected, snapshot }] = change("a", 0);
    const wrong: Parameters<Store["decide"]>[] = [
      [{ ...entry, version: 2 }, { expected, snapshot }],
      [{ ...entry, version: undefined }, { expected, snapshot }],
      [entry, { expected }],
      [{ ...entry, version: 2 }, { expected, snapshot: { ...snapshot, version: 2 } }],
      [entry, { expected, snapshot: { ...snapshot, workflow: "other" } }],
      change("a", 0, { at: -1n }),
      change("a", 0, { at: 2n ** 64n }),
    ];
    for (const one of wrong) {
      await assert.rejects(store.decide(...one), { code: "store.invalid" });
    }
    assert.deepEqual(await store.ledger({}), []);
    assert.equal((await store.snapshot("test")).version, 0);
  });

  test("entries and snapshots come back as they were, nanoseconds exact", async (store) => {
    let deep: unknown[] = [];
    for (let i = 0; i < 1_100; i++) deep = [deep];
    const values = JSON.parse(
      '{"__proto__": 1, "none": null, "real": 0.1, "map": {"a": [null, {"b": "c"}]}}',
    );
    values.deep = deep;
    const [given, { expected, snapshot }] = change("a", 0, {
      author: { kind: "person" },
      changes: values,
      evidence: [],
      at: 2n ** 64n - 1n,
    });
    const entry = {
      ...given,
      decision: { ...given.decision, values, clamped: ["real"] },
      before: { none: null, real: 1 },
      answers: 12,
    };
    const next = { ...snapshot, frozen: ["real", "none"], at: 9_007_199_254_740_993n };
    const result = await store.decide(entry, { expected, snapshot: next });
    assert.deepEqual(result, { entry: { ...entry, number: 1 }, repeated: false });
    assert.deepEqual(await store.ledger({}), [{ ...entry, number: 1 }]);
    assert.deepEqual(await store.snapshot("test"), next);
    assert.deepEqual(await store.snapshot("test", 1), next);
    assert.deepEqual(await numbers(store, { parameter: "__proto__" }), [1]);
    assert.deepEqual(await numbers(store, { parameter: "toString" }), []);
  });

  test("a ledger keeps nothing of what it was given, nor gives what it keeps", async (store) => {
    const list = [1];
    const [entry, next] = change("a", 0, { changes: { list } });
    const result = await store.decide(entry, next);
    list.push(2);
    const given = [
      (result as { entry: LedgerEntry }).entry.decision.values,
      (await store.ledger({}))[0].proposal.changes,
      (await store.snapshot("test")).values,
    ];
    for (const values of given) {
      assert.deepEqual(values, { list: [1] });
      (values.list as number[]).push(3);
    }
    assert.deepEqual((await store.ledger({}))[0].proposal.changes, { list: [1] });
    assert.deepEqual((await store.snapshot("test")).values, { list: [1] });
  });

  test("hostile names come back unchanged and keep apart", async (store) => {
    for (const [i, text] of HOSTILE.entries()) {
      const changes = JSON.parse(`{${JSON.stringify(text)}: ${JSON.stringify(text)}}`);
      const one = change(text, 0, { workflow: text, changes, reason: text });
      assert.deepEqual(await store.decide(...one), {
        entry: { ...one[0], number: i + 1 },
        repeated: false,
      });
      assert.deepEqual(await store.snapshot(text), one[1].snapshot);
      for (const query of [{ workflow: text }, { parameter: text }, { proposal: text }]) {
        assert.deepEqual(await store.ledger(query), [{ ...one[0], number: i + 1 }]);
      }
    }
  });

  test("the ledger is listed newest first, by any of its filters", async (store) => {
    await store.decide(...change("a", 0, { changes: { batch: 1, size: 2 }, at: T0 + 30n }));
    await store.decide(...refusal("b", 1, { changes: { size: 3 }, at: T0 + 10n }));
    await store.decide(...change("c", 0, { workflow: "other", changes: { size: 4 }, at: 7n }));
    await store.decide(...change("d", 1, { at: 2n ** 63n }));
    assert.deepEqual(await numbers(store, {}), [4, 3, 2, 1]);
    assert.deepEqual(await numbers(store, { workflow: "test" }), [4, 2, 1]);
    assert.deepEqual(await numbers(store, { parameter: "size" }), [3, 2, 1]);
    assert.deepEqual(await numbers(store, { parameter: "batch" }), [4, 1]);
    assert.deepEqual(await numbers(store, { workflow: "test", parameter: "size" }), [2, 1]);
    assert.deepEqual(await numbers(store, { number: 2 }), [2]);
    assert.deepEqual(await numbers(store, { number: 9 }), []);
    assert.deepEqual(await numbers(store, { proposal: "c" }), [3]);
    assert.deepEqual(await numbers(store, { proposal: "c", workflow: "test" }), []);
    assert.deepEqual(await numbers(store, { outcome: "refused" }), [2]);
    assert.deepEqual(await numbers(store, { outcome: "held" }), []);
    assert.deepEqual(await numbers(store, { since: T0 + 10n }), [4, 2, 1]);
    assert.deepEqual(await numbers(store, { since: T0 + 11n }), [4, 1]);
    assert.deepEqual(await numbers(store, { since: -1n }), [4, 3, 2, 1]);
    assert.deepEqual(await numbers(store, { since: 2n ** 63n }), [4]);
    assert.deepEqual(await numbers(store, { since: 2n ** 64n }), []);
    assert.deepEqual(await numbers(store, { limit: 2 }), [4, 3]);
    assert.deepEqual(await numbers(store, { limit: 1, parameter: "size", since: T0 }), [2]);
    assert.deepEqual(await numbers(store, { limit: 0 }), []);
  });

  test("no limit lists a hundred", async (store) => {
    for (let i = 0; i < 103; i++) await store.decide(...change(`p${i}`, i));
    const all = await numbers(store, {});
    assert.equal(all.length, 100);
    assert.equal(all[0], 103);
    assert.equal((await store.snapshot("test")).version, 103);
    assert.equal((await store.snapshot("test", 51))!.values.batch, 50);
  });

  /** Decides on so many changes of another parameter, which leave no room among the last hundred; gives their number. */
  const crowd = async (
    store: Store,
    version: number,
    at: bigint,
    many = 100,
    experiment?: Experiment,
  ) => {
    for (let i = 0; i < many; i++) {
      const more = { changes: { other: i }, at };
      const [entry, { expected, snapshot }] = change(`crowd ${version + i}`, version + i, more);
      await store.decide(entry, {
        expected,
        snapshot: { ...snapshot, ...experiment && { experiment } },
      });
    }
    return version + many;
  };

  test("prune deletes what is old and rests on nothing, refused or once applied", async (store) => {
    await store.decide(...refusal("no", 0));
    await store.decide(...change("a", 0));
    await store.decide(...change("b", 1));
    const version = await crowd(store, 2, T0 + 10n);
    assert.equal((await store.prune(T0)).changes, 0, "as old as that is nothing");
    const before = await store.version();
    assert.deepEqual(await store.prune(T0 + 1n), { runs: 0, receivedSpans: 0, changes: 2 });
    assert.notEqual(await store.version(), before);
    assert.deepEqual((await numbers(store, { limit: 200 })).slice(-2), [4, 3]);
    assert.deepEqual(
      await numbers(store, { parameter: "batch" }),
      [3],
      "the last of its parameter",
    );
    assert.equal(await store.snapshot("test", 1), undefined);
    assert.equal((await store.snapshot("test", 2))!.values.batch, 1);
    assert.equal((await store.snapshot("test")).version, version);
    // What was deleted is not known any more, and its number is not given again.
    const next = await store.decide(...refusal("no", version, { at: T0 + 20n }));
    assert.ok("entry" in next && next.entry.number === version + 2);
  });

  test("prune leaves the last hundred of each workflow that were not refused, however old", async (store) => {
    for (let i = 0; i < 5; i++) await store.decide(...refusal(`no ${i}`, 0));
    await crowd(store, 0, T0, 103);
    await store.decide(...change("elsewhere", 0, { workflow: "other", changes: { other: 1 } }));
    assert.equal((await store.prune(2n ** 62n)).changes, 8);
    assert.equal((await store.ledger({ workflow: "test", limit: 200 })).length, 100);
    assert.equal((await store.ledger({ workflow: "other" })).length, 1);
    assert.equal((await store.prune(2n ** 62n)).changes, 0);
  });

  test("prune leaves what waits for an answer", async (store) => {
    const made = async (
      id: string,
      outcome: LedgerEntry["decision"]["outcome"],
      version: number,
      more: Partial<LedgerEntry> = {},
    ) => {
      const [entry, { expected }] = refusal(id, version);
      const decided = await store.decide(
        { ...entry, decision: { ...entry.decision, outcome, values: { batch: 9 } }, ...more },
        { expected },
      );
      assert.ok("entry" in decided);
      return decided.entry.number;
    };
    const held = await made("held", "held", 0);
    const waiting = await made("waiting", "waiting", 0);
    const answered = await made("answered", "held", 0);
    await made("answer/3", "refused", 0, { answers: answered });
    const tried = await made("tried", "testing", 0);
    const verdict: Verdict = {
      outcome: "regressed",
      action: "rolled_back",
      ended: "interval",
      confidence: 0.95,
      pairs: 9,
      guards: [],
    };
    await made("verdict/tried", "ended", 0, { answers: tried, verdict });
    await crowd(store, 0, T0 + 10n);
    assert.equal((await store.prune(T0 + 1n)).changes, 4);
    const left = (await numbers(store, { limit: 200 })).filter((number) => number < 7);
    assert.deepEqual(left, [waiting, held]);
  });

  test("prune leaves the experiment that is open, not one that ended without a verdict", async (store) => {
    const [entry, { expected, snapshot }] = change("tried", 0);
    const testing = { ...entry, decision: { ...entry.decision, outcome: "testing" as const } };
    const experiment: Experiment = {
      id: "tried",
      values: { batch: 0 },
      incumbent: { batch: null },
      exposure: 0.5,
      since: T0,
    };
    await store.decide(testing, { expected, snapshot: { ...snapshot, values: {}, experiment } });
    const version = await crowd(store, 1, T0 + 10n, 100, experiment);
    assert.equal((await store.prune(T0 + 1n)).changes, 0);
    assert.deepEqual(await numbers(store, { outcome: "testing" }), [1]);
    await crowd(store, version, T0 + 10n, 1);
    assert.equal((await store.prune(T0)).changes, 0, "as old as that it is not");
    assert.equal((await store.prune(T0 + 1n)).changes, 1);
    assert.deepEqual(await numbers(store, { outcome: "testing" }), []);
    assert.equal(await store.snapshot("test", 1), undefined);
  });

  test("an entry, what it answers and what answers it stay or go together", async (store) => {
    const [held, none] = refusal("held", 0);
    const decision = { ...held.decision, outcome: "held" as const };
    await store.decide({ ...held, decision }, none);
    await store.decide({ ...held, decision, proposal: { ...held.proposal, id: "other" } }, none);
    const [accepted, made] = change("answer/1", 0);
    await store.decide({ ...accepted, answers: 1 }, made);
    const [late] = refusal("answer/2", 1, { at: T0 + 5n });
    await store.decide({ ...late, answers: 2 }, { expected: 1 });
    await crowd(store, 1, T0 + 10n);
    const left = async () =>
      (await numbers(store, { limit: 1_000 })).filter((number) => number < 5).toReversed();
    assert.equal((await store.prune(T0 + 1n)).changes, 0);
    assert.deepEqual(await left(), [1, 2, 3, 4]);
    // A later change of the parameter that was accepted.
    await store.decide(...change("batch", 101, { at: T0 + 10n }));
    await crowd(store, 102, T0 + 10n);
    assert.equal((await store.prune(T0 + 1n)).changes, 2);
    assert.deepEqual(await left(), [2, 4]);
    await store.prune(T0 + 6n);
    assert.deepEqual(await left(), []);
  });

  test("a version stays as long as a run that began with it (P3)", async (store) => {
    await store.decide(...change("a", 0));
    await store.decide(...change("b", 1));
    await crowd(store, 2, T0 + 10n);
    await store.commit([newRun("a", { snapshot: 1, createdAt: T0 + 5n })], new Map([["a", 1]]));
    const first = await store.snapshot("test", 1);
    assert.equal((await store.prune(T0 + 1n)).changes, 1);
    assert.deepEqual(await store.snapshot("test", 1), first);
    await store.commit([status("a", "succeeded")], new Map([["a", 1]]));
    assert.deepEqual(await store.prune(T0 + 6n), { runs: 1, receivedSpans: 0, changes: 0 });
    assert.equal(await store.snapshot("test", 1), undefined);
  });

  test("decide changes the version, so that others see it", async (store) => {
    const before = await store.version();
    await store.decide(...change("a", 0));
    const after = await store.version();
    assert.notEqual(after, before);
    await store.snapshot("test");
    await store.ledger({});
    assert.equal(await store.version(), after);
  });

  test("a closed store decides nothing", async (store) => {
    await store.close();
    for (
      const call of [
        () => store.decide(...change("a", 0)),
        () => store.snapshot("test"),
        () => store.ledger({}),
      ]
    ) await assert.rejects(call(), { code: "store.unavailable" });
  });
}
