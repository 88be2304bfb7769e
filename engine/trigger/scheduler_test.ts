import assert from "node:assert/strict";
import { StoreError } from "../core/errors.ts";
import { openMemory } from "../store/memory.ts";
import {
  HandClock,
  HOUR,
  MIDNIGHT,
  MINUTE,
  Process,
  settle,
  time,
  workflow,
} from "./_process_test.ts";

const NS = 1_000_000n;
const at = (time: string) => Temporal.Instant.from(`2026-05-01T${time}Z`).epochNanoseconds;

Deno.test("each tick starts one run, on time, under a key of its own (R9)", async () => {
  const process = new Process(openMemory());
  await process.serve(workflow("nightly", {}));
  await process.clock.advance(29_999);
  assert.deepEqual(process.ticks, []);
  await process.clock.advance(1);
  assert.deepEqual(process.ticks, ["00:01:00"]);
  await process.clock.advance(2 * MINUTE);
  assert.deepEqual(process.ticks, ["00:01:00", "00:02:00", "00:03:00"]);
  const [{ key }] = process.started;
  assert.match(key, /^nightly\/schedule-[0-9a-f]{8}\/2026-05-01T00:01:00Z$/);
  assert.deepEqual(process.told(), [
    "serving",
    "started 00:01:00",
    "started 00:02:00",
    "started 00:03:00",
  ]);
  await process.scheduler.stop();
});

Deno.test("overlap skip leaves out ticks while the run before is under way", async () => {
  const process = new Process(openMemory());
  process.quick = false;
  await process.serve(workflow("w", { overlap: "skip" }));
  await process.clock.advance(3 * MINUTE);
  assert.deepEqual(process.told(), [
    "serving",
    "started 00:01:00",
    "skipped 00:02:00",
    "skipped 00:03:00",
  ]);
  await process.end();
  await process.clock.advance(MINUTE);
  assert.deepEqual(process.ticks, ["00:01:00", "00:04:00"]);
  await process.scheduler.stop();
});

Deno.test("overlap queue starts each tick in order, as soon as the run before has ended", async () => {
  const process = new Process(openMemory());
  process.quick = false;
  await process.serve(workflow("w", { overlap: "queue" }));
  await process.clock.advance(3 * MINUTE);
  assert.deepEqual(process.ticks, ["00:01:00"]);
  await process.end();
  assert.deepEqual(process.ticks, ["00:01:00", "00:02:00"]);
  await process.end();
  assert.deepEqual(process.ticks, ["00:01:00", "00:02:00", "00:03:00"]);
  assert.deepEqual(process.told("queued"), ["queued 00:02:00", "queued 00:03:00"]);
  await process.scheduler.stop();
});

Deno.test("overlap queue is bounded: the oldest waiting ticks are given up, and it says so", async () => {
  const process = new Process(openMemory());
  process.quick = false;
  await process.serve(workflow("w", { overlap: "queue" }));
  await process.clock.advance(104 * MINUTE);
  assert.deepEqual(process.told("coalesced"), [
    "coalesced 00:02:00",
    "coalesced 00:03:00",
    "coalesced 00:04:00",
  ]);
  await process.end();
  assert.deepEqual(process.ticks, ["00:01:00", "00:05:00"]);
  await process.scheduler.stop();
});

Deno.test("overlap cancel ends the run before, waits until it has ended, then starts", async () => {
  const process = new Process(openMemory());
  process.quick = false;
  await process.serve(workflow("w", { overlap: "cancel" }));
  await process.clock.advance(2 * MINUTE);
  const first = process.started[0].runId;
  assert.deepEqual(process.cancelled, [first]);
  assert.deepEqual(process.ticks, ["00:01:00"]);
  // It takes its time; the newest tick alone is still wanted, and it is asked once.
  await process.clock.advance(MINUTE);
  assert.deepEqual(process.cancelled, [first]);
  await process.end(first, "cancelled");
  assert.deepEqual(process.told(), [
    "serving",
    "started 00:01:00",
    "cancelling 00:02:00",
    "superseded 00:02:00",
    "started 00:03:00",
  ]);
  await process.scheduler.stop();
});

Deno.test("the run before may be one of an earlier process; other schedules' runs do not count", async () => {
  const store = openMemory();
  const before = new Process(store);
  before.quick = false;
  await before.serve(workflow("w", { overlap: "queue" }));
  await before.clock.advance(30_000);
  await before.scheduler.stop();

  const process = new Process(store, before.clock, 2);
  process.quick = false;
  await process.serve(
    workflow("w", { overlap: "queue" }, { cron: "*/2 * * * *" }),
    workflow("v", {}),
  );
  await process.clock.advance(MINUTE);
  assert.deepEqual(process.started.map(({ key }) => key.split("/")[0]).sort(), ["v", "w"]);
  assert.deepEqual(process.told("queued"), ["queued 00:02:00"]);
  // Nobody tells this process that the other's run ended: it looks (R8).
  await before.end();
  await process.clock.advance(499);
  await process.clock.advance(1);
  assert.equal(process.started.length, 3);
  await process.scheduler.stop();
});

for (
  const [catchUp, expected] of [
    ["none", []],
    ["latest", ["03:00:00"]],
    ["all", ["01:00:00", "02:00:00", "03:00:00"]],
  ] as const
) {
  Deno.test(`after downtime, catch_up ${catchUp} runs what it says and the next tick as ever`, async () => {
    const store = openMemory();
    const before = new Process(store);
    const hourly = workflow("w", { cron: "0 * * * *", catchUp });
    await before.serve(hourly);
    await before.clock.advance(MINUTE);
    await before.scheduler.stop();
    before.clock.set(3 * HOUR);
    const process = new Process(store, before.clock, 2);
    await process.serve(hourly);
    await process.clock.advance(0);
    assert.deepEqual(process.ticks, expected);
    await process.scheduler.stop();

    // What was caught up or ignored stays so.
    const again = new Process(store, before.clock, 3);
    await again.serve(workflow("w", { cron: "0 * * * *", catchUp: "all" }));
    await again.clock.advance(HOUR);
    assert.deepEqual(again.ticks, ["04:00:00"]);
    assert.deepEqual(before.ticks, []);
    await again.scheduler.stop();
  });
}

Deno.test("catch_up all runs one after another, even where overlap says skip, at most 1,000", async () => {
  const store = openMemory();
  const before = new Process(store);
  const schedule = workflow("w", { catchUp: "all", overlap: "skip" });
  await before.serve(schedule);
  await before.scheduler.stop();
  before.clock.set(1_500 * MINUTE);
  const process = new Process(store, before.clock, 2);
  process.quick = false;
  await process.serve(schedule);
  assert.equal(process.started.length, 1);
  // 1,500 minutes after 00:00:30 the newest missed tick is that of 01:00 the next day.
  const newest = MIDNIGHT + 1_500n * 60_000n * NS;
  assert.equal(process.started[0].tick, newest - 999n * 60_000n * NS);
  for (let i = 0; i < 3; i++) await process.end();
  assert.equal(process.started.length, 4);
  assert.equal(process.started[3].tick, newest - 996n * 60_000n * NS);
  const missed = process.events.find((event) => event.type === "missed");
  assert.ok(missed?.type === "missed");
  assert.deepEqual([missed.caughtUp, missed.more], [1_000, true]);
  await process.scheduler.stop();
});

Deno.test("a schedule that was never served has nothing to catch up", async () => {
  const process = new Process(openMemory());
  process.clock.set(5 * HOUR);
  await process.serve(workflow("w", { cron: "0 * * * *", catchUp: "all" }));
  await process.clock.advance(MINUTE);
  assert.deepEqual(process.ticks, []);
  await process.scheduler.stop();
});

Deno.test("a second process waits, and takes over when the first one's lease has lapsed (R8)", async () => {
  const store = openMemory();
  const first = new Process(store);
  const second = new Process(store, new HandClock(), 2);
  await first.serve(workflow("w", {}));
  await second.serve(workflow("w", {}));
  const both = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 500) {
      await first.clock.advance(500);
      await second.clock.advance(500);
    }
  };
  await both(MINUTE + 29_000);
  assert.deepEqual(first.ticks, ["00:01:00"]);
  assert.deepEqual(second.told(), ["standby"]);
  // The first one is stopped (SIGSTOP) a second before a tick; it renewed two seconds ago.
  await second.clock.advance(7_000);
  assert.deepEqual(second.told(), ["standby"]);
  await second.clock.advance(53_000);
  assert.deepEqual(second.told("serving", "started"), ["serving", "started 00:02:00"]);
  // It wakes after its lease with the tick's timer first: it does not even try (R8).
  await first.clock.stall(MINUTE);
  assert.deepEqual(first.ticks, ["00:01:00"]);
  assert.deepEqual(first.told(), ["serving", "started 00:01:00", "lost", "standby"]);
  await second.scheduler.stop();
  await first.clock.advance(MINUTE);
  assert.deepEqual(first.ticks, ["00:01:00", "00:03:00"]);
  await first.scheduler.stop();
});

Deno.test("a second process takes over at once when the first one is dead (R7)", async () => {
  const store = openMemory();
  const first = new Process(store);
  await first.serve(workflow("w", {}));
  const second = new Process(store, new HandClock(), 2);
  second.dead = first.holder;
  await second.serve(workflow("w", {}));
  assert.deepEqual(second.told(), ["serving"]);
  await second.scheduler.stop();
});

for (const ended of [false, true]) {
  const which = ended ? "that has ended" : "still under way";
  Deno.test(`a crash between a start and its record does not double a run ${which} (R9)`, async () => {
    const store = openMemory();
    const crashed = new Process(store);
    crashed.quick = false;
    // The run is in the store; then the store goes away, and the process with it.
    crashed.trouble = { error: new StoreError("store.unavailable", "gone"), when: "after" };
    const schedule = workflow("w", { catchUp: "latest", overlap: "cancel" });
    await crashed.serve(schedule);
    await crashed.clock.advance(30_000);
    assert.deepEqual(crashed.ticks, ["00:01:00"]);
    assert.deepEqual(crashed.told(), ["serving", "retrying"]);
    if (ended) await crashed.end();

    const process = new Process(store, new HandClock(), 2);
    process.clock.set(31_000);
    process.dead = crashed.holder;
    await process.serve(schedule);
    // Its own run is recognised, not cancelled.
    assert.deepEqual(process.told(), ["serving", "missed", "duplicate 00:01:00"]);
    await process.clock.advance(MINUTE);
    assert.deepEqual(process.ticks, ended ? ["00:02:00"] : []);
    assert.deepEqual(process.cancelled, ended ? [] : [crashed.started[0].runId]);
    await process.scheduler.stop();
  });
}

Deno.test("a start that the store refuses for now is tried again; any other failure gives the tick up", async () => {
  const process = new Process(openMemory());
  await process.serve(workflow("w", {}));
  process.trouble = { error: new StoreError("store.busy", "busy"), when: "before" };
  await process.clock.advance(36_000);
  assert.deepEqual(process.told(), ["serving", "retrying", "started 00:01:00"]);
  process.trouble = { error: new Error("a parameter is missing"), when: "before" };
  await process.clock.advance(2 * MINUTE);
  assert.deepEqual(process.told("failed", "started"), [
    "started 00:01:00",
    "failed 00:02:00",
    "started 00:03:00",
  ]);
  await process.scheduler.stop();
});

Deno.test("set() keeps what it knows of unchanged schedules and runs the new text", async () => {
  const process = new Process(openMemory());
  process.quick = false;
  await process.serve(workflow("w", { overlap: "queue" }), workflow("gone", {}));
  await process.clock.advance(2 * MINUTE);
  assert.deepEqual(process.told("queued"), ["queued 00:02:00"]);
  process.scheduler.set([
    { ...workflow("w", { cron: " *  * * * * ", overlap: "queue" }), text: "changed" },
    workflow("new", {}),
  ]);
  await process.end(process.started.find(({ key }) => key.startsWith("w/"))!.runId);
  const queued = process.started.at(-1)!;
  assert.deepEqual([time(queued.tick), queued.text], ["00:02:00", "changed"]);
  const [count, told] = [process.started.length, process.events.length];
  await process.clock.advance(MINUTE);
  const about = process.events.slice(told).map((event) => "workflow" in event && event.workflow);
  assert.deepEqual(about.sort(), ["new", "w"]);
  assert.deepEqual(process.started.slice(count).map(({ key }) => key.split("/")[0]), ["new"]);
  await process.scheduler.stop();
});

Deno.test("stop() is gentle: no tick starts any more, runs go on, the lease is free", async () => {
  const store = openMemory();
  const process = new Process(store);
  process.quick = false;
  await process.serve(workflow("w", { overlap: "queue" }));
  await process.clock.advance(2 * MINUTE);
  await process.scheduler.stop();
  assert.equal(process.clock.timers, 0);
  await process.end();
  await process.clock.advance(5 * MINUTE);
  assert.deepEqual(process.ticks, ["00:01:00"]);
  assert.deepEqual(process.cancelled, []);
  const next = new Process(store, new HandClock(), 2);
  await next.serve();
  assert.deepEqual(next.told(), ["serving"]);
  await next.scheduler.stop();
});

Deno.test("stop() waits for a start that is under way, and its tick is handled (R9)", async () => {
  const store = openMemory();
  const process = new Process(store);
  const gate = Promise.withResolvers<void>();
  process.gate = gate.promise;
  await process.serve(workflow("w", { catchUp: "all", overlap: "queue" }));
  await process.clock.advance(30_000);
  let stopped = false;
  const stopping = process.scheduler.stop().then(() => stopped = true);
  await settle();
  assert.deepEqual([stopped, process.ticks], [false, []]);
  gate.resolve();
  await stopping;
  assert.deepEqual(process.ticks, ["00:01:00"]);
  const next = new Process(store, process.clock, 2);
  await next.serve(workflow("w", { catchUp: "all", overlap: "queue" }));
  assert.deepEqual(next.told(), ["serving"]);
  await next.scheduler.stop();
});

Deno.test("a start that hangs past the lease does not keep others, or this process, from serving", async () => {
  const store = openMemory();
  const hung = new Process(store);
  const gate = Promise.withResolvers<void>();
  hung.gate = gate.promise;
  await hung.serve(workflow("w", { catchUp: "latest" }));
  await hung.clock.advance(30_000);
  const other = new Process(store, new HandClock(), 2);
  other.clock.set(60_000);
  await other.serve(workflow("w", { catchUp: "latest" }));
  assert.deepEqual(other.ticks, ["00:01:00"]);
  await other.scheduler.stop();
  hung.gate = undefined;
  await hung.clock.advance(MINUTE);
  assert.deepEqual(hung.told(), ["serving", "lost", "serving", "started 00:02:00"]);
  gate.resolve();
  await settle();
  assert.deepEqual(hung.told().at(-1), "duplicate 00:01:00");
  assert.deepEqual(hung.ticks, ["00:02:00"]);
  await hung.scheduler.stop();
});

Deno.test("a wall clock that is set back runs no tick twice (R9)", async () => {
  const process = new Process(openMemory());
  await process.serve(workflow("w", { catchUp: "all" }));
  await process.clock.advance(5 * MINUTE);
  assert.equal(process.ticks.at(-1), "00:05:00");
  process.clock.set(-3 * MINUTE);
  await process.clock.advance(4 * MINUTE);
  assert.deepEqual(process.ticks, [
    "00:01:00",
    "00:02:00",
    "00:03:00",
    "00:04:00",
    "00:05:00",
    "00:06:00",
  ]);
  await process.scheduler.stop();
});

Deno.test("a wall clock that was days ahead does not silence the schedule", async () => {
  const process = new Process(openMemory());
  process.clock.set(48 * HOUR);
  await process.serve(workflow("w", {}));
  await process.clock.advance(MINUTE);
  process.clock.set(-48 * HOUR);
  await process.clock.advance(3 * MINUTE);
  assert.deepEqual(process.told("clock_back"), ["clock_back"]);
  assert.deepEqual(process.ticks.slice(1), ["00:03:00", "00:04:00"]);
  await process.scheduler.stop();
});

for (const how of ["stall", "set"] as const) {
  Deno.test(`a long suspend is downtime, to be caught up (timers ${how})`, async () => {
    for (const [catchUp, expected] of [["none", []], ["latest", ["05:00:00"]]] as const) {
      const process = new Process(openMemory());
      await process.serve(workflow("w", { cron: "0 * * * *", catchUp }));
      await process.clock.advance(MINUTE);
      await process.clock[how](5 * HOUR);
      await process.clock.advance(MINUTE);
      assert.deepEqual(process.ticks, expected);
      await process.clock.advance(HOUR);
      assert.deepEqual(process.ticks, [...expected, "06:00:00"]);
      await process.scheduler.stop();
    }
  });
}

Deno.test("jitter delays the start and leaves the tick what it is", async () => {
  const process = new Process(openMemory(), new HandClock(), 1, 0.25);
  await process.serve(workflow("w", { jitterMs: 40_000 }));
  await process.clock.advance(30_000 + 9_999);
  assert.deepEqual(process.ticks, []);
  await process.clock.advance(1);
  assert.deepEqual(process.ticks, ["00:01:00"]);
  assert.equal(process.started[0].tick, at("00:01:00"));
  await process.scheduler.stop();
});

Deno.test("a schedule that does not hold is told once and does not hinder the others", async () => {
  const process = new Process(openMemory());
  const bad = workflow("bad", { timezone: "Mars/Olympus" });
  await process.serve(bad, workflow("good", {}, {}));
  process.scheduler.set([bad, workflow("good", {}, {})]);
  const [invalid, ...others] = process.events.filter(({ type }) => type === "invalid");
  assert.ok(invalid.type === "invalid" && others.length === 0);
  assert.match(invalid.message, /time zone "Mars\/Olympus"/);
  await process.clock.advance(MINUTE);
  // The same schedule twice is one.
  assert.deepEqual(process.ticks, ["00:01:00"]);
  const next = { workflow: "good", cron: "* * * * *", zone: "UTC", next: at("00:02:00") };
  assert.deepEqual(process.scheduler.upcoming(), [next]);
  await process.scheduler.stop();
});
