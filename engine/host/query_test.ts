import assert from "node:assert/strict";
import {
  emitted,
  end,
  first,
  HERE,
  newRun,
  nobody,
  start,
  status,
  T0,
} from "../../tests/contract/store_entries.ts";
import type { PluginSpan, SpanQuery } from "../core/plugin.ts";
import { seeded } from "../core/seeded_test.ts";
import type { EmittedQuery, Store } from "../core/store.ts";
import { openStore } from "../store/open.ts";
import { type Asker, QueryError, querySpans } from "./query.ts";
import type { Sees } from "./sees.ts";

const SECOND = 1_000_000_000n;
const ALL: Sees = { plugin: "p", see: ["*"], workflows: [], external: false };
const LATER = T0 + 1_000_000n * SECOND;

interface Attempt {
  readonly step: string;
  readonly name: string;
  /** Seconds after T0. */
  readonly ended: number;
}

async function onMemory(test: (store: Store) => Promise<void>): Promise<void> {
  const store = await openStore("memory:", { durability: "normal" });
  try {
    await test(store);
  } finally {
    await store.close();
  }
}

let spans = 0;

// A run with attempts; it ends with the last of them, unless it is still under way.
async function run(
  store: Store,
  runId: string,
  attempts: readonly Attempt[],
  options: { workflow?: string; created?: number; open?: boolean } = {},
): Promise<void> {
  const { workflow = "orders", created = 0, open = false } = options;
  const last = Math.max(created, ...attempts.map((one) => one.ended));
  await store.commit([
    newRun(runId, { workflow, createdAt: T0 + BigInt(created) * SECOND }),
    ...attempts.flatMap(({ step, name, ended }) => {
      const spanId = (++spans).toString(16).padStart(16, "0");
      const begun = start(runId, step);
      const endTime = T0 + BigInt(ended) * SECOND;
      return [
        { ...begun, inputs: "private", span: { ...begun.span, spanId, name } },
        end(runId, step, {
          spanId,
          end: { endTime, error: false, attributes: { ended } },
          outputs: "private",
        }),
      ];
    }),
    ...open ? [] : [status(runId, "succeeded", T0 + BigInt(last) * SECOND)],
  ], first(runId));
}

const ends = (found: readonly PluginSpan[]) => found.map(({ attributes }) => attributes.ended);

function ask(
  store: Store,
  query: unknown = {},
  asker: Partial<Asker> = {},
): Promise<readonly PluginSpan[]> {
  return querySpans(store, query, { sees: ALL, workflow: "orders", at: LATER, ...asker });
}

Deno.test("a query gives spans of ended runs, the last to end first, whatever order the runs have", () =>
  onMemory(async (store) => {
    await run(store, "a", [{ step: "x", name: "load", ended: 50 }, {
      step: "y",
      name: "load",
      ended: 3,
    }]);
    await run(store, "b", [{ step: "x", name: "load", ended: 20 }], { created: 10 });
    await run(store, "c", [{ step: "x", name: "load", ended: 60 }], { created: 30, open: true });
    await run(store, "d", [{ step: "x", name: "load", ended: 70 }], { workflow: "other" });
    const found = await ask(store);
    assert.deepEqual(ends(found), [50, 20, 3]);
    const { runId, workflow, stepId, role, outcome, external } = found[1];
    assert.deepEqual([runId, workflow, stepId, role], ["b", "orders", "x", "attempt"]);
    assert.deepEqual([outcome, external], ["succeeded", false]);
    assert.ok(!JSON.stringify(found).includes("private"), "no inputs, no outputs (T1)");
  }));

Deno.test("a query narrows by step, name, role, time and limit", () =>
  onMemory(async (store) => {
    await run(store, "a", [
      { step: "x", name: "load", ended: 1 },
      { step: "y", name: "check", ended: 2 },
      { step: "x", name: "check", ended: 3 },
    ]);
    const seconds = Number(T0 / SECOND);
    const cases: [SpanQuery, number[]][] = [
      [{ stepId: "x" }, [3, 1]],
      [{ name: "check" }, [3, 2]],
      [{ name: "ch*" }, []],
      [{ stepId: "x", name: "check" }, [3]],
      [{ role: "attempt" }, [3, 2, 1]],
      [{ role: "run" }, []],
      [{ since: seconds + 2 }, [3, 2]],
      [{ since: seconds + 4 }, []],
      [{ limit: 2 }, [3, 2]],
      [{ workflow: "orders", limit: 1 }, [3]],
    ];
    for (const [query, expected] of cases) {
      assert.deepEqual(ends(await ask(store, query)), expected, JSON.stringify(query));
    }
  }));

Deno.test("a query for a plugin gives what it emitted, the newest first, up to the event (T4)", () =>
  onMemory(async (store) => {
    const taken = await store.acquire("plugins", {
      holder: HERE,
      now: T0,
      expiresAt: T0 + 3_600n * SECOND,
      isDead: nobody,
    });
    assert.ok("acquired" in taken);
    const at = (seconds: number, more = {}) => ({ time: T0 + BigInt(seconds) * SECOND, ...more });
    const spans = [
      emitted(1, at(1)),
      emitted(2, at(2, { stepId: "y" })),
      emitted(3, at(3, { name: "other" })),
      emitted(4, at(4, { plugin: "p" })),
      emitted(5, at(5, { workflow: "elsewhere" })),
      emitted(6, at(6)),
    ];
    await store.react(taken.acquired, { spans, items: {}, at: T0 });
    const found = async (query: SpanQuery, asker: Partial<Asker> = {}) =>
      (await ask(store, { plugin: "slow_step", ...query }, { workflow: "test", ...asker }))
        .map(({ spanId }) => Number(`0x${spanId.slice(1)}`));
    assert.deepEqual(await found({}), [6, 3, 2, 1]);
    assert.deepEqual(await found({ name: "other" }), [3]);
    assert.deepEqual(await found({ stepId: "y" }), [2]);
    assert.deepEqual(await found({ limit: 1 }), [6]);
    assert.deepEqual(await found({ since: Number(T0 / SECOND) + 3 }), [6, 3]);
    assert.deepEqual(await found({}, { at: T0 + 2n * SECOND }), [2, 1]);
    assert.deepEqual(await found({}, { sees: { ...ALL, see: ["slow_*"] } }), [6, 2, 1]);
    await assert.rejects(found({ role: "run" }), /what a `plugin` emitted has no `role`/);
    const sees: Sees = { ...ALL, workflow: "orders" };
    await assert.rejects(found({}, { sees }), /Cannot query spans of test/);
  }));

Deno.test("a plugin finds only what it may see", () =>
  onMemory(async (store) => {
    await run(store, "a", [
      { step: "x", name: "orders.load", ended: 1 },
      { step: "x", name: "secret", ended: 2 },
    ]);
    await run(store, "b", [{ step: "x", name: "orders.load", ended: 3 }], { workflow: "other" });
    const sees: Sees = { ...ALL, workflow: "orders", see: ["orders.*"] };
    assert.deepEqual(ends(await ask(store, {}, { sees })), [1]);
    assert.deepEqual(await ask(store, { name: "secret" }, { sees }), []);
    await assert.rejects(
      ask(store, { workflow: "other" }, { sees }),
      /Cannot query spans of other: the plugin was not granted/,
    );
    const wide = { ...sees, workflows: ["oth*"] };
    assert.deepEqual(ends(await ask(store, { workflow: "other" }, { sees: wide })), [3]);
    await assert.rejects(ask(store, {}, { workflow: undefined }), /give the query a `workflow`/);
  }));

Deno.test("a query of an event sees no run that ended after it, so that a replay finds the same (T4)", () =>
  onMemory(async (store) => {
    await run(store, "a", [{ step: "x", name: "load", ended: 10 }]);
    await run(store, "b", [{ step: "x", name: "load", ended: 20 }]);
    const at = (seconds: bigint) => ask(store, {}, { at: T0 + seconds * SECOND });
    const told = Number(T0 + 10n * SECOND) / 1e9;
    assert.deepEqual(ends(await at(9n)), []);
    assert.deepEqual(ends(await at(10n)), [10], "the run whose end is the event");
    assert.deepEqual(ends(await ask(store, {}, { at: BigInt(Math.floor(told * 1e9)) })), [10]);
    assert.deepEqual(ends(await at(19n)), [10]);
  }));

Deno.test("queries read at most 200 runs and 200,000 records, and no more than they need", () =>
  onMemory(async (store) => {
    for (let i = 0; i < 210; i++) {
      await run(store, `run-${i}`, [{ step: "x", name: "load", ended: i }], { created: i });
    }
    let reads = 0;
    const counting = {
      emitted: (query: EmittedQuery) => store.emitted(query),
      runs: (query: Parameters<Store["runs"]>[0]) => store.runs(query),
      read: (runId: string) => {
        reads++;
        return store.read(runId);
      },
    };
    const counted = async (query: SpanQuery) => {
      reads = 0;
      const asker = { sees: ALL, workflow: "orders", at: LATER };
      return [(await querySpans(counting, query, asker)).length, reads];
    };
    assert.deepEqual(await counted({ limit: 1_000 }), [200, 200]);
    assert.deepEqual(await counted({ name: "none" }), [0, 200]);
    assert.deepEqual(await counted({ limit: 3 }), [3, 3]);

    const endless = {
      emitted: counting.emitted,
      runs: counting.runs,
      async *read(runId: string) {
        reads++;
        const record = (await Array.fromAsync(store.read(runId)))[0];
        for (;;) yield record;
      },
    };
    reads = 0;
    const asker = { sees: ALL, workflow: "orders", at: LATER };
    assert.deepEqual(await querySpans(endless, {}, asker), []);
    assert.equal(reads, 1);
  }));

Deno.test("a query that does not hold is refused with what is wrong", () =>
  onMemory(async (store) => {
    const cases: [unknown, RegExp][] = [
      [null, /the query must be an object/],
      [[], /the query must be an object/],
      ["x", /the query must be an object/],
      [{ step: "x" }, /by `step`: there is workflow, stepId,/],
      [JSON.parse('{"__proto__":{}}'), /by `__proto__`/],
      [{ limit: 0 }, /`limit` must be a whole number from 1 to 1000/],
      [{ limit: 1_001 }, /`limit` must be/],
      [{ limit: 1.5 }, /`limit` must be/],
      [{ limit: NaN }, /`limit` must be/],
      [{ limit: "1" }, /`limit` must be/],
      [{ since: Infinity }, /`since` must be seconds/],
      [{ role: "plugin" }, /`role` must be one of run, step/],
      [{ name: 5 }, /`name` must be a text of at most 256/],
      [{ workflow: "x".repeat(257) }, /`workflow` must be a text/],
      [{ stepId: null }, /`stepId` must be a text/],
    ];
    for (const [query, message] of cases) {
      await assert.rejects(ask(store, query), (error) => {
        assert.ok(error instanceof QueryError && error.code === "plugin.query");
        assert.match(error.message, message);
        return true;
      });
    }
  }));

Deno.test("queries agree with sorting all spans of all ended runs", () =>
  onMemory(async (store) => {
    const random = seeded("query");
    const all: { step: string; name: string; ended: number }[] = [];
    for (let i = 0; i < 40; i++) {
      const created = random.below(500);
      const attempts = Array.from({ length: random.below(6) }, () => ({
        step: random.pick(["x", "y"]),
        name: random.pick(["load", "check"]),
        ended: created + random.below(500),
      }));
      const open = random.below(4) === 0;
      await run(store, `run-${i}`, attempts, { created, open });
      if (!open) all.push(...attempts);
    }
    for (let round = 0; round < 100; round++) {
      const limit = 1 + random.below(30);
      const stepId = random.below(2) === 0 ? random.pick(["x", "y"]) : undefined;
      const name = random.below(2) === 0 ? random.pick(["load", "check"]) : undefined;
      const since = random.below(2) === 0 ? random.below(1_000) : undefined;
      const query = {
        limit,
        stepId,
        name,
        since: since === undefined ? undefined : Number(T0 / SECOND) + since,
      };
      const expected = all
        .filter((one) => (stepId ?? one.step) === one.step && (name ?? one.name) === one.name)
        .filter((one) => one.ended >= (since ?? 0))
        .map((one) => one.ended).sort((a, b) => b - a).slice(0, limit);
      assert.deepEqual(ends(await ask(store, query)), expected, `seed ${random.seed}`);
    }
  }));
