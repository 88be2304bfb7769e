import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { StoreError } from "../../engine/core/errors.ts";
import type { Store } from "../../engine/core/store.ts";
import { openStore } from "../../engine/store/open.ts";
import { end, first, journal, newRun, start, status } from "./store_entries.ts";

const SCRIPT = new URL("store_process.ts", import.meta.url).pathname;

async function inFolder(body: (file: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "store-" });
  try {
    await body(`${folder}/store.db`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const open = (file: string, more = {}) =>
  openStore(`sqlite:${file}`, { durability: "full", ...more });

/** Asserts a StoreError that names the file, says what to do, and has no stack of another in its message. */
async function assertFails(body: Promise<unknown>, code: string, ...words: string[]) {
  await assert.rejects(body, (error) => {
    assert(error instanceof StoreError, String(error));
    assert.equal(error.code, code, error.message);
    for (const word of words) assert(error.message.includes(word), error.message);
    return true;
  });
}

async function filled(file: string, more = {}): Promise<Store> {
  const store = await open(file, more);
  await store.commit([newRun("a")], new Map());
  for (let i = 0; i < 100; i++) await store.commit([start("a", `${i}`)], first("a"));
  return store;
}

Deno.test("locations that are none are refused", async () => {
  for (
    const location of ["", "x", "sqlite:", "sqlite:a.db", "sqlite:/a/", "sqlite:/a\0b", "pg:/x"]
  ) {
    await assertFails(openStore(location, { durability: "full" }), "store.invalid", "sqlite:/path");
  }
});

Deno.test("a store that is not there is not made when only asked for", async () => {
  await inFolder(async (file) => {
    await assertFails(open(file, { create: false }), "store.missing", file, "no such file");
    await assertFails(open(file, { readOnly: true }), "store.missing", file);
    await Deno.mkdir(file);
    await assertFails(open(file), "store.unavailable", file);
    assert.deepEqual(Array.from(Deno.readDirSync(file)), []);
  });
});

Deno.test("files that are no stores are left as they are", async () => {
  await inFolder(async (file) => {
    for (const text of ["", "hello", "no database at all ".repeat(1000)]) {
      Deno.writeTextFileSync(file, text);
      await assertFails(open(file), "store.corrupt", file);
      assert.equal(Deno.readTextFileSync(file), text);
    }
    Deno.removeSync(file);
    const other = new DatabaseSync(file);
    other.exec("CREATE TABLE mine (a)");
    other.close();
    await assertFails(open(file), "store.corrupt", file, "another program");
  });
});

Deno.test("a truncated file is noticed when it is opened", async () => {
  await inFolder(async (file) => {
    await (await filled(file)).close();
    const whole = Deno.readFileSync(file);
    for (const length of [50, 100, 4096, 5000, whole.length - 4096, whole.length - 1]) {
      Deno.writeFileSync(file, whole.subarray(0, length));
      await assertFails(open(file), "store.corrupt", file);
    }
    Deno.writeFileSync(file, whole);
    const store = await open(file);
    assert.equal((await journal(store, "a")).length, 100);
    await store.close();
  });
});

Deno.test("a file truncated beside a write-ahead log is noticed; one that the log completes is not", async () => {
  await inFolder(async (file) => {
    await (await filled(file)).close();
    const base = Deno.readFileSync(file);
    const writer = await open(file);
    await writer.commit([end("a", "x")], first("a"));
    const log = Deno.readFileSync(`${file}-wal`);
    await writer.close();
    Deno.writeFileSync(file, base.subarray(0, base.length - 3 * 4096));
    Deno.writeFileSync(`${file}-wal`, log);
    await assertFails(open(file), "store.corrupt", file);

    Deno.writeFileSync(file, base);
    Deno.writeFileSync(`${file}-wal`, log);
    const store = await open(file);
    assert.equal((await journal(store, "a")).length, 101);
    await store.close();
  });
});

Deno.test("damage found while reading is named", async () => {
  await inFolder(async (file) => {
    await (await filled(file)).close();
    const bytes = Deno.readFileSync(file);
    bytes.fill(0xff, 4096);
    Deno.writeFileSync(file, bytes);
    await assertFails(
      (async () => {
        const store = await open(file);
        try {
          await journal(store, "a");
        } finally {
          await store.close();
        }
      })(),
      "store.corrupt",
      file,
    );
  });
});

Deno.test("a store of a newer Spanloop is left alone", async () => {
  await inFolder(async (file) => {
    await (await open(file)).close();
    const db = new DatabaseSync(file);
    db.exec("PRAGMA user_version = 999");
    db.close();
    for (const readOnly of [false, true]) {
      await assertFails(
        open(file, { readOnly }),
        "store.newer",
        "newer Spanloop",
        "--store",
        "999",
      );
    }
  });
});

Deno.test("a store that stays locked is busy; nothing is written and it works again afterwards", async () => {
  await inFolder(async (file) => {
    const store = await filled(file);
    const other = new DatabaseSync(file);
    other.exec("BEGIN IMMEDIATE");
    await assertFails(store.commit([end("a", "x")], first("a")), "store.busy", file, "another");
    assert.equal((await journal(store, "a")).length, 100, "readers are not locked out");
    other.exec("ROLLBACK");
    other.close();
    assert.equal((await store.commit([end("a", "x")], first("a"))).records.length, 1);
    await store.close();
  });
});

Deno.test("a commit that fails half way writes nothing and leaves the store usable", async () => {
  await inFolder(async (file) => {
    const store = await open(file);
    await store.commit([newRun("a")], new Map());
    const late = end("a", "y", { end: { endTime: 2n ** 63n, error: false, attributes: {} } });
    const bigint = start("a", "y", { inputs: { n: 1n as unknown as number } });
    for (const bad of [late, bigint]) {
      const entries = [start("a", "x"), end("a", "x"), newRun("b"), start("b", "x"), bad];
      await assertFails(store.commit(entries, first("a")), "store.invalid");
    }
    assert.deepEqual(await store.since(0, 10), []);
    assert.equal(await store.run("b"), undefined);
    // The block of the rolled-back rows must be entered again (J4).
    const { records } = await store.commit([start("a", "x")], first("a"));
    assert.deepEqual(await journal(store, "a"), records);
    await store.close();
  });
});

Deno.test("outputs over 64 KiB go to a file that is checked when it is read", async () => {
  await inFolder(async (file) => {
    const store = await open(file);
    const text = (bytes: number) => ({ t: "x".repeat(bytes - '{"t":""}'.length) });
    const small = text(65_536);
    const large = text(65_537);
    const wide = { t: "€".repeat(22_000) };
    await store.commit(
      [newRun("a"), ...[small, large, wide].map((outputs) => end("a", "x", { outputs }))],
      new Map(),
    );
    const files = () => Array.from(Deno.readDirSync(`${file}.d/a`), ({ name }) => name);
    assert.equal(files().length, 2);
    const read = (await journal(store, "a")).map((record) => "outputs" in record && record.outputs);
    assert.deepEqual(read, [small, large, wide]);

    const path = `${file}.d/a/${files()[0]}`;
    const content = Deno.readTextFileSync(path);
    Deno.writeTextFileSync(path, content.replace("{", "{ "));
    await assertFails(journal(store, "a"), "store.corrupt", path);
    await assertFails(store.since(0, 10), "store.corrupt", path);
    Deno.removeSync(path);
    await assertFails(journal(store, "a"), "store.corrupt", path);
    Deno.writeTextFileSync(path, content);
    assert.equal((await journal(store, "a")).length, 3);
    await store.close();
  });
});

Deno.test("prune removes files of pruned runs and files that no row names", async () => {
  await inFolder(async (file) => {
    const store = await open(file);
    const outputs = { t: "x".repeat(70_000) };
    await store.commit([
      newRun("old"),
      end("old", "x", { outputs }),
      status("old", "succeeded"),
      newRun("live"),
      end("live", "x", { outputs }),
    ], new Map());
    // What a crash leaves between writing a file and its commit.
    Deno.mkdirSync(`${file}.d/gone`);
    Deno.writeTextFileSync(`${file}.d/gone/1.json`, "{}");
    Deno.writeTextFileSync(`${file}.d/live/2.json`, "{}");
    Deno.writeTextFileSync(`${file}.d/live/3.json.partial`, "{");
    assert.equal((await store.prune(0n)).runs, 0);
    assert(Deno.statSync(`${file}.d/old`).isDirectory);
    assert.equal((await store.prune(2n ** 62n)).runs, 1);
    assert.deepEqual(Array.from(Deno.readDirSync(`${file}.d`), ({ name }) => name), ["live"]);
    const [record] = await journal(store, "live");
    assert.deepEqual("outputs" in record && record.outputs, outputs);
    assert.equal(Array.from(Deno.readDirSync(`${file}.d/live`)).length, 1);
    await store.close();
  });
});

/** Runs a shell script in a mount namespace of its own, in which it may mount. */
async function inNamespace(script: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command("unshare", {
    args: ["-rm", "sh", "-ec", script, "sh", ...args],
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

const canMount = await inNamespace("mount -t tmpfs tmpfs /mnt").then(() => true, () => false);

Deno.test({
  name: "a full disk stops a commit and nothing else, in rows and in spilled outputs",
  ignore: !canMount,
  async fn() {
    const folder = await Deno.makeTempDir();
    const script = 'mount -t tmpfs -o size=4m tmpfs "$1"; head -c 1000000 /dev/zero ' +
      '> "$1/store.db.ballast"; exec "$2" run -A --no-check "$3" "$1/store.db" fill';
    const printed = await inNamespace(script, folder, Deno.execPath(), SCRIPT);
    assert.deepEqual(JSON.parse(printed), {
      spilling: "store.full",
      rows: "store.full",
      complete: true,
    });
    await Deno.remove(folder);
  },
});

Deno.test({
  name: "a store on a read-only file system is read, and writing says why not",
  ignore: !canMount,
  async fn() {
    const folder = await Deno.makeTempDir();
    const script = 'mount -t tmpfs tmpfs "$1"; "$2" run -A --no-check "$3" "$1/store.db" create; ' +
      'mount -o remount,ro "$1"; exec "$2" run -A --no-check "$3" "$1/store.db" readOnly';
    const printed = await inNamespace(script, folder, Deno.execPath(), SCRIPT);
    const [, result] = printed.trim().split("\n");
    assert.deepEqual(JSON.parse(result), {
      read: 1,
      write: "store.read_only",
      writable: "store.read_only",
      created: "store.read_only",
    });
    await Deno.remove(folder);
  },
});
