import assert from "node:assert/strict";
import { createEngine, type Engine } from "./engine.ts";
import { keys } from "./host/record.ts";
import { openStore } from "./store/open.ts";

const WORKFLOW = "name: one\nsteps: [{ id: hello, run: echo hello }]\n";

const CONFIG = new URL("../deno.json", import.meta.url).pathname;

// A process that hosts the store's plugins and hears nothing, as one that has only just begun.
const HOST = `
import { HOST_KEY, HOST_LEASE } from "${new URL("./host/host.ts", import.meta.url)}";
import { openStore } from "${new URL("./store/open.ts", import.meta.url)}";
import { isDead, systemClock, thisHolder } from "${new URL("./system.ts", import.meta.url)}";
const store = await openStore(Deno.args[0], { durability: "normal" });
const holder = thisHolder();
const now = systemClock().now();
const expiresAt = now + 3_600_000_000_000n;
const taken = await store.acquire(HOST_LEASE, { holder, now, expiresAt, isDead });
if (!("acquired" in taken)) throw new Error("another process has the lease");
await store.setItem(HOST_KEY, JSON.stringify(holder));
console.log("hosts");
setInterval(() => {}, 1_000);
`;

/** A folder whose store has two runs that no analyzer has read, and another process that hosts its plugins. */
async function hosted(
  test: (
    at: { engine: Engine; file: string; location: string; host: Deno.ChildProcess },
  ) => Promise<
    void
  >,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const file = `${folder}/one.yaml`;
  const location = `sqlite:${folder}/.spanloop/store.db`;
  await Deno.writeTextFile(file, WORKFLOW);
  const engine = await createEngine({ near: folder });
  for (let i = 0; i < 2; i++) await engine.run(file);
  await engine.close();
  await Deno.writeTextFile(`${folder}/host.ts`, HOST);
  const host = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", `--config=${CONFIG}`, `${folder}/host.ts`, location],
    stdout: "piped",
  }).spawn();
  try {
    const reader = host.stdout.getReader();
    const { value } = await reader.read();
    assert.equal(new TextDecoder().decode(value), "hosts\n");
    const other = await createEngine({ near: folder });
    try {
      await test({ engine: other, file, location, host });
    } finally {
      await other.close();
    }
    await reader.cancel();
  } finally {
    try {
      host.kill("SIGKILL");
    } catch {
      // the test has ended it
    }
    await host.status;
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("what another process was about to read is waited for, and read here once that is gone (R8)", () =>
  hosted(async ({ engine, file, host }) => {
    const shares: number[] = [];
    const report = await engine.plugins.analyze({
      file,
      onProgress: (share) => {
        if (shares.push(share) === 1) host.kill("SIGKILL");
      },
    });
    assert.equal(shares[0], 0, "it has waited");
    assert.deepEqual(report.workflows.map(({ workflow, runs }) => [workflow, runs]), [["one", 2]]);
    assert.deepEqual([report.behind, report.host], [0, undefined]);
  }));

Deno.test("runs that a host has not read are not told as none (R8)", () =>
  hosted(async ({ engine, file, location, host }) => {
    const process = `^Process ${host.pid} hosts the plugins of this store`;
    await assert.rejects(engine.plugins.analyze({ file }), {
      code: "analyze.hosted",
      exitCode: 2,
      message: new RegExp(`${process}, and uses no analyzer; .* or try again once`),
    });
    // It has begun, and comes no further.
    const store = await openStore(location, { durability: "normal" });
    await store.setItem(keys.cursor("analyzer"), "1");
    await store.close();
    await assert.rejects(engine.plugins.analyze({ file }), {
      code: "analyze.behind",
      exitCode: 1,
      message: new RegExp(`${process}, and its analyzer has not read all of it yet; try again`),
    });
  }));

Deno.test("whoever stops waiting for another host is told what is known (R8)", () =>
  hosted(async ({ engine, file, host }) => {
    const stop = new AbortController();
    const report = await engine.plugins.analyze({
      file,
      signal: stop.signal,
      onProgress: () => stop.abort(),
    });
    assert.deepEqual([report.workflows, report.host], [[], host.pid]);
    assert.ok(report.behind > 0);
  }));
