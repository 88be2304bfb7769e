import assert from "node:assert/strict";
import { type Clock, later, sleep, sleepUntil } from "./clock.ts";

/** A clock that holds still; `fire` runs the timer that is due next and gives its length. */
class HeldClock implements Clock {
  readonly timers: { readonly ms: number; readonly fire: () => void }[] = [];

  now(): bigint {
    return 0n;
  }
  monotonic(): number {
    return 0;
  }
  after(ms: number, fire: () => void): () => void {
    const timer = { ms, fire };
    this.timers.push(timer);
    return () => {
      const at = this.timers.indexOf(timer);
      if (at >= 0) this.timers.splice(at, 1);
    };
  }
  fire(): number {
    const timer = this.timers.shift();
    assert.ok(timer !== undefined, "a timer is set");
    timer.fire();
    return timer.ms;
  }
}

Deno.test("a time longer than a timer can be is waited for in legs, and fires once (R2)", () => {
  const clock = new HeldClock();
  const month = 30 * 86_400_000;
  let fired = 0;
  later(clock, month, () => fired++);
  let waited = 0;
  while (fired === 0) {
    assert.ok(clock.timers[0].ms <= 2 ** 31 - 1, "setTimeout takes no more");
    waited += clock.fire();
  }
  assert.equal(waited, month);
  assert.equal(clock.timers.length, 0);
});

Deno.test("a long time can be cancelled in any of its legs (R2)", () => {
  const clock = new HeldClock();
  const cancel = later(clock, 3 * 2 ** 31, () => assert.fail("it was cancelled"));
  clock.fire();
  cancel();
  assert.equal(clock.timers.length, 0);
});

Deno.test("sleep ends with the signal's reason, whether it aborts before or during it", async () => {
  const clock = new HeldClock();
  const reason = new Error("enough");
  await assert.rejects(sleep(clock, 5, AbortSignal.abort(reason)), reason);
  assert.equal(clock.timers.length, 0);
  const controller = new AbortController();
  const slept = sleep(clock, 5, controller.signal);
  controller.abort(reason);
  await assert.rejects(slept, reason);
  assert.equal(clock.timers.length, 0, "its timer is gone");
  const other = sleep(clock, 5);
  clock.fire();
  await other;
});

Deno.test("a wait for a time ends at it or after, though timers fire early and the clock is set back (R2)", async () => {
  let now = 1_000_000_000n;
  // By how much each timer misses its time, nanoseconds: 0.6 ms too early, an hour back, then right.
  const misses = [-600_000n, -3_600_000_000_000n, 0n];
  const waited: number[] = [];
  const clock: Clock = {
    now: () => now,
    monotonic: () => 0,
    after(ms, fire) {
      waited.push(ms);
      now += BigInt(ms) * 1_000_000n + (misses.shift() ?? 0n);
      queueMicrotask(fire);
      return () => {};
    },
  };
  await sleepUntil(clock, 4_000_000_000n);
  assert.ok(now >= 4_000_000_000n);
  assert.deepEqual(waited, [3_000, 1, 3_600_000]);
  await sleepUntil(clock, 1n);
  assert.equal(waited.length, 3, "what is past is not waited for");
});
