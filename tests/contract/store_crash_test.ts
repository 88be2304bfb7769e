import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { openStore } from "../../engine/store/open.ts";
import type { Lease, Store } from "../../engine/core/store.ts";
import {
  change,
  emitted,
  HERE,
  journal,
  newRun,
  nobody,
  seeded,
  start,
  T0,
} from "./store_entries.ts";

const SCRIPT = new URL("store_process.ts", import.meta.url).pathname;

function spawn(file: string, ...action: string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", SCRIPT, file, ...action],
    stdout: "piped",
  }).spawn();
}

async function inFolder(body: (file: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "store-" });
  try {
    await body(`${folder}/.spanloop/store.db`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Prints of a process that is killed after about so many lines; the last line may be cut. */
async function untilKilled(child: Deno.ChildProcess, enough: number): Promise<number[]> {
  let printed = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    printed += text;
    if (printed.split("\n").length > enough) break;
  }
  child.kill("SIGKILL");
  await child.status;
  return printed.split("\n").slice(0, -1).map(Number);
}

Deno.test("what was acknowledged is there after a kill -9, spilled outputs too (J1)", async () => {
  const random = seeded(7);
  for (let round = 0; round < 4; round++) {
    await inFolder(async (file) => {
      const enough = 100 + random(300);
      const acknowledged = await untilKilled(spawn(file, "write"), enough);
      const store = await openStore(`sqlite:${file}`, { durability: "full", create: false });
      const records = await journal(store, "a");
      const positions = records.map(({ position }) => position);
      assert(acknowledged.length >= enough - 1);
      assert.deepEqual(positions.slice(0, acknowledged.length), acknowledged);
      assert.equal(positions.length % 2, 0, "a commit is there whole or not at all");
      await store.close();
    });
  }
});

/** Asserts that each change made the version of its number, and counted up by one: none is half, none twice. */
async function assertCounted(store: Store, count: number): Promise<void> {
  const entries = (await store.ledger({ limit: 1e6 })).toReversed();
  assert.equal(entries.length, count);
  assert.equal(new Set(entries.map(({ proposal }) => proposal.id)).size, count);
  for (const [i, { number, version, decision }] of entries.entries()) {
    assert.deepEqual([number, version, decision.values], [i + 1, i + 1, { batch: i + 1 }]);
    assert.deepEqual((await store.snapshot("test", i + 1))!.values, { batch: i + 1 });
  }
  assert.equal((await store.snapshot("test")).version, count);
}

Deno.test("a kill -9 leaves changes whole or not at all, acknowledged ones whole (P2)", async () => {
  const random = seeded(11);
  for (let round = 0; round < 4; round++) {
    await inFolder(async (file) => {
      const acknowledged = await untilKilled(spawn(file, "decide"), 50 + random(200));
      const store = await openStore(`sqlite:${file}`, { durability: "full", create: false });
      const [last] = await store.ledger({ limit: 1 });
      assert(last.number >= acknowledged.at(-1)!);
      await assertCounted(store, last.number);
      await store.close();
    });
  }
});

Deno.test("after a kill -9, cursors stand where the emitted spans end, twenty times over (T3)", async () => {
  const random = seeded(13);
  await inFolder(async (file) => {
    let last = 0;
    for (let round = 0; round < 20; round++) {
      const acknowledged = await untilKilled(spawn(file, "react"), 5 + random(60));
      const store = await openStore(`sqlite:${file}`, { durability: "full", create: false });
      const records = await store.since(0, 1e6);
      const cursor = Number(await store.getItem("cursor"));
      assert(acknowledged.at(-1)! > last && cursor >= acknowledged.at(-1)!);
      assert.deepEqual(
        records.map((record) => "span" in record && record.span),
        Array.from({ length: cursor }, (_, i) => emitted(i)),
        `round ${round}`,
      );
      for (const i of [1, 2, 3]) {
        const state = await store.getItem(`state/${(cursor - i) % 3}`);
        assert.equal(state?.length, (cursor - i) % 2 === 0 ? 9_000 : undefined);
      }
      last = cursor;
      await store.close();
    }
  });
});

Deno.test("a reaction of which one part cannot be written is not written at all (T3)", async () => {
  await inFolder(async (file) => {
    const store = await openStore(`sqlite:${file}`, { durability: "normal" });
    const { acquired } = await store.acquire("plugins", {
      holder: HERE,
      now: T0,
      expiresAt: T0 + 1n,
      isDead: nobody,
    }) as { acquired: Lease };
    await store.setItem("old", "1");
    const before = [await store.since(0, 10), await store.items(""), await store.last()];
    const reaction = {
      spans: [emitted(1), emitted(2, { plugin: "other" })],
      items: { cursor: "2", old: null },
      at: T0,
    };
    const db = new DatabaseSync(file);
    for (
      const event of [
        "INSERT ON journal",
        "INSERT ON origins",
        "INSERT ON receipts",
        "INSERT ON items",
        "DELETE ON items",
      ]
    ) {
      db.exec(`CREATE TRIGGER fails AFTER ${event} BEGIN SELECT RAISE(ABORT, 'no'); END`);
      await assert.rejects(store.react(acquired, reaction), { name: "StoreError" }, event);
      assert.deepEqual(
        [await store.since(0, 10), await store.items(""), await store.last()],
        before,
        event,
      );
      db.exec("DROP TRIGGER fails");
    }
    db.close();
    const records = await store.react(acquired, reaction);
    assert.deepEqual(records!.map(({ span }) => span), reaction.spans);
    assert.deepEqual(await store.items(""), new Map([["cursor", "2"]]));
    await store.close();
  });
});

Deno.test("of two connections only the one with the lease reacts, and both see it (R7)", async () => {
  await inFolder(async (file) => {
    const open = () => openStore(`sqlite:${file}`, { durability: "normal" });
    const [one, two] = [await open(), await open()];
    const take = async (store: Store, now: bigint) => {
      const request = { holder: HERE, now, expiresAt: now + 1n, isDead: nobody };
      return (await store.acquire("plugins", request) as { acquired: Lease }).acquired;
    };
    const first = await take(one, T0);
    const reaction = (i: number) => ({
      spans: [emitted(i), emitted(0)],
      items: { cursor: String(i) },
      at: T0,
    });
    assert.equal((await one.react(first, reaction(1)))!.length, 2);
    const second = await take(two, T0 + 2n);
    const version = await one.version();
    const results = await Promise.all([
      one.react(first, reaction(2)),
      two.react(second, reaction(3)),
    ]);
    assert.equal(results[0], undefined);
    // The span that the first process emitted is there once.
    assert.deepEqual(results[1]!.map(({ span }) => span), [emitted(3)]);
    assert.notEqual(await one.version(), version);
    assert.equal(await one.getItem("cursor"), "3");
    const { traceId, spanId } = emitted(3);
    assert.deepEqual(await one.known([{ traceId, spanId }]), [{ traceId, spanId }]);
    assert.deepEqual(await one.since(0, 10), await two.since(0, 10));
    await one.close();
    await two.close();
  });
});

Deno.test("processes that change one workflow at once lose no change to each other (P2)", async () => {
  await inFolder(async (file) => {
    const children = Array.from({ length: 3 }, () => spawn(file, "decide", "60"));
    const outputs = await Promise.all(children.map((child) => child.output()));
    const numbers = outputs.flatMap(({ code, stdout }) => {
      assert.equal(code, 0);
      return new TextDecoder().decode(stdout).trim().split("\n").map(Number);
    });
    assert.equal(new Set(numbers).size, 180);
    const store = await openStore(`sqlite:${file}`, { durability: "full" });
    await assertCounted(store, 180);
    await store.close();
  });
});

Deno.test("of two connections that expect one version exactly one wins, and both see it (P2)", async () => {
  await inFolder(async (file) => {
    const open = () => openStore(`sqlite:${file}`, { durability: "normal" });
    const [one, two] = [await open(), await open()];
    for (let version = 0; version < 20; version++) {
      const [a, b] = version % 2 === 0 ? [one, two] : [two, one];
      assert.equal((await b.snapshot("test")).version, version);
      const before = await b.version();
      const mine = change(`a${version}`, version);
      const [won, late] = await Promise.all([
        a.decide(...mine),
        b.decide(...change(`b${version}`, version)),
      ]);
      assert.deepEqual(won, { entry: { ...mine[0], number: version + 1 }, repeated: false });
      assert.deepEqual(late, { stale: mine[1].snapshot });
      assert.notEqual(await b.version(), before);
      // The same proposal from the other one is known.
      assert.deepEqual(await b.decide(...mine), {
        entry: { ...mine[0], number: version + 1 },
        repeated: true,
      });
    }
    await one.close();
    await two.close();
  });
});

Deno.test("a decision of which one part cannot be written is not written at all (P2)", async () => {
  await inFolder(async (file) => {
    const store = await openStore(`sqlite:${file}`, { durability: "normal" });
    await store.decide(...change("a", 0));
    const before = [await store.ledger({}), await store.snapshot("test")];
    const db = new DatabaseSync(file);
    for (const table of ["ledger", "ledger_parameters", "snapshots"]) {
      db.exec(
        `CREATE TRIGGER fails AFTER INSERT ON ${table} BEGIN SELECT RAISE(ABORT, 'no'); END`,
      );
      await assert.rejects(store.decide(...change("b", 1)), { name: "StoreError" });
      assert.deepEqual([await store.ledger({}), await store.snapshot("test")], before);
      assert.deepEqual(await store.ledger({ parameter: "batch" }), before[0]);
      db.exec("DROP TRIGGER fails");
    }
    db.close();
    const next = change("b", 1);
    assert.deepEqual(await store.decide(...next), {
      entry: { ...next[0], number: 2 },
      repeated: false,
    });
    await store.close();
  });
});

Deno.test("everything is there after closing and opening again (J1)", async () => {
  await inFolder(async (file) => {
    const location = `sqlite:${file}`;
    const one = await openStore(location, { durability: "full" });
    const { records } = await one.commit([newRun("a"), start("a", "x")], new Map());
    await one.setItem("key", "value");
    const run = await one.run("a");
    await one.decide(...change("p", 0));
    const tuned = [await one.ledger({}), await one.snapshot("test")];
    const lease = { holder: HERE, now: T0, expiresAt: T0 + 1n, isDead: nobody };
    const { acquired } = await one.acquire("plugins", lease) as { acquired: Lease };
    const reaction = { spans: [emitted(1)], items: { cursor: "1" }, at: T0 };
    const emittedRecords = await one.react(acquired, reaction);
    await one.close();
    const two = await openStore(location, { durability: "normal", create: false });
    assert.deepEqual(await journal(two, "a"), records);
    assert.deepEqual(await two.run("a"), run);
    assert.equal(await two.getItem("key"), "value");
    assert.deepEqual([await two.ledger({}), await two.snapshot("test")], tuned);
    assert.deepEqual(await two.since(0, 10), [...records, ...emittedRecords!]);
    // The lease is held still, and what is written again is there once (T3).
    assert.deepEqual(await two.react(acquired, reaction), []);
    assert.deepEqual(await two.since(0, 10), [...records, ...emittedRecords!]);
    assert.equal(await two.getItem("cursor"), "1");
    await two.close();
  });
});

Deno.test("processes that open a new store at once all succeed, in one store", async () => {
  await inFolder(async (file) => {
    const children = Array.from({ length: 4 }, () => spawn(file, "create"));
    const outputs = await Promise.all(children.map((child) => child.output()));
    for (const { code, stdout } of outputs) {
      assert.equal(code, 0);
      assert.equal(new TextDecoder().decode(stdout), "0\n");
    }
    const store = await openStore(`sqlite:${file}`, { durability: "full" });
    assert.equal((await store.runs({})).length, 4);
    assert.equal((await store.since(0, 10)).length, 4);
    await store.close();
    const left = Array.from(Deno.readDirSync(file.replace("/store.db", "")), ({ name }) => name);
    assert.deepEqual(left.sort(), [".gitignore", "store.db"]);
  });
});

Deno.test("a new store is for its owner alone, and git ignores it", async () => {
  await inFolder(async (file) => {
    const store = await openStore(`sqlite:${file}`, { durability: "full" });
    await store.setItem("a", "b");
    const folder = file.replace("/store.db", "");
    const mode = (path: string) => (Deno.statSync(path).mode! & 0o777).toString(8);
    assert.equal(mode(folder), "700");
    assert.equal(mode(file), "600");
    assert.equal(mode(`${file}-wal`), "600");
    assert.equal(Deno.readTextFileSync(`${folder}/.gitignore`), "*\n");
    await store.close();
  });
});

Deno.test("version changes when another process commits, and only then", async () => {
  await inFolder(async (file) => {
    const store = await openStore(`sqlite:${file}`, { durability: "full" });
    const before = await store.version();
    assert.equal(await store.version(), before);
    assert.equal((await spawn(file, "create").output()).code, 0);
    const after = await store.version();
    assert.notEqual(after, before);
    assert.equal((await store.runs({})).length, 1);
    assert.equal(await store.version(), after);
    await store.close();
  });
});
