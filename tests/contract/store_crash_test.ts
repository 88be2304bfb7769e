import assert from "node:assert/strict";
import { openStore } from "../../engine/store/open.ts";
import { journal, newRun, seeded, start } from "./store_entries.ts";

const SCRIPT = new URL("store_process.ts", import.meta.url).pathname;

function spawn(file: string, action: string): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", SCRIPT, file, action],
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

Deno.test("what was acknowledged is there after a kill -9, spilled outputs too (J1)", async () => {
  const random = seeded(7);
  for (let round = 0; round < 4; round++) {
    await inFolder(async (file) => {
      const child = spawn(file, "write");
      const enough = 100 + random(300);
      let printed = "";
      for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
        printed += text;
        if (printed.split("\n").length > enough) break;
      }
      child.kill("SIGKILL");
      await child.status;
      // The last line may be cut.
      const acknowledged = printed.split("\n").slice(0, -1).map(Number);
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

Deno.test("everything is there after closing and opening again (J1)", async () => {
  await inFolder(async (file) => {
    const location = `sqlite:${file}`;
    const one = await openStore(location, { durability: "full" });
    const { records } = await one.commit([newRun("a"), start("a", "x")], new Map());
    await one.setItem("key", "value");
    const run = await one.run("a");
    await one.close();
    const two = await openStore(location, { durability: "normal", create: false });
    assert.deepEqual(await journal(two, "a"), records);
    assert.deepEqual(await two.run("a"), run);
    assert.equal(await two.getItem("key"), "value");
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
