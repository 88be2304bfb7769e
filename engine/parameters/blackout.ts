import { CronSchedule } from "../core/cron_schedule.ts";
import type { TuneContract } from "../core/workflow.ts";

/** A time in which nothing may change, nanoseconds since the epoch. */
export interface Closed {
  /** When it began. */
  readonly from: bigint;
  /** When it is over. */
  readonly to: bigint;
}

/** The blackout window that an instant (nanoseconds since the epoch) lies in. */
export type Blackout = (at: bigint) => Closed | undefined;

/**
 * Compiles blackout windows: each opens at a tick of its cron schedule and lasts `forMs`, the end exclusive.
 * `machineZone` is the zone of one that names none. Throws ScheduleError for fields or a zone that do not hold.
 */
export function compileBlackout(windows: TuneContract["blackout"], machineZone: string): Blackout {
  const compiled = windows.map((window) => ({
    schedule: new CronSchedule(window, machineZone),
    length: BigInt(Math.round(window.forMs * 1e6)),
  }));
  return (at) => {
    for (const { schedule, length } of compiled) {
      const [from] = schedule.newest(at - length, at, 1);
      if (from !== undefined) return { from, to: from + length };
    }
    return undefined;
  };
}
