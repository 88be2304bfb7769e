import assert from "node:assert/strict";
import { definePlugin } from "../../mod.ts";
import type { Clock } from "../core/clock.ts";
import { Delivery } from "./delivery.ts";
import { inProcess } from "./in_process.ts";
import { PluginLink } from "./link.ts";
import type { DueTick } from "./tick_schedule.ts";

// A clock that stands still but for what a handler takes, and its timers.
class ManualClock implements Clock {
  time = 0;
  readonly timers: { readonly ms: number; readonly fire: () => void }[] = [];

  now(): bigint {
    return BigInt(Math.round(this.time * 1e6));
  }

  monotonic(): number {
    return this.time;
  }

  after(ms: number, fire: () => void): () => void {
    const timer = { ms, fire };
    this.timers.push(timer);
    return () => this.timers.splice(this.timers.indexOf(timer), 1);
  }
}

function tick(number: number): DueTick {
  return { tick: BigInt(number) * 1_000_000_000n, subscriptions: [] };
}

// A delivery to a plugin in process whose handler takes so long; what was handed over together.
async function opened(handlerMs: number) {
  const clock = new ManualClock();
  const definition = definePlugin({
    name: "busy",
    role: "analyzer",
    actions: [],
    subscribe: { cron: "* * * * *" },
    onTick: () => void (clock.time += handlerMs),
  });
  const link = new PluginLink(
    inProcess({
      monotonic: () => clock.time,
      load: () => Promise.resolve({ default: definition }),
    }),
    { clock, onLog: () => {}, answer: () => Promise.resolve(null) },
  );
  await link.load("file:///busy.ts");
  link.start({}, {});
  clock.timers.length = 0;
  const batches: number[][] = [];
  const delivery = new Delivery({
    clock,
    link: () => link,
    open: () => Promise.resolve(link),
    isOver: () => false,
    onHandled: (items) => {
      batches.push(items.map((item) => "tick" in item ? Number(item.tick / 1_000_000_000n) : -1));
      return undefined;
    },
    onFailed: (thrown) => Promise.reject(thrown),
    onTransient: () => Promise.resolve(false),
    onTook: () => {},
  });
  return { clock, delivery, batches };
}

Deno.test("a plugin in this process that takes its time rests, and gets at once what happens meanwhile (J4)", async () => {
  const { clock, delivery, batches } = await opened(0.25);
  // The first may have been the machine's fault.
  for (const number of [1, 2]) {
    delivery.push(tick(number));
    await delivery.run();
  }
  delivery.push(tick(3));
  const running = delivery.run();
  delivery.push(tick(4));
  delivery.push(tick(5));
  assert.deepEqual(batches, [[1], [2]]);
  const [{ ms, fire }] = clock.timers;
  assert.equal(ms, 0.25 * 49);
  fire();
  await running;
  assert.deepEqual(batches, [[1], [2], [3, 4, 5]]);
  // It has rested since, as long as it ever does.
  clock.time += 50;
  delivery.push(tick(6));
  await delivery.run();
  assert.deepEqual(batches.at(-1), [6]);
});

Deno.test("no rest where somebody waits for the end, nor after a quick answer, nor where one event goes at a time", async () => {
  const waited = await opened(3);
  for (const number of [1, 2]) {
    waited.delivery.push(tick(number));
    await waited.delivery.run();
  }
  waited.delivery.push(tick(3));
  const running = waited.delivery.run();
  assert.equal(waited.clock.timers[0].ms, 50);
  waited.delivery.hurry();
  await running;
  waited.delivery.hurry();
  waited.delivery.push(tick(4));
  await waited.delivery.run();
  assert.deepEqual([waited.batches, waited.clock.timers], [[[1], [2], [3], [4]], []]);

  const quick = await opened(0.05);
  const single = await opened(3);
  single.delivery.oneByOne = true;
  for (const { clock, delivery, batches } of [quick, single]) {
    for (const number of [1, 2, 3]) {
      delivery.push(tick(number));
      await delivery.run();
    }
    assert.deepEqual([batches, clock.timers], [[[1], [2], [3]], []]);
  }
});
