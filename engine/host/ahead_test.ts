import assert from "node:assert/strict";
import { sleep } from "../core/clock.ts";
import { seeded } from "../core/seeded_test.ts";
import { openMemory } from "../store/memory.ts";
import {
  attempt,
  emittedBy,
  fastClock,
  fenceOf,
  plugin,
  runBegins,
  TestProcess,
} from "./_hosting_fixture_test.ts";

Deno.test("events that are handed over ahead are handled once each, in order, whatever fails (J4, T3, H1)", async () => {
  const random = seeded("ahead");
  console.log(`seed ${random.seed}`);
  const store = openMemory();
  await store.commit(runBegins(1), new Map());
  const clock = fastClock(1);
  const trouble = new Map<number, number>();
  let lost = 0;
  const counter = plugin("counter", async ({ span }, { state }) => {
    const number = Number(span.attributes.number);
    const count = Number(state.get("count") ?? 0) + 1;
    state.set("count", count);
    if (random.below(4) === 0) await sleep(clock, random.below(3));
    // Twice at most: the third time sets it aside.
    const tries = trouble.get(number) ?? 0;
    if (tries < 2 && random.below(12) === 0) {
      trouble.set(number, tries + 1);
      if (random.below(2) === 0) throw new Error("try again");
      lost++;
      process.channels.at(-1)!.onGone({ code: "plugin.exit", message: "it has exited" });
      await new Promise(() => {});
    }
    return [{ type: "emit", name: "counted", attributes: { count, number } }];
  }, { subscribe: { event: "ended", role: "attempt" } });
  const process = new TestProcess({ store, plugins: [{ definition: counter }] });
  await process.host.start(0);
  let committed = 0;
  for (let turn = 0; turn < 60; turn++) {
    const many = random.pick([1, 1, 2, 40]);
    for (let i = 0; i < many; i++) await process.commit(attempt(1, ++committed), fenceOf(1));
    await sleep(clock, random.below(4));
  }
  await process.drain();
  const heard = (await emittedBy(store, "counter")).map(({ attributes }) =>
    `${attributes.count}:${attributes.number}`
  );
  await process.close();
  assert.deepEqual(heard, Array.from({ length: committed }, (_, i) => `${i + 1}:${i + 1}`));
  assert.equal(process.channels.length, lost + 1);
  assert(trouble.size > 0);
});
