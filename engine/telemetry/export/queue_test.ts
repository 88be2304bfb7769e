import assert from "node:assert/strict";
import type { Clock } from "../../core/clock.ts";
import { ExportQueue } from "./queue.ts";
import type { OnDropped, Sender, Sent } from "./sender.ts";

/** A clock that a test turns by hand. */
class HandClock implements Clock {
  #ms = 0;
  #timers: { at: number; fire: () => void }[] = [];
  now(): bigint {
    return BigInt(this.#ms) * 1_000_000n;
  }
  monotonic(): number {
    return this.#ms;
  }
  after(ms: number, fire: () => void): () => void {
    const timer = { at: this.#ms + ms, fire };
    this.#timers.push(timer);
    return () => void (this.#timers = this.#timers.filter((one) => one !== timer));
  }
  async turn(ms: number): Promise<void> {
    const end = this.#ms + ms;
    for (;;) {
      await settled();
      const next = this.#timers.toSorted((a, b) => a.at - b.at)[0];
      if (next === undefined || next.at > end) break;
      this.#timers = this.#timers.filter((one) => one !== next);
      this.#ms = next.at;
      next.fire();
    }
    this.#ms = end;
    await settled();
  }
}

const settled = () => new Promise((resolve) => setImmediate(resolve));
const OK: Sent = { status: "ok" };
const DOWN: Sent = { status: "retry", message: "refused", unreachable: true };
const BUSY: Sent = { status: "retry", message: "503" };

function setUp(settings: { maxQueue?: number; maxBatch?: number } = {}) {
  const clock = new HandClock();
  const batches: number[][] = [];
  const drops: string[] = [];
  let answer: (batch: readonly number[]) => Promise<Sent> | Sent = () => OK;
  const sender: Sender<number> = {
    signal: "traces",
    name: "test",
    send(batch) {
      batches.push([...batch]);
      return Promise.resolve(answer(batch));
    },
    close: () => Promise.resolve(),
  };
  const onDropped: OnDropped = ({ count, reason }) => drops.push(`${count} ${reason}`);
  const queue = new ExportQueue<number>({
    sender,
    settings: { maxQueue: 10, maxBatch: 4, delayMs: 100, timeoutMs: 1_000, ...settings },
    clock,
    random: { next: () => 0.5, fill: () => {} },
    onDropped,
  });
  return {
    clock,
    batches,
    drops,
    queue,
    answers: (next: typeof answer) => void (answer = next),
  };
}

Deno.test("a full batch goes at once, a small one after the delay, in order", async () => {
  const { clock, batches, queue } = setUp();
  for (let n = 1; n <= 5; n++) queue.add(n);
  await settled();
  assert.deepEqual(batches, [[1, 2, 3, 4]]);
  await clock.turn(99);
  assert.equal(batches.length, 1);
  await clock.turn(1);
  assert.deepEqual(batches, [[1, 2, 3, 4], [5]]);
  assert.deepEqual({ ...queue.status(), sender: "" }, {
    sender: "",
    queued: 0,
    sent: 5,
    dropped: 0,
    circuit: "closed",
    lastError: undefined,
  });
});

Deno.test("what is beyond the queue is dropped, counted, and told of in one piece (J5)", async () => {
  const { clock, queue, drops, answers } = setUp();
  answers(() => new Promise(() => {}));
  for (let n = 1; n <= 30; n++) queue.add(n);
  await clock.turn(1);
  // 4 are on their way, 10 wait.
  assert.deepEqual(drops, ["16 queue_full"]);
  assert.equal(queue.status().queued, 14);
});

Deno.test("a batch that may work later is sent again, the same one, after growing waits", async () => {
  const { clock, batches, queue, answers } = setUp();
  const times: number[] = [];
  answers(() => {
    times.push(clock.monotonic());
    return times.length < 4 ? BUSY : OK;
  });
  for (let n = 1; n <= 4; n++) queue.add(n);
  await clock.turn(500);
  queue.add(5);
  await clock.turn(20_000);
  assert.deepEqual(times, [0, 1_000, 3_000, 7_000, 7_100]);
  assert.deepEqual(batches, [[1, 2, 3, 4], [1, 2, 3, 4], [1, 2, 3, 4], [1, 2, 3, 4], [5]]);
  assert.equal(queue.status().sent, 5);
});

Deno.test("after three failures the circuit is open, and one batch is tried at a time", async () => {
  const { clock, queue, answers, batches } = setUp();
  answers(() => BUSY);
  queue.add(1);
  await clock.turn(100 + 1_000 + 2_000);
  assert.equal(batches.length, 3);
  assert.equal(queue.status().circuit, "open");
  assert.equal(queue.status().lastError, "503");
  for (let n = 2; n <= 9; n++) queue.add(n);
  await clock.turn(3_900);
  assert.equal(batches.length, 3, "nothing is sent while it is open");
  answers(() => OK);
  await clock.turn(1_000);
  assert.equal(queue.status().circuit, "closed");
  await clock.turn(100);
  assert.equal(queue.status().sent, 9);
});

Deno.test("the wait that the other side asks for is kept, within a minute", async () => {
  const { clock, queue, answers, batches } = setUp();
  answers(() => batches.length === 1 ? { ...BUSY, afterMs: 30_000 } as Sent : OK);
  queue.add(1);
  await clock.turn(100 + 29_999);
  assert.equal(batches.length, 1);
  await clock.turn(1);
  assert.equal(batches.length, 2);
});

Deno.test("what is refused for good is dropped; what is refused in part is counted", async () => {
  const { clock, queue, answers, drops, batches } = setUp();
  answers(() =>
    batches.length === 1 ? { status: "failed", message: "400" } : { status: "ok", rejected: 1 }
  );
  for (let n = 1; n <= 8; n++) queue.add(n);
  await clock.turn(1);
  assert.deepEqual(drops, ["4 failed", "1 rejected"]);
  const { sent, dropped, queued } = queue.status();
  assert.deepEqual([sent, dropped, queued], [3, 5, 0]);
});

Deno.test("a batch that is too large goes in halves; one item that is, is dropped", async () => {
  const { clock, queue, answers, drops, batches } = setUp();
  answers((batch) =>
    batch.length > 2 || batch.includes(2) ? { status: "too_large", message: "413" } : OK
  );
  for (let n = 1; n <= 4; n++) queue.add(n);
  await clock.turn(200);
  assert.deepEqual(
    batches,
    [[1, 2, 3, 4], [1, 2], [1], [2, 3, 4], [2], [3, 4]].slice(0, batches.length),
  );
  assert.deepEqual(drops, ["1 failed"]);
  assert.equal(queue.status().sent, 3);
});

Deno.test("shutdown sends all that waits", async () => {
  const { queue, batches, drops } = setUp();
  for (let n = 1; n <= 10; n++) queue.add(n);
  await queue.shutdown(1_000);
  assert.deepEqual(batches, [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10]]);
  assert.deepEqual(drops, []);
});

Deno.test("shutdown does not wait for what nobody answers, and counts what is lost", async () => {
  const { queue, answers, drops, clock } = setUp();
  answers(() => DOWN);
  queue.add(1);
  await queue.shutdown(5_000);
  assert.equal(clock.monotonic(), 0);
  assert.deepEqual(drops, ["1 shutdown"]);
  queue.add(2);
  await clock.turn(1);
  assert.deepEqual(drops, ["1 shutdown", "1 queue_full"]);
});

Deno.test("shutdown tries again within its bound when the other side is busy", async () => {
  const { queue, answers, drops, clock, batches } = setUp();
  answers(() => batches.length === 1 ? BUSY : OK);
  queue.add(1);
  const done = queue.shutdown(5_000);
  await clock.turn(1_000);
  await done;
  assert.equal(batches.length, 2);
  assert.deepEqual(drops, []);
});

Deno.test("shutdown ends within its bound though a send never answers (J5)", async () => {
  const { queue, answers, drops, clock } = setUp();
  answers(() => new Promise(() => {}));
  for (let n = 1; n <= 6; n++) queue.add(n);
  const done = queue.shutdown(5_000);
  await clock.turn(5_000);
  await done;
  assert.deepEqual(drops, ["6 shutdown"]);
});

Deno.test("a count of refused items that cannot be spoils no other count (J5)", async () => {
  for (
    const [rejected, drops] of [[-5, []], [NaN, []], [1.5, ["1 rejected"]], [9, ["4 rejected"]]]
  ) {
    const { drops: heard, queue, answers } = setUp();
    answers(() => ({ status: "ok", rejected: rejected as number, message: "no" }));
    for (let n = 1; n <= 4; n++) queue.add(n);
    await settled();
    assert.deepEqual(heard, drops);
    const { sent, dropped } = queue.status();
    assert.equal(sent + dropped, 4);
    await queue.shutdown(0);
  }
});

Deno.test("who asks to be tried again at once is not asked without a pause", async () => {
  const { clock, batches, queue, answers } = setUp();
  answers(() => ({ status: "retry", message: "429", afterMs: 0 }));
  for (let n = 1; n <= 4; n++) queue.add(n);
  await clock.turn(999);
  assert.equal(batches.length, 1);
  await clock.turn(1 + 2_000 + 4_000);
  assert.equal(batches.length, 4);
  await queue.shutdown(0);
});
