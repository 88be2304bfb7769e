import assert from "node:assert/strict";
import type { Holder } from "../../engine/core/store.ts";
import { HOST_KEY } from "../../engine/host/host.ts";
import { openStore } from "../../engine/store/open.ts";
import { check, pluginCampaign, startProcess } from "./plugin_campaign.ts";

Deno.test("24 kills between proposal, decision and snapshot: never half a change, never twice (P2, T3, J4)", async () => {
  const seed = crypto.getRandomValues(new Uint32Array(1))[0] % 1_000_000;
  console.log(`seed ${seed}`);
  const result = await pluginCampaign({ seed, kills: 24, parallel: 2 });
  console.log(JSON.stringify(result));
  assert(result.kills >= 24);
  assert(result.decisions > 0);
});

Deno.test("the process that stands by takes over from a host that was killed, and leaves out nothing (R8, J4)", async () => {
  const folder = await Deno.makeTempDir({ prefix: "spanloop-takeover-" });
  const file = `${folder}/store.db`;
  const store = await openStore(`sqlite:${file}`, { durability: "normal" });
  const host = async () => {
    const holder = await store.getItem(HOST_KEY);
    return holder === undefined || holder === "" ? undefined : (JSON.parse(holder) as Holder).pid;
  };
  const hosts = async (pid: number) => {
    while (await host() !== pid) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  const end = async (child: Deno.ChildProcess) => {
    child.kill("SIGKILL");
    await child.stderr.text();
    await child.status;
  };
  try {
    let first = startProcess(file, 1_000);
    await hosts(first.pid);
    for (let round = 0; round < 2; round++) {
      const second = startProcess(file, 1_000);
      // It has begun to run.
      const running = async () =>
        (await store.runs({ statuses: ["running"] }))
          .some(({ lease }) => lease?.holder?.pid === second.pid);
      while (!await running()) await new Promise((resolve) => setTimeout(resolve, 5));
      // And stands by.
      await new Promise((resolve) => setTimeout(resolve, 500));
      assert.equal(await host(), first.pid);
      const killed = performance.now();
      await end(first);
      await hosts(second.pid);
      console.log(`taken over after ${(performance.now() - killed).toFixed(0)} ms`);
      first = second;
    }
    await end(first);
    const last = startProcess(file, 1);
    assert.equal(
      (await last.stderr.text()).split("\n").filter((line) => /error/.test(line)).length,
      0,
    );
    assert.equal((await last.status).code, 0);
    const { ahead, left, events } = await check(file);
    console.log(`${events} events`);
    assert.deepEqual([ahead, left], [0, 0]);
  } finally {
    await store.close();
    await Deno.remove(folder, { recursive: true });
  }
});
