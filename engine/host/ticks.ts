import { CronSchedule } from "../core/cron_schedule.ts";
import type { TickSubscription } from "../core/plugin.ts";

// The zone of a schedule that names none: plugins are to tick alike on all machines.
const ZONE = "UTC";

const compiled = new WeakMap<TickSubscription, CronSchedule>();

/**
 * The tick that a plugin is to hear of: the latest in (last, now], so that of those missed while nobody hosted it only
 * one is told; undefined when there is none. Without a `last`, nothing was missed. Nanoseconds since the Unix epoch.
 *
 * Errors: ScheduleError when the cron fields or the zone do not hold.
 */
export function dueTick(
  subscription: TickSubscription,
  last: bigint | undefined,
  now: bigint,
): bigint | undefined {
  const schedule = scheduleOf(subscription);
  if (last === undefined || last >= now) return undefined;
  return schedule.newest(last, now, 1)[0];
}

/** The first tick after an instant, nanoseconds since the Unix epoch; undefined when there is none. Errors: as `dueTick`. */
export function nextTick(subscription: TickSubscription, after: bigint): bigint | undefined {
  return scheduleOf(subscription).next(after);
}

function scheduleOf(subscription: TickSubscription): CronSchedule {
  let schedule = compiled.get(subscription);
  if (schedule === undefined) {
    schedule = new CronSchedule(subscription, ZONE);
    compiled.set(subscription, schedule);
  }
  return schedule;
}
