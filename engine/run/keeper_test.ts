import assert from "node:assert/strict";
import type { Clock } from "../core/clock.ts";
import type { Store } from "../core/store.ts";
import { openStore } from "../store/open.ts";
import { Keeper } from "./keeper.ts";

/** A clock that the test moves. */
class HandClock implements Clock {
  ms = 0;
  readonly timers = new Set<() => void>();
  now = () => BigInt(this.ms) * 1_000_000n;
  monotonic = () => this.ms;
  after(_ms: number, fire: () => void): () => void {
    this.timers.add(fire);
    return () => void this.timers.delete(fire);
  }
  fire(ms: number): void {
    this.ms += ms;
    const due = [...this.timers];
    this.timers.clear();
    for (const fire of due) fire();
  }
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

async function keep(
  test: (
    parts: { keeper: Keeper; clock: HandClock; lost: string[]; changes: string[]; store: Store },
  ) => Promise<void>,
): Promise<void> {
  const store = await openStore("memory:", { durability: "normal" });
  const clock = new HandClock();
  const lost: string[] = [];
  const changes: string[] = [];
  const keeper = new Keeper({
    store,
    clock,
    onError: (thrown) => assert.fail(String(thrown)),
    onChange: () => Promise.resolve(void changes.push("change")),
  });
  await test({ keeper, clock, lost, changes, store });
  keeper.stop();
  await store.close();
}

Deno.test("timers run only while there is something to keep, one at a time", () =>
  keep(async ({ keeper, clock }) => {
    assert.equal(clock.timers.size, 0);
    for (let round = 0; round < 5; round++) {
      keeper.watch("a", () => {});
      clock.fire(200);
      // While the store is asked the last run ends, and the next one begins.
      keeper.unwatch("a");
      keeper.watch("b", () => {});
      await settle();
      assert.equal(clock.timers.size, 1);
      keeper.unwatch("b");
      assert.equal(clock.timers.size, 0);
    }
  }));

Deno.test("a lease that is not this process's any more is reported once (R7)", () =>
  keep(async ({ keeper, clock, lost }) => {
    keeper.hold({ name: "run:a", fence: 1 }, () => lost.push("run:a"));
    for (let i = 0; i < 40; i++) {
      clock.fire(200);
      await settle();
    }
    assert.deepEqual(lost, ["run:a"]);
  }));

Deno.test("that a process has committed is told once for each tick in which it has (R8)", () =>
  keep(async ({ keeper, clock, changes, store }) => {
    const tick = async () => {
      clock.fire(200);
      await settle();
    };
    keeper.watch("a", () => {});
    await tick();
    changes.length = 0;
    await tick();
    assert.deepEqual(changes, []);
    await store.register("one", "/w/one.yaml");
    await store.register("two", "/w/two.yaml");
    await tick();
    await tick();
    assert.deepEqual(changes, ["change"]);
  }));

Deno.test("what a store that fails has kept back is asked for again at the next tick (R8)", async () => {
  const store = await openStore("memory:", { durability: "normal" });
  const clock = new HandClock();
  const errors: unknown[] = [];
  let asked = 0;
  const keeper = new Keeper({
    store,
    clock,
    onError: (thrown) => errors.push(thrown),
    onChange: () => ++asked === 1 ? Promise.reject(new Error("busy")) : Promise.resolve(),
  });
  keeper.watch("a", () => {});
  for (let tick = 0; tick < 3; tick++) {
    clock.fire(200);
    await settle();
  }
  assert.equal(asked, 2, "again, and then no more");
  assert.equal(errors.length, 1);
  keeper.stop();
  await store.close();
});
