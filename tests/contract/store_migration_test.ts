import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import type { Lease } from "../../engine/core/store.ts";
import { openStore } from "../../engine/store/open.ts";
import { migrations } from "../../engine/store/migrations/list.ts";
import { emitted, end, first, HERE, journal, newRun, nobody, start, T0 } from "./store_entries.ts";

/** A file as version 1 left it. */
async function withVersionOne(body: (file: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "store-" });
  const file = `${folder}/store.db`;
  const db = new DatabaseSync(file);
  db.exec(await Deno.readTextFile(new URL("fixtures/store_v1.sql", import.meta.url)));
  db.close();
  try {
    await body(file);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function versionOf(file: string): unknown {
  const db = new DatabaseSync(file);
  const row = db.prepare("PRAGMA user_version").get();
  db.close();
  return row!.user_version;
}

/** The tables and indexes of a file, as SQLite has them. */
function schemaOf(file: string): unknown[] {
  const db = new DatabaseSync(file);
  const rows = db.prepare(
    "SELECT name, replace(sql, '\n', ' ') AS sql FROM sqlite_schema ORDER BY name",
  );
  const schema = rows.all();
  db.close();
  return schema;
}

Deno.test("a store of version 1 is brought up to date and keeps what it has", async () => {
  await withVersionOne(async (file) => {
    const store = await openStore(`sqlite:${file}`, { durability: "full" });
    assert.deepEqual(
      (await store.runs({})).map(({ runId, status }) => `${runId} ${status}`),
      ["waiting queued", "live running", "ended succeeded"],
    );
    const records = await journal(store, "ended");
    assert.deepEqual(records, [
      { ...start("ended", "x"), position: records[0].position },
      { ...end("ended", "x", { outputs: { n: 1 } }), position: records[1].position },
    ]);
    assert.equal(await store.definition("hash-live"), "name: test # live");
    assert.equal(await store.getItem("tick"), "1");
    assert.equal(await store.register("test", "/other.yaml"), "/w/test.yaml");
    const again = await store.commit([newRun("b", { trigger: "w/cron/1" })], new Map());
    assert.deepEqual(again.duplicates, ["b"]);
    assert.deepEqual((await store.commit([end("live", "y")], first("live"))).lost, []);
    assert.equal(await store.claim("waiting", { now: T0, agingNs: 1n }), false);
    assert.equal(await store.signal("live", "cancel", {}, T0), true);
    const host = { holder: HERE, now: T0, expiresAt: T0 + 1n, isDead: nobody };
    const { acquired } = await store.acquire("plugins", host) as { acquired: Lease };
    const react = { spans: [emitted(1)], items: { cursor: "1" }, at: T0 };
    const before = await store.last();
    const told = await store.react(acquired, react);
    assert.deepEqual(await store.since(before, 10), told);
    assert.deepEqual(await store.items(""), new Map([["cursor", "1"], ["tick", "1"]]));
    await store.close();
    assert.equal(versionOf(file), migrations.length);
  });
});

Deno.test("a store that was brought up to date is like a new one", async () => {
  await withVersionOne(async (file) => {
    await (await openStore(`sqlite:${file}`, { durability: "full" })).close();
    await (await openStore(`sqlite:${file}.2`, { durability: "full" })).close();
    assert.deepEqual(schemaOf(file), schemaOf(`${file}.2`));
  });
});

Deno.test("an older store that may only be read says how to bring it up to date", async () => {
  await withVersionOne(async (file) => {
    await assert.rejects(openStore(`sqlite:${file}`, { durability: "full", readOnly: true }), {
      code: "store.read_only",
      message: /older Spanloop/,
    });
    assert.equal(versionOf(file), 1);
  });
});

Deno.test("a migration that fails leaves the old version whole", async () => {
  await withVersionOne(async (file) => {
    const db = new DatabaseSync(file);
    // What the second migration is about to make.
    db.exec("CREATE TABLE signals (a)");
    const before = schemaOf(file);
    db.close();
    await assert.rejects(openStore(`sqlite:${file}`, { durability: "full" }), {
      code: "store.unavailable",
    });
    assert.equal(versionOf(file), 1);
    assert.deepEqual(schemaOf(file), before);
  });
});
