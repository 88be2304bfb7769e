import assert from "node:assert/strict";
import { openStore } from "../store/open.ts";
import { attempt, fenceOf, plugin, runBegins, TestProcess } from "./_hosting_fixture_test.ts";

Deno.test("a plugin that has much to catch up on leaves others their turn", async () => {
  const store = await openStore("memory:", { durability: "normal" });
  const fence = fenceOf(1);
  let heard = 0;
  const definition = plugin("counter", () => void heard++, {
    subscribe: { event: "ended", role: "attempt" },
  });
  const first = new TestProcess({ store, plugins: [{ definition }] });
  await first.host.start(0);
  await first.drain();
  await first.close();
  await store.commit(runBegins(1), fence);
  for (let number = 1; number <= 5_000; number++) await store.commit(attempt(1, number), fence);
  const second = new TestProcess({ store, plugins: [{ definition }] });
  // What others do meanwhile, and how far the plugin was then.
  const turns: number[] = [];
  let over = false;
  const turn = () => {
    turns.push(heard);
    if (!over) setImmediate(turn);
  };
  await second.host.start(await store.last());
  turn();
  await second.drain();
  over = true;
  assert.equal(heard, 5_000);
  const between = turns.filter((count) => count > 0 && count < 5_000);
  assert.ok(between.length > 0, `turns at ${turns.join(", ")}`);
  await second.close();
  await store.close();
});
