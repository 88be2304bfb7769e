import assert from "node:assert/strict";
import type { RunHeader, Store } from "../../engine/core/store.ts";
import {
  end,
  first,
  HERE,
  journal,
  newRun,
  nobody,
  start,
  status,
  T0,
  THERE,
} from "./store_entries.ts";

const SECOND = 1_000_000_000n;
const AGING = 600n * SECOND;

// NUL, lone surrogates of both kinds, controls, the mark of escaped columns, what SQL and JSON care about.
const HOSTILE = [
  "",
  "a\0b",
  "\0",
  "\ud800",
  "x\udfffy",
  '\u0001"escaped"',
  "😀👩‍👩‍👧 é",
  "e\u0301",
  "'; DROP TABLE runs; --",
  '{"spilled":{"file":"../../x"}}',
  "\r\n\t\u2028",
  "__proto__",
];

/** What every driver must keep; `open` gives a new, empty store. */
export function storeContract(driver: string, open: () => Promise<Store>): void {
  const test = (name: string, body: (store: Store) => Promise<void>) =>
    Deno.test(`${driver}: ${name}`, async () => {
      const store = await open();
      try {
        await body(store);
      } finally {
        await store.close();
      }
    });

  /** Takes a run over from whoever holds it. */
  const takeOver = (store: Store, runId: string) =>
    store.acquire(`run:${runId}`, {
      holder: THERE,
      now: T0,
      expiresAt: T0 + SECOND,
      isDead: () => true,
    });

  test("commit gives growing positions in the order of its entries (J4)", async (store) => {
    const one = await store.commit(
      [newRun("a"), start("a", "x"), newRun("b"), start("b", "y"), end("a", "x")],
      new Map(),
    );
    assert.deepEqual(one.records.map(({ runId, type }) => runId + type), [
      "astart",
      "bstart",
      "aend",
    ]);
    const two = await store.commit([end("b", "y"), start("a", "z")], first("a", "b"));
    const all = [...one.records, ...two.records];
    for (let i = 1; i < all.length; i++) assert(all[i].position > all[i - 1].position);
    assert.deepEqual(await store.since(0, 100), all);
    assert.deepEqual(await store.since(all[1].position, 2), all.slice(2, 4));
    assert.deepEqual(await store.since(all.at(-1)!.position, 10), []);
    assert.deepEqual(await journal(store, "a"), all.filter(({ runId }) => runId === "a"));
    assert.deepEqual(await journal(store, "nobody"), []);
  });

  test("entries come back as they were, nanoseconds exact", async (store) => {
    const full = start("a", "load[0,20)", {
      attempt: 2,
      range: { from: 0, to: 20 },
      inputs: { list: [1, null, "x", { deep: true }], text: "é" },
      span: {
        traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
        spanId: "00f067aa0ba902b7",
        parentSpanId: "1112131415161718",
        traceState: "a=b",
        name: "orders.load",
        kind: "producer",
        startTime: 9_007_199_254_740_993n,
        attributes: { a: [1, 2], b: [true], c: "x", d: 0.1 },
        links: [{ traceId: "1".repeat(32), spanId: "2".repeat(16), attributes: { why: "x" } }],
      },
    });
    const ended = end("a", "load[0,20)", {
      outcome: "failed",
      end: { endTime: 2n ** 63n - 1n, error: true, message: "no", attributes: { z: 1 } },
      outputs: { spilled: { file: "x", sha256: "y", bytes: 1 }, n: null },
      failure: { code: "shell.exit", message: "1", errorClass: "error" },
      items: { processed: 19, failed: 1 },
      tail: "last\nline",
      retryAt: T0 + 123n,
    });
    await store.commit([newRun("a"), full, ended], new Map());
    const [one, two] = await journal(store, "a");
    assert.deepEqual(one, { ...full, position: one.position });
    assert.deepEqual(two, { ...ended, position: two.position });
  });

  test("a store changes nothing in what it was given, and keeps nothing of it", async (store) => {
    const inputs = { list: [1] };
    await store.commit([newRun("a"), start("a", "x", { inputs })], new Map());
    inputs.list.push(2);
    const [record] = await journal(store, "a");
    assert.deepEqual((record as { inputs?: unknown }).inputs, { list: [1] });
  });

  test("hostile text comes back unchanged and keeps apart", async (store) => {
    for (const [i, text] of HOSTILE.entries()) {
      const run = newRun(`r${i}`, {
        workflow: text,
        group: text,
        trigger: text,
        params: JSON.parse(`{"__proto__": ${JSON.stringify(text)}}`),
      });
      const entries = [
        { ...run, text } as typeof run,
        start(`r${i}`, text, { inputs: { [text]: text } }),
        end(`r${i}`, text, { outputs: { [text]: text }, tail: text }),
      ];
      assert.deepEqual((await store.commit(entries, new Map())).duplicates, []);
      const [one, two] = await journal(store, `r${i}`);
      assert.deepEqual(one, { ...entries[1], position: one.position });
      assert.deepEqual(two, { ...entries[2], position: two.position });
      assert.equal(await store.definition(`hash-r${i}`), text);
      assert.deepEqual((await store.runs({ workflow: text })).map((one) => one.workflow), [text]);
      assert.deepEqual((await store.runs({ group: text })).map((one) => one.runId), [`r${i}`]);
      assert(Object.hasOwn((await store.run(`r${i}`))!.params, "__proto__"));

      assert.equal(await store.setItem(text, text), true);
      assert.equal(await store.getItem(text), text);
      assert.equal(await store.register(`name ${text}`, text), undefined);
      assert.equal(await store.register(`name ${text}`, "other"), text);
      assert.equal(await store.signal(`r${i}`, text, { text }, T0), true);
      const [signal] = await store.signals([`r${i}`], 0);
      assert.deepEqual([signal.name, signal.payload], [text, { text }]);
      const request = { holder: HERE, now: T0, expiresAt: T0 + 1n, isDead: nobody };
      assert.deepEqual(await store.acquire(text, request), { acquired: { name: text, fence: 1 } });
    }
    assert.equal(await store.run("r1\0"), undefined);
  });

  test("a key of a megabyte is kept", async (store) => {
    const key = "é\0".repeat(250_000);
    await store.commit([newRun("a"), start("a", key), end("a", key)], new Map());
    assert.deepEqual((await journal(store, "a")).map((record) => record.key === key), [true, true]);
    await store.setItem(key, key);
    assert(await store.getItem(key) === key);
  });

  test("values nested 1,500 levels deep are kept, and pruned", async (store) => {
    const deep = JSON.parse("[".repeat(1500) + "]".repeat(1500));
    const outputs = { deep, large: "x".repeat(70_000) };
    await store.commit(
      [newRun("a", { params: { deep } }), end("a", "x", { outputs }), newRun("b")],
      new Map(),
    );
    assert.equal(JSON.stringify((await store.run("a"))!.params), JSON.stringify({ deep }));
    await store.commit([status("b", "succeeded")], first("b"));
    assert.equal((await store.prune(2n ** 62n)).runs, 1);
    const [record] = await journal(store, "a");
    assert("outputs" in record && JSON.stringify(record.outputs) === JSON.stringify(outputs));
    await store.commit([status("a", "succeeded")], first("a"));
    assert.equal((await store.prune(2n ** 62n)).runs, 1);
  });

  test("a run id that is no name for a folder is refused", async (store) => {
    for (const runId of ["", "../../etc", "a/b", "a\0", "é", "x".repeat(129), "a b", "."]) {
      await assert.rejects(store.commit([newRun(runId)], new Map()), { code: "store.invalid" });
    }
    assert.deepEqual(await store.runs({}), []);
  });

  test("runs that another process took over are lost, the others are written (R7)", async (store) => {
    await store.commit([newRun("a"), newRun("b")], new Map());
    assert.deepEqual(await takeOver(store, "a"), { acquired: { name: "run:a", fence: 2 } });
    const commit = await store.commit(
      [start("a", "x"), start("b", "x"), status("a", "failed"), start("none", "x")],
      first("a", "b", "none"),
    );
    assert.deepEqual(commit.lost, ["a", "none"]);
    assert.deepEqual(commit.records.map(({ runId }) => runId), ["b"]);
    assert.deepEqual(await journal(store, "a"), []);
    assert.equal((await store.run("a"))!.status, "running");
    const again = await store.commit([start("a", "x")], new Map([["a", 2]]));
    assert.deepEqual([again.lost, again.records.length], [[], 1]);
    assert.deepEqual((await store.commit([start("b", "y")], new Map())).lost, ["b"]);
  });

  test("a lapsed lease that nobody took still writes; a released one does not (R7)", async (store) => {
    await store.commit([newRun("a")], new Map());
    await store.renew([{ name: "run:a", fence: 1 }], 1n);
    assert.deepEqual((await store.commit([start("a", "x")], first("a"))).lost, []);
    await store.release([{ name: "run:a", fence: 1 }]);
    assert.deepEqual((await store.commit([start("a", "y")], first("a"))).lost, ["a"]);
    assert.equal((await store.run("a"))!.lease!.holder, undefined);
  });

  test("a final status releases the lease, and no old fence becomes valid again (R7)", async (store) => {
    await store.commit([newRun("a")], new Map());
    await takeOver(store, "a");
    const ended = [end("a", "run"), status("a", "succeeded"), start("a", "late")];
    const commit = await store.commit(ended, new Map([["a", 2]]));
    assert.equal(commit.records.length, 2, "the fence is checked once in a commit");
    const run = (await store.run("a"))!;
    assert.deepEqual([run.status, run.endedAt, run.lease], ["succeeded", T0 + 11n, undefined]);
    assert.deepEqual((await store.commit([start("a", "x")], new Map([["a", 2]]))).lost, ["a"]);
    assert.deepEqual(await takeOver(store, "a"), { acquired: { name: "run:a", fence: 3 } });
    for (const fence of [1, 2]) {
      assert.deepEqual((await store.commit([start("a", "x")], new Map([["a", fence]]))).lost, [
        "a",
      ]);
    }
  });

  test("a run is created once; its lease begins at fence 1", async (store) => {
    const entry = newRun("a", { group: "g", parent: { runId: "p", key: "k", depth: 1 } });
    assert(entry.type === "run");
    await store.commit([entry], new Map());
    assert.deepEqual(await store.run("a"), {
      ...entry.header,
      status: "running",
      startedAt: T0,
      lease: { name: "run:a", fence: 1, holder: HERE, expiresAt: T0 + 60n * SECOND },
    });
    assert.equal(await store.definition("hash-a"), "name: test # a");
    assert.equal(await store.definition("hash-b"), undefined);
    assert.equal(await store.run("b"), undefined);
    const again = await store.commit([newRun("a", { workflow: "other" })], first("a"));
    assert.deepEqual(again, { records: [], lost: ["a"], duplicates: [] });
    assert.equal((await store.run("a"))!.workflow, "test");
  });

  test("a run keeps its part in an experiment, and that it was ordered", async (store) => {
    const trials: RunHeader["trial"][] = [
      { experiment: "tuner@w/412/0", index: 0 },
      { experiment: HOSTILE[5], index: 7, arm: "candidate", pair: 2 },
      undefined,
    ];
    for (const [i, trial] of trials.entries()) {
      await store.commit([newRun(`r${i}`, trial && { trial, ordered: true })], new Map());
      const run = (await store.run(`r${i}`))!;
      assert.deepEqual(run.trial, trial);
      assert.equal(run.ordered, trial === undefined ? undefined : true);
    }
    const listed = await store.runs({ workflow: "test" });
    assert.deepEqual(
      listed.toSorted((a, b) => a.runId < b.runId ? -1 : 1).map(({ trial }) => trial),
      trials,
    );
  });

  test("a trigger's event starts one run (R9)", async (store) => {
    const trigger = "w/cron/1";
    const one = await store.commit(
      [
        newRun("a", { trigger }),
        start("a", "x"),
        newRun("b", { trigger }),
        start("b", "x"),
        newRun("c", { trigger: "w/cron/2" }),
      ],
      new Map(),
    );
    assert.deepEqual([one.duplicates, one.lost], [["b"], []]);
    assert.deepEqual(one.records.map(({ runId }) => runId), ["a"]);
    const two = await store.commit([newRun("d", { trigger }), start("d", "x")], first("d"));
    assert.deepEqual([two.duplicates, two.records], [["d"], []]);
    assert.deepEqual((await store.runs({})).map(({ runId }) => runId), ["c", "a"]);
    assert.deepEqual((await store.commit([start("d", "x")], first("d"))).lost, ["d"]);
  });

  test("acquire gives a lease that is free, lapsed or of a dead process, and its fence grows (R7)", async (store) => {
    const name = "schedules";
    const take = (holder: typeof HERE, now: bigint, isDead = nobody) =>
      store.acquire(name, { holder, now, expiresAt: now + SECOND, isDead });
    assert.deepEqual(await take(HERE, T0), { acquired: { name, fence: 1 } });
    const held = { held: { name, fence: 1, holder: HERE, expiresAt: T0 + SECOND } };
    assert.deepEqual(await take(THERE, T0), held);
    assert.deepEqual(await take(HERE, T0 + SECOND - 1n), held);
    assert.deepEqual(await take(THERE, T0 + SECOND), { acquired: { name, fence: 2 } });
    const dead = (holder: typeof HERE) => holder.pid === THERE.pid;
    assert.deepEqual(await take(HERE, T0 + SECOND, dead), { acquired: { name, fence: 3 } });

    assert.deepEqual(await store.renew([{ name, fence: 2 }, { name: "no", fence: 1 }], T0), [
      name,
      "no",
    ]);
    assert.deepEqual(await store.renew([{ name, fence: 3 }], T0 + 9n * SECOND), []);
    await store.release([{ name, fence: 2 }]);
    assert("held" in await take(THERE, T0 + 8n * SECOND));
    await store.release([{ name, fence: 3 }]);
    assert.deepEqual(await store.renew([{ name, fence: 3 }], T0 + 99n * SECOND), [name]);
    assert.deepEqual(await take(THERE, T0), { acquired: { name, fence: 4 } });
  });

  test("an isDead that throws changes nothing", async (store) => {
    await store.commit([newRun("a")], new Map());
    const broken = new Error("no /proc");
    await assert.rejects(
      store.acquire("run:a", {
        holder: THERE,
        now: T0,
        expiresAt: T0,
        isDead: () => {
          throw broken;
        },
      }),
      broken,
    );
    assert.deepEqual((await store.commit([start("a", "x")], first("a"))).lost, []);
  });

  test("claim takes the most urgent of a group, then the oldest, one at a time (A1)", async (store) => {
    const group = "g";
    const queue = (runId: string, priority: number, createdAt: bigint) =>
      newRun(runId, { group, priority, createdAt }, "queued");
    await store.commit([
      queue("old", 1, T0),
      queue("b", 5, T0 + 2n),
      queue("a", 5, T0 + 2n),
      queue("urgent", 6, T0 + 3n),
      newRun("alone", {}, "queued"),
      newRun("other", { group: "h" }, "queued"),
    ], new Map());
    const at = (now: bigint) => ({ now, agingNs: AGING });
    const order: string[] = [];
    for (const _ of Array(4)) {
      const claims: string[] = [];
      for (const runId of ["old", "b", "a", "urgent"]) {
        if (await store.claim(runId, at(T0 + 5n))) claims.push(runId);
      }
      assert.equal(claims.length, 1, "nothing else of the group runs");
      order.push(...claims);
      await store.commit([status(claims[0], "succeeded")], first(claims[0]));
    }
    assert.deepEqual(order, ["urgent", "a", "b", "old"]);
    assert.equal(await store.claim("alone", at(T0 + 6n)), true);
    assert.equal(await store.claim("alone", at(T0 + 6n)), false);
    assert.equal(await store.claim("other", at(T0 + 6n)), true);
    assert.equal(await store.claim("old", at(T0 + 6n)), false);
    assert.equal(await store.claim("none", at(T0 + 6n)), false);
    const alone = (await store.run("alone"))!;
    assert.deepEqual([alone.status, alone.startedAt], ["running", T0 + 6n]);
  });

  test("a claim's priority is the queued run's from then on, whether it is first or not (A1)", async (store) => {
    const group = "g";
    await store.commit([
      newRun("low", { group, priority: 1 }, "queued"),
      newRun("high", { group, priority: 5 }, "queued"),
      newRun("running", { group, priority: 5 }, "running"),
    ], new Map());
    const request = { now: T0 + 1n, agingNs: AGING };
    assert.equal(await store.claim("low", { ...request, priority: 9 }), false);
    assert.equal((await store.run("low"))!.priority, 1, "what it was created with");
    await store.commit([status("running", "succeeded")], first("running"));
    assert.equal(await store.claim("high", request), false);
    assert.equal(await store.claim("low", request), true);
  });

  test("waiting raises a queued run one level for each agingNs (A1)", async (store) => {
    const lease = { expiresAt: T0 + 100n * AGING };
    await store.commit([
      { ...newRun("low", { group: "g", priority: 3 }, "queued"), ...lease } as ReturnType<
        typeof newRun
      >,
      { ...newRun("high", { group: "g", priority: 5, createdAt: T0 + AGING }, "queued"), ...lease },
    ] as ReturnType<typeof newRun>[], new Map());
    // At T0 + 2 AGING: low has 3 + 2, high has 5 + 1. One level more for low comes with neither alone.
    assert.equal(await store.claim("low", { now: T0 + 2n * AGING, agingNs: AGING }), false);
    assert.equal(await store.claim("low", { now: T0 + 2n * AGING, agingNs: AGING / 2n }), true);
  });

  test("claim passes over queued runs whose process is gone", async (store) => {
    const queue = (runId: string, n: bigint) =>
      newRun(runId, { group: "g", createdAt: T0 + n }, "queued");
    await store.commit(
      [queue("released", 0n), queue("lapsed", 1n), queue("dead", 2n), queue("last", 3n)],
      new Map(),
    );
    await store.release([{ name: "run:released", fence: 1 }]);
    await store.renew([{ name: "run:lapsed", fence: 1 }], T0 + 4n);
    await store.acquire("run:dead", {
      holder: THERE,
      now: T0 + 70n * SECOND,
      expiresAt: T0 + 90n * SECOND,
      isDead: nobody,
    });
    const request = { now: T0 + 4n, agingNs: AGING };
    assert.equal(await store.claim("last", request), false);
    const isDead = (holder: typeof HERE) => holder.host === "there";
    assert.equal(await store.claim("last", { ...request, isDead }), true);
  });

  test("signals reach unfinished runs, in order", async (store) => {
    await store.commit([newRun("a"), newRun("b", {}, "queued")], new Map());
    assert.equal(await store.signal("a", "cancel", { by: "me" }, T0), true);
    assert.equal(await store.signal("b", "cancel", {}, T0), true);
    assert.equal(await store.signal("none", "cancel", {}, T0), false);
    const all = await store.signals(["a", "b"], 0);
    assert.deepEqual(all.map(({ runId }) => runId), ["a", "b"]);
    assert(all[1].number > all[0].number);
    assert.deepEqual(all[0], {
      number: all[0].number,
      runId: "a",
      name: "cancel",
      payload: { by: "me" },
    });
    assert.deepEqual(await store.signals(["a", "b"], all[0].number), [all[1]]);
    assert.deepEqual(await store.signals(["b"], 0), [all[1]]);
    assert.deepEqual(await store.signals([], 0), []);
    await store.commit([status("a", "cancelled")], first("a"));
    assert.equal(await store.signal("a", "cancel", {}, T0), false);
  });

  test("version changes with each commit", async (store) => {
    const seen = [await store.version()];
    await store.commit([newRun("a")], new Map());
    seen.push(await store.version());
    await store.commit([start("a", "x")], first("a"));
    seen.push(await store.version());
    await store.signal("a", "cancel", {}, T0);
    seen.push(await store.version());
    assert.equal(new Set(seen).size, seen.length);
    await store.runs({});
    assert.equal(await store.version(), seen.at(-1));
  });

  test("a workflow's name belongs to one file (R1)", async (store) => {
    assert.equal(await store.register("w", "/a.yaml"), undefined);
    assert.equal(await store.register("w", "/a.yaml"), undefined);
    assert.equal(await store.register("w", "/b.yaml"), "/a.yaml");
    await store.reregister("w", "/b.yaml");
    assert.equal(await store.register("w", "/b.yaml"), undefined);
    assert.equal(await store.register("w", "/a.yaml"), "/b.yaml");
  });

  test("items are set under a lease that still holds", async (store) => {
    assert.equal(await store.getItem("tick"), undefined);
    assert.equal(await store.setItem("tick", "1"), true);
    const request = { holder: HERE, now: T0, expiresAt: T0 + SECOND, isDead: nobody };
    assert.deepEqual(await store.acquire("schedules", request), {
      acquired: { name: "schedules", fence: 1 },
    });
    assert.equal(await store.setItem("tick", "2", { name: "schedules", fence: 1 }), true);
    await store.acquire("schedules", { ...request, now: T0 + SECOND });
    assert.equal(await store.setItem("tick", "3", { name: "schedules", fence: 1 }), false);
    assert.equal(await store.getItem("tick"), "2");
  });

  test("runs are listed newest first, filtered", async (store) => {
    await store.commit([
      newRun("aa1", { workflow: "w", createdAt: T0 + 1n }),
      newRun("aa2", { workflow: "w", group: "g", createdAt: T0 + 3n }, "queued"),
      newRun("AA3", { workflow: "v", group: "g", createdAt: T0 + 3n }),
      newRun("a_4", { workflow: "v", createdAt: T0 }),
      status("AA3", "failed"),
    ], new Map());
    const ids = async (query: Parameters<Store["runs"]>[0]) =>
      (await store.runs(query)).map(({ runId }) => runId).join(" ");
    assert.equal(await ids({}), "aa2 AA3 aa1 a_4");
    assert.equal(await ids({ limit: 2 }), "aa2 AA3");
    assert.equal(await ids({ limit: 0 }), "");
    assert.equal(await ids({ workflow: "w" }), "aa2 aa1");
    assert.equal(await ids({ group: "g" }), "aa2 AA3");
    assert.equal(await ids({ prefix: "a" }), "aa2 aa1 a_4");
    assert.equal(await ids({ prefix: "aa" }), "aa2 aa1");
    assert.equal(await ids({ prefix: "a%" }), "");
    assert.equal(await ids({ prefix: "" }), "aa2 AA3 aa1 a_4");
    assert.equal(await ids({ before: T0 + 1n }), "a_4");
    assert.equal(await ids({ statuses: ["queued", "failed"] }), "aa2 AA3");
    assert.equal(await ids({ statuses: ["running"], workflow: "v" }), "a_4");
    assert.equal(await ids({ statuses: [] }), "");
    for (let i = 0; i < 101; i++) await store.commit([newRun(`n${i}`)], new Map());
    assert.equal((await store.runs({})).length, 100);
  });

  test("prune deletes ended runs and nothing that an unfinished one needs", async (store) => {
    const parent = { key: "k", depth: 1 };
    await store.commit([
      newRun("ended", { definition: "d1" }),
      start("ended", "x"),
      newRun("queued", { definition: "d2" }, "queued"),
      newRun("running", { rerun: { runId: "source", reuse: ["x"] } }),
      start("running", "x"),
      newRun("source", { rerun: { runId: "origin", reuse: ["x"] } }),
      newRun("origin"),
      newRun("child", { parent: { runId: "running", ...parent } }),
      newRun("grandchild", { parent: { runId: "child", ...parent } }),
      newRun("young", { createdAt: T0 + 100n }),
      ...["ended", "source", "origin", "child", "grandchild", "young"].map((runId) =>
        status(runId, "succeeded")
      ),
    ], new Map());
    await store.signal("running", "cancel", {}, T0);
    assert.equal((await store.prune(T0)).runs, 0);
    assert.equal((await store.prune(T0 + 100n)).runs, 2);
    assert.deepEqual(
      (await store.runs({})).map(({ runId }) => runId).sort(),
      ["child", "origin", "queued", "running", "source", "young"],
    );
    assert.deepEqual(await journal(store, "ended"), []);
    assert.equal((await journal(store, "running")).length, 1);
    assert.equal(await store.definition("d1"), undefined);
    assert.equal(await store.definition("d2"), "name: test # queued");
    assert.equal((await store.signals(["running"], 0)).length, 1);
    assert.deepEqual((await store.commit([start("running", "y")], first("running"))).lost, []);
    await store.commit([status("running", "failed")], first("running"));
    assert.equal((await store.prune(2n ** 62n)).runs, 5);
  });

  test("a position is not given again after prune (J4)", async (store) => {
    let last = 0;
    for (const runId of ["a", "b", "c"]) {
      const { records } = await store.commit(
        [newRun(runId), start(runId, "x"), end(runId, "x"), status(runId, "succeeded")],
        new Map(),
      );
      assert(records[0].position > last);
      last = records[1].position;
      assert.equal((await store.prune(2n ** 62n)).runs, 1);
      assert.deepEqual(await store.since(0, 10), []);
      assert.equal((await store.prune(2n ** 62n)).runs, 0);
    }
  });

  test("a run's journal is found among those of many, over many commits (J4)", async (store) => {
    const ids = ["a", "b", "c"];
    await store.commit(ids.map((runId) => newRun(runId)), new Map());
    const expected = new Map<string, number[]>(ids.map((runId) => [runId, []]));
    for (let i = 0; i < 600; i++) {
      // `c` is silent for hundreds of positions, then speaks again.
      const speakers = i % 250 === 0 ? ids : i < 300 ? ["a"] : ["b", "a"];
      const entries = speakers.map((runId) => start(runId, `${i}`));
      for (const { runId, position } of (await store.commit(entries, first(...ids))).records) {
        expected.get(runId)!.push(position);
      }
    }
    for (const runId of ids) {
      const positions = (await journal(store, runId)).map(({ position }) => position);
      assert.deepEqual(positions, expected.get(runId));
    }
    await store.commit([status("a", "succeeded")], first("a"));
    await store.prune(2n ** 62n);
    assert.deepEqual(await journal(store, "a"), []);
    assert.equal((await journal(store, "b")).length, expected.get("b")!.length);
    assert.equal((await store.since(0, 9999)).length, 3 + expected.get("b")!.length);
  });

  test("large outputs come back", async (store) => {
    const outputs = { text: "é".repeat(100_000), spilled: { file: "x" } };
    await store.commit([newRun("a"), end("a", "x", { outputs })], new Map());
    const [record] = await journal(store, "a");
    assert.deepEqual((record as { outputs?: unknown }).outputs, outputs);
    assert.deepEqual(await store.since(0, 1), [record]);
  });

  test("a closed store says so", async (store) => {
    await store.close();
    await assert.rejects(store.runs({}), { code: "store.unavailable" });
    await assert.rejects(store.commit([newRun("a")], new Map()), { code: "store.unavailable" });
    await store.close();
  });
}
