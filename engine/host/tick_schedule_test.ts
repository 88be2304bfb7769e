import assert from "node:assert/strict";
import type { Clock } from "../core/clock.ts";
import type { TickSubscription } from "../core/plugin.ts";
import { type DueTick, TickSchedule } from "./tick_schedule.ts";

const SECOND = 1_000_000_000n;
const MINUTE = 60n * SECOND;
const HOUR = 60n * MINUTE;
// Midnight of a day.
const DAY = 1_790_035_200n * SECOND;

// A clock that is told what time it is.
class Hands implements Clock {
  time: bigint;
  #timers: { at: bigint; fire: () => void }[] = [];

  constructor(time: bigint) {
    this.time = time;
  }

  now(): bigint {
    return this.time;
  }

  monotonic(): number {
    return Number(this.time / 1_000_000n);
  }

  after(ms: number, fire: () => void): () => void {
    const timer = { at: this.time + BigInt(Math.round(ms)) * 1_000_000n, fire };
    this.#timers.push(timer);
    return () => this.#timers = this.#timers.filter((one) => one !== timer);
  }

  /** How many timers wait. */
  get waiting(): number {
    return this.#timers.length;
  }

  to(time: bigint): void {
    for (;;) {
      const [next] = this.#timers.sort((a, b) => a.at < b.at ? -1 : 1);
      if (next === undefined || next.at > time) break;
      this.#timers.shift();
      this.time = next.at;
      next.fire();
    }
    this.time = time;
  }
}

const EVERY_MINUTE: TickSubscription = { cron: "* * * * *" };
const EVERY_HOUR: TickSubscription = { cron: "0 * * * *" };

function schedule(clock: Clock, subscriptions: TickSubscription[], stored = "{}") {
  const told: DueTick[] = [];
  const last = Object.fromEntries(
    Object.entries(JSON.parse(stored)).map(([text, at]) => [text, BigInt(at as string)]),
  );
  const made = new TickSchedule(clock, subscriptions, last, (due) => told.push(due));
  made.start();
  return { made, told, ticks: () => told.map(({ tick }) => Number((tick - DAY) / SECOND)) };
}

Deno.test("each tick is told once when it is due; a new schedule has missed none", () => {
  const clock = new Hands(DAY + 30n * SECOND);
  const { made, ticks } = schedule(clock, [EVERY_MINUTE]);
  clock.to(DAY + 3n * MINUTE + SECOND);
  assert.deepEqual(ticks(), [60, 120, 180]);
  made.stop();
  clock.to(DAY + HOUR);
  assert.deepEqual(ticks(), [60, 120, 180]);
  assert.equal(clock.waiting, 0);
});

Deno.test("of ticks that were missed only the latest is told, and what was handled is not", () => {
  const clock = new Hands(DAY + SECOND);
  const first = schedule(clock, [EVERY_MINUTE]);
  clock.to(DAY + 2n * MINUTE + SECOND);
  first.made.handled(first.told[0]);
  first.made.stop();
  // The second was told, but its handler had not returned.
  clock.time = DAY + 2n * MINUTE + 2n * SECOND;
  const again = schedule(clock, [EVERY_MINUTE], first.made.text());
  assert.deepEqual(again.ticks(), [120]);
  again.made.handled(again.told[0]);
  again.made.stop();
  clock.time = DAY + 90n * MINUTE;
  const late = schedule(clock, [EVERY_MINUTE], again.made.text());
  assert.deepEqual(late.ticks(), [90 * 60]);
  late.made.stop();
});

Deno.test("schedules that are due at once make one tick: its id is its time (T3)", () => {
  const clock = new Hands(DAY + 59n * MINUTE + 30n * SECOND);
  const { made, told, ticks } = schedule(clock, [EVERY_HOUR, EVERY_MINUTE, { ...EVERY_MINUTE }]);
  clock.to(DAY + 61n * MINUTE + SECOND);
  assert.deepEqual(ticks(), [3600, 3660]);
  assert.deepEqual(told.map(({ subscriptions }) => subscriptions.length), [2, 1]);
  for (const one of told) made.handled(one);
  made.stop();
  const again = schedule(clock, [EVERY_HOUR, EVERY_MINUTE], made.text());
  assert.deepEqual(again.ticks(), []);
  again.made.stop();
});

Deno.test("ticks that were missed come in the order of their times", () => {
  const clock = new Hands(DAY);
  const stored = schedule(clock, [EVERY_HOUR, EVERY_MINUTE]).made.text();
  clock.time = DAY + 90n * MINUTE + SECOND;
  const { made, ticks } = schedule(clock, [EVERY_MINUTE, EVERY_HOUR], stored);
  assert.deepEqual(ticks(), [3600, 5400]);
  made.stop();
});

Deno.test("zones are their own schedules, and one that is never due waits for nothing", () => {
  const clock = new Hands(DAY + SECOND);
  const noon = "0 12 * * *";
  const { made, ticks } = schedule(clock, [{ cron: noon, timezone: "Asia/Tokyo" }, { cron: noon }]);
  clock.to(DAY + 24n * HOUR);
  assert.deepEqual(ticks(), [3 * 3600, 12 * 3600]);
  assert.deepEqual(Object.keys(JSON.parse(made.text())).sort(), [noon, `${noon} Asia/Tokyo`]);
  made.stop();
  assert.equal(clock.waiting, 0);
});
