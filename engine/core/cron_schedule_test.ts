import assert from "node:assert/strict";
import { CronSchedule, ScheduleError } from "./cron_schedule.ts";

const at = (text: string) => Temporal.Instant.from(text).epochNanoseconds;
const text = (tick: bigint) => Temporal.Instant.fromEpochNanoseconds(tick).toString();
const ticks = (cron: string, timezone: string, after: string, until: string) =>
  new CronSchedule({ cron, timezone }, "UTC").between(at(after), at(until), 100).map(text);

// Real transitions: New York and Paris move by an hour, Lord Howe by half an hour.

Deno.test("a time in the gap of a spring-forward runs once, when the clock has jumped", () => {
  assert.deepEqual(
    ticks("30 2 * * *", "America/New_York", "2026-03-07T00:00Z", "2026-03-10T00:00Z"),
    [
      "2026-03-07T07:30:00Z",
      "2026-03-08T07:00:00Z", // 03:00 EDT: 02:30 does not exist
      "2026-03-09T06:30:00Z",
    ],
  );
  assert.deepEqual(ticks("30 2 * * *", "Europe/Paris", "2026-03-28T00:00Z", "2026-03-31T00:00Z"), [
    "2026-03-28T01:30:00Z",
    "2026-03-29T01:00:00Z", // 03:00 CEST
    "2026-03-30T00:30:00Z",
  ]);
  assert.deepEqual(
    ticks("15 2 * * *", "Australia/Lord_Howe", "2026-10-02T00:00Z", "2026-10-05T00:00Z"),
    [
      "2026-10-02T15:45:00Z",
      "2026-10-03T15:30:00Z", // 02:30 +11: 02:15 does not exist
      "2026-10-04T15:15:00Z",
    ],
  );
});

Deno.test("several times in one gap run together, and not again at the time after it", () => {
  assert.deepEqual(
    ticks("0,20,40 2,3 * * *", "Europe/Paris", "2026-03-29T00:00Z", "2026-03-29T12:00Z"),
    ["2026-03-29T01:00:00Z", "2026-03-29T01:20:00Z", "2026-03-29T01:40:00Z"],
  );
});

Deno.test("a time that a fall-back repeats runs once, at the first", () => {
  assert.deepEqual(
    ticks("30 1 * * *", "America/New_York", "2026-10-31T00:00Z", "2026-11-03T00:00Z"),
    [
      "2026-10-31T05:30:00Z",
      "2026-11-01T05:30:00Z", // 01:30 EDT, not 01:30 EST
      "2026-11-02T06:30:00Z",
    ],
  );
  assert.deepEqual(ticks("30 2 * * *", "Europe/Paris", "2026-10-24T00:00Z", "2026-10-27T00:00Z"), [
    "2026-10-24T00:30:00Z",
    "2026-10-25T00:30:00Z",
    "2026-10-26T01:30:00Z",
  ]);
  assert.deepEqual(
    ticks("45 1 * * *", "Australia/Lord_Howe", "2026-04-03T00:00Z", "2026-04-06T00:00Z"),
    ["2026-04-03T14:45:00Z", "2026-04-04T14:45:00Z", "2026-04-05T15:15:00Z"],
  );
});

Deno.test("asked from within a repeated hour, a named time is still over", () => {
  for (const after of ["2026-11-01T06:00Z", "2026-11-01T06:15Z", "2026-11-01T06:29:59.999Z"]) {
    const [first] = ticks("30 1 * * *", "America/New_York", after, "2026-11-03T00:00Z");
    assert.equal(first, "2026-11-02T06:30:00Z", after);
  }
  assert.deepEqual(
    ticks("30 1 * * *", "America/New_York", "2026-11-01T05:29:59Z", "2026-11-02T00:00Z"),
    ["2026-11-01T05:30:00Z"],
  );
});

Deno.test("asked from the instant of the jump or just before, a skipped time is not lost or repeated", () => {
  const until = "2026-03-29T12:00Z";
  assert.deepEqual(ticks("30 2 * * *", "Europe/Paris", "2026-03-29T00:59:59.999Z", until), [
    "2026-03-29T01:00:00Z",
  ]);
  assert.deepEqual(ticks("30 2 * * *", "Europe/Paris", "2026-03-29T01:00:00Z", until), []);
  assert.deepEqual(ticks("30 2 * * *", "Europe/Paris", "2026-03-29T01:00:00.001Z", until), []);
});

Deno.test("an interval follows the clock as it is, both ways", () => {
  const hourly = ticks("30 * * * *", "America/New_York", "2026-11-01T04:00Z", "2026-11-01T08:00Z");
  assert.deepEqual(hourly, [
    "2026-11-01T04:30:00Z",
    "2026-11-01T05:30:00Z",
    "2026-11-01T06:30:00Z",
    "2026-11-01T07:30:00Z",
  ]);
  const quarters = ticks("*/15 * * * *", "Europe/Paris", "2026-03-29T00:30Z", "2026-03-29T01:30Z");
  assert.deepEqual(quarters, [
    "2026-03-29T00:45:00Z",
    "2026-03-29T01:00:00Z",
    "2026-03-29T01:15:00Z",
    "2026-03-29T01:30:00Z",
  ]);
  // 01:30 comes twice on Lord Howe, half an hour apart.
  assert.deepEqual(
    ticks("30 * * * *", "Australia/Lord_Howe", "2026-04-04T14:00Z", "2026-04-04T16:30Z"),
    ["2026-04-04T14:30:00Z", "2026-04-04T15:00:00Z", "2026-04-04T16:00:00Z"],
  );
  assert.deepEqual(
    ticks("*/15 2 * * *", "Europe/Paris", "2026-03-29T00:00Z", "2026-03-29T12:00Z"),
    [],
  );
});

Deno.test("ticks never go back, over every transition of a year", () => {
  for (const zone of ["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "UTC"]) {
    for (const [cron, least] of [["*/30 * * * *", 1_400], ["15,45 1,2 * * *", 118]] as const) {
      for (const from of ["2026-03-06T00:00Z", "2026-10-03T00:00Z"]) {
        const all = new CronSchedule({ cron, timezone: zone }, "UTC")
          .between(at(from), at(from) + 30n * 86_400_000_000_000n, 20_000);
        assert.ok(all.length >= least, `${zone} ${cron}: ${all.length}`);
        for (let i = 1; i < all.length; i++) {
          assert.ok(all[i] > all[i - 1], `${zone} ${text(all[i])}`);
        }
      }
    }
  }
});

Deno.test("ticks lie in (after, until]", () => {
  const one = ["2026-05-01T00:10:00Z"];
  assert.deepEqual(
    ticks("*/10 * * * *", "UTC", "2026-05-01T00:00:00Z", "2026-05-01T00:10:00Z"),
    one,
  );
  assert.deepEqual(
    ticks("*/10 * * * *", "UTC", "2026-05-01T00:00:00.000000001Z", "2026-05-01T00:10:00Z"),
    one,
  );
  assert.deepEqual(
    ticks("*/10 * * * *", "UTC", "2026-05-01T00:00:00Z", "2026-05-01T00:09:59.999999999Z"),
    [],
  );
});

Deno.test("newest() gives the last ticks of a long time, in order", () => {
  const daily = new CronSchedule({ cron: "0 3 * * *" }, "Europe/Paris");
  const from = at("2026-01-01T00:00Z");
  assert.deepEqual(daily.newest(from, at("2026-06-01T00:00Z"), 2).map(text), [
    "2026-05-30T01:00:00Z",
    "2026-05-31T01:00:00Z",
  ]);
  assert.deepEqual(daily.newest(from, from, 5), []);
  assert.equal(daily.newest(from, at("2026-01-04T00:00Z"), 1_000).length, 3);
  const everySecond = new CronSchedule({ cron: "* * * * * *" }, "UTC");
  const newest = everySecond.newest(from, at("2026-06-01T00:00Z"), 3).map(text);
  assert.deepEqual(newest, [
    "2026-05-31T23:59:58Z",
    "2026-05-31T23:59:59Z",
    "2026-06-01T00:00:00Z",
  ]);
});

Deno.test("a leap day is found years ahead, and the machine's zone rules where none is named", () => {
  const leap = new CronSchedule({ cron: "0 0 29 2 *" }, "Europe/Paris");
  assert.equal(text(leap.next(at("2026-01-01T00:00Z"))!), "2028-02-28T23:00:00Z");
  assert.equal(leap.zone, "Europe/Paris");
});

Deno.test("what does not hold is refused with what to do", () => {
  const refused: readonly [string, string | undefined, RegExp][] = [
    ["* * * * *", "Europe/Pariss", /time zone "Europe\/Pariss".*IANA/],
    ["61 * * * *", undefined, /Cannot read the schedule "61 \* \* \* \*".*Write five fields/],
    ["* * *", undefined, /Cannot read the schedule/],
    ["0 0 30 2 *", undefined, /no date ever matches/],
  ];
  for (const [cron, timezone, message] of refused) {
    assert.throws(
      () => new CronSchedule({ cron, timezone }, "UTC"),
      (thrown) =>
        thrown instanceof ScheduleError && thrown.code === "schedule.invalid" &&
        message.test(thrown.message),
      `${cron} ${timezone}`,
    );
  }
});
