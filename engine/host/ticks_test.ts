import assert from "node:assert/strict";
import { ScheduleError } from "../core/cron_schedule.ts";
import { dueTick, nextTick } from "./ticks.ts";

const at = (text: string) => Temporal.Instant.from(text).epochNanoseconds;
const HOURLY = { cron: "0 * * * *" };

Deno.test("of the ticks that were missed only the latest is due", () => {
  const now = at("2026-03-10T10:30:00Z");
  assert.equal(dueTick(HOURLY, at("2026-03-01T00:00:00Z"), now), at("2026-03-10T10:00:00Z"));
  assert.equal(dueTick(HOURLY, at("2026-03-10T09:59:59Z"), now), at("2026-03-10T10:00:00Z"));
});

Deno.test("a tick that was handled is not due again, and one is due the moment it comes", () => {
  const tick = at("2026-03-10T10:00:00Z");
  assert.equal(dueTick(HOURLY, tick, tick + 1n), undefined);
  assert.equal(dueTick(HOURLY, tick, tick), undefined);
  assert.equal(dueTick(HOURLY, tick - 1n, tick), tick);
  assert.equal(dueTick(HOURLY, tick + 1n, tick), undefined, "a clock that went back");
});

Deno.test("a schedule that begins now has missed nothing", () => {
  assert.equal(dueTick(HOURLY, undefined, at("2026-03-10T10:00:00Z")), undefined);
});

Deno.test("ticks are in UTC without a zone, else in the zone", () => {
  const after = at("2026-07-01T00:00:00Z");
  assert.equal(nextTick({ cron: "0 8 * * *" }, after), at("2026-07-01T08:00:00Z"));
  const paris = { cron: "0 8 * * *", timezone: "Europe/Paris" };
  assert.equal(nextTick(paris, after), at("2026-07-01T06:00:00Z"));
  assert.equal(nextTick(paris, at("2026-07-01T06:00:00Z")), at("2026-07-02T06:00:00Z"));
});

Deno.test("a schedule or zone that does not hold is an error that says so", () => {
  assert.throws(() => nextTick({ cron: "61 * * * *" }, 0n), ScheduleError);
  assert.throws(
    () => dueTick({ cron: "* * * * *", timezone: "Mars/Base" }, 0n, 1n),
    /Cannot use the time zone "Mars\/Base"/,
  );
});
