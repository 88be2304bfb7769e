import assert from "node:assert/strict";
import type { Snapshot } from "../core/proposal.ts";
import type { Store } from "../core/store.ts";
import { openStore } from "../store/open.ts";
import { change } from "../../tests/contract/store_entries.ts";
import { LiveSnapshots } from "./live_snapshots.ts";

async function onStore(
  test: (live: LiveSnapshots, store: Store) => Promise<void>,
): Promise<void> {
  const store = await openStore("memory:", { durability: "normal" });
  await test(new LiveSnapshots(store), store);
  await store.close();
}

/** Makes the version after `version` and gives its snapshot. */
async function decide(store: Store, version: number): Promise<Snapshot> {
  const decided = await store.decide(...change(`p${version}`, version));
  assert.ok("entry" in decided);
  return await store.snapshot(decided.entry.proposal.workflow);
}

Deno.test("a watched workflow's snapshot is known at once, and fresh after each refresh", () =>
  onStore(async (live, store) => {
    const { workflow } = await decide(store, 0);
    assert.equal(live.current(workflow), undefined);
    let heard = 0;
    const leave = await live.watch(workflow, () => heard++);
    assert.equal(live.current(workflow)?.version, 1);
    heard = 0;
    await live.refresh();
    assert.equal(heard, 0, "nothing has changed");
    await decide(store, 1);
    await live.refresh();
    assert.equal(live.current(workflow)?.version, 2);
    assert.equal(heard, 1);
    leave();
    assert.equal(live.current(workflow), undefined);
    await decide(store, 2);
    await live.refresh();
    assert.equal(heard, 1, "who has left hears nothing");
  }));

Deno.test("what is taken is there without a refresh, and an older version never comes back (P3)", () =>
  onStore(async (live, store) => {
    const first = await decide(store, 0);
    const leave = await live.watch(first.workflow, () => {});
    const second = await decide(store, 1);
    live.take(second);
    assert.equal(live.current(first.workflow), second);
    live.take(first);
    assert.equal(live.current(first.workflow), second);
    live.take({ ...second, workflow: "another", version: 9 });
    assert.equal(live.current("another"), undefined, "nobody watches it");
    leave();
  }));

Deno.test("a workflow is watched until its last run has left", () =>
  onStore(async (live, store) => {
    const { workflow } = await decide(store, 0);
    const heard: string[] = [];
    const [a, b] = await Promise.all([
      live.watch(workflow, () => heard.push("a")),
      live.watch(workflow, () => heard.push("b")),
    ]);
    heard.length = 0;
    a();
    a();
    await decide(store, 1);
    await live.refresh();
    assert.deepEqual(heard, ["b"]);
    assert.equal(live.current(workflow)?.version, 2);
    b();
    assert.equal(live.current(workflow), undefined);
  }));

Deno.test("a watch that cannot read the store leaves nothing behind", async () => {
  const store = await openStore("memory:", { durability: "normal" });
  const live = new LiveSnapshots(store);
  await store.close();
  await assert.rejects(live.watch("w", () => {}), { code: "store.unavailable" });
  await live.refresh();
});
