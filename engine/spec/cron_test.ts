import assert from "node:assert/strict";
import { CronTime } from "cron";
import { cronProblem, longestGapMs, timeZoneProblem } from "./cron.ts";

Deno.test("cronProblem takes five and six fields, names, ranges, steps and lists", () => {
  const good = [
    "* * * * *",
    "*/30 * * * *",
    "0 8 * * 1-5",
    "0 8 * * MON-FRI",
    "0,30 8-18/2 1,15 JAN,jul *",
    "30 0 0 1 1 *",
    "0 0 29 2 *",
    "5/10 * * * *",
    "0 0 * * 7",
  ];
  for (const cron of good) {
    assert.equal(cronProblem(cron), undefined, cron);
    // The library that fires the ticks reads it too.
    assert.doesNotThrow(() => new CronTime(cron), cron);
  }
  const bad = [
    "",
    "* * * *",
    "60 * * * *",
    "* 24 * * *",
    "* * 0 * *",
    "* * * 13 *",
    "*/0 * * * *",
    "a * * * *",
    "5-1 * * * *",
    "1-*/2 * * * *",
    "0 0 30 2 *",
  ];
  for (const cron of bad) assert.ok(cronProblem(cron), cron);
});

Deno.test("longestGapMs tells the gap between daily ticks and leaves calendars alone", () => {
  assert.equal(longestGapMs("0 8 * * *"), 86_400_000);
  assert.equal(longestGapMs("*/5 * * * *"), 300_000);
  assert.equal(longestGapMs("0 8,20 * * *"), 43_200_000);
  assert.equal(longestGapMs("0 8 * * 1-5"), undefined);
});

Deno.test("timeZoneProblem knows IANA names", () => {
  assert.equal(timeZoneProblem("Europe/Paris"), undefined);
  assert.equal(timeZoneProblem("UTC"), undefined);
  assert.match(timeZoneProblem("Paris")!, /not a time zone/);
});
