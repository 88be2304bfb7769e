import assert from "node:assert/strict";
import { measure, TestClock, values } from "./_fixture_test.ts";
import { PeriodicCollection } from "./periodic.ts";

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

Deno.test("metrics are collected every interval, and a last time at shutdown", async () => {
  const { span, clock, batches, shutdown } = measure({ intervalMs: 10_000, temporality: "delta" });
  clock.turn(9_999);
  await settle();
  assert.equal(batches.length, 0);
  for (const number of [1, 2]) {
    span({ number }, 1);
    clock.turn(10_000);
    await settle();
  }
  span({ number: 3 }, 1);
  await shutdown(1_000);
  assert.deepEqual(
    batches.map((batch) => values(batch, "spanloop.span.count")),
    [1, 1, 1].map((count) => ({ "load succeeded": count })),
  );
  assert.equal(clock.timers, 0, "nothing is left that would keep the process");
  clock.turn(60_000);
  await settle();
  assert.equal(batches.length, 3);
});

Deno.test("one collection at a time, and one that fails does not end them (J5)", async () => {
  const clock = new TestClock();
  const errors: unknown[] = [];
  let begun = 0;
  let under = Promise.withResolvers<void>();
  const periodic = new PeriodicCollection({
    clock,
    intervalMs: 10,
    collect: () => {
      begun++;
      return under.promise;
    },
    onError: (thrown) => errors.push(thrown),
  });
  clock.turn(10);
  await settle();
  const second = periodic.now();
  clock.turn(10);
  await settle();
  assert.equal(begun, 1);
  const broken = new Error("broken");
  under.reject(broken);
  under = Promise.withResolvers();
  await settle();
  assert.deepEqual([begun, errors], [2, [broken]]);
  under.resolve();
  await second;
  clock.turn(10);
  await settle();
  assert.equal(begun, 3);
  await periodic.stop();
  assert.equal(begun, 4);
});

Deno.test("shutdown waits no longer than it may for a scrape that hangs", async () => {
  const { clock, shutdown } = measure({ exporters: ["prometheus"] }, {
    emit: undefined,
  });
  const done = shutdown(1_000);
  clock.turn(1_000);
  await done;
  assert.equal(clock.timers, 0);
});
