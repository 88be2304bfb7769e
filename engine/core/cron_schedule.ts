import { CronTime } from "cron";
import { messageOf, SpanloopError } from "./errors.ts";
import type { Schedule } from "./workflow.ts";

const NS_PER_MS = 1_000_000n;

/** A schedule whose cron fields or time zone do not hold. Code `schedule.invalid`. */
export class ScheduleError extends SpanloopError {
  /** Says which schedule it is and what to do. */
  constructor(message: string, options: { cause?: unknown } = {}) {
    super("schedule.invalid", message, { exitCode: 2, ...options });
  }
}

/**
 * The ticks of one cron schedule as absolute instants, in nanoseconds since the Unix epoch. Nothing
 * here reads the time: every question brings its own.
 *
 * Cron speaks of a wall clock, and a zone's offset can change under it. The rule is Vixie cron's
 * (crontab(5), "local time changes"):
 *
 * - A schedule that names its times (neither the second, the minute nor the hour field starts with `*`)
 *   runs once for each time it names. Times that fall into a gap run together, once, at the instant the
 *   clock jumped: `30 2 * * *` runs at 03:00 in the night of a spring-forward. Times that come twice run at
 *   the first: `30 1 * * *` runs once in the night of a fall-back.
 * - A schedule with such a wildcard means an interval and follows the clock as it is: `30 * * * *` also
 *   runs at the second 01:30, and `*\/15 2 * * *` has nothing to run at in a gap.
 *
 * npm:cron parses the fields and walks them in UTC only, where no clock ever jumps: its own walk over a
 * fall-back returns instants before the one it was asked from (kelektiv/node-cron#1087). The offsets come
 * from Temporal. npm:cron gives up on a schedule that has no time within eight years of the machine's
 * date, and so such a schedule has no more ticks here.
 */
export class CronSchedule {
  /** The IANA zone whose wall clock rules. */
  readonly zone: string;
  readonly #cron: CronTime;
  readonly #namesItsTimes: boolean;
  /** Milliseconds between times that can match. */
  readonly #step: number;

  /**
   * Compiles a schedule; `machineZone` is the zone of one that names none.
   *
   * Errors: ScheduleError when the cron fields, the zone, or their meeting (30 February) do not hold.
   */
  constructor(schedule: Pick<Schedule, "cron" | "timezone">, machineZone: string) {
    this.zone = schedule.timezone ?? machineZone;
    try {
      Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(this.zone);
    } catch (cause) {
      throw new ScheduleError(
        `Cannot use the time zone "${this.zone}": it is not in the IANA database. ` +
          `Write one such as Europe/Paris or UTC`,
        { cause },
      );
    }
    try {
      this.#cron = new CronTime(schedule.cron, "UTC");
    } catch (cause) {
      throw new ScheduleError(
        `Cannot read the schedule "${schedule.cron}": ${messageOf(cause)}. ` +
          `Write five fields (minute hour day month weekday), or six with seconds first`,
        { cause },
      );
    }
    this.#namesItsTimes = namesItsTimes(schedule.cron);
    this.#step = hasSeconds(schedule.cron) ? 1_000 : 60_000;
    // Any four years hold a 29 February, but for those around 1900 and 2100.
    if (
      this.#nextWall(Temporal.Instant.from("2024-01-01T00:00Z").epochMilliseconds) === undefined
    ) {
      throw new ScheduleError(
        `Cannot use the schedule "${schedule.cron}": no date ever matches it. ` +
          `Look at its day and month`,
      );
    }
  }

  /** The first tick after an instant, or undefined when there is none. */
  next(after: bigint): bigint | undefined {
    const { value } = this.#ticks(after).next();
    return value;
  }

  /** Ticks in (after, until], oldest first, at most `limit` of them. */
  between(after: bigint, until: bigint, limit: number): bigint[] {
    const ticks: bigint[] = [];
    if (limit <= 0) return ticks;
    for (const tick of this.#ticks(after)) {
      if (tick > until) break;
      ticks.push(tick);
      if (ticks.length === limit) break;
    }
    return ticks;
  }

  /**
   * The newest ticks in (after, until], oldest first, at most `count` of them. The cost depends on
   * `count`, not on how long the time is: a schedule of every second after a month of downtime is cheap.
   */
  newest(after: bigint, until: bigint, count: number): bigint[] {
    let span = 60_000n * NS_PER_MS;
    for (;;) {
      const from = until - span > after ? until - span : after;
      const ticks = this.between(from, until, Infinity);
      if (ticks.length >= count || from >= until || from === after) return ticks.slice(-count);
      span *= 4n;
    }
  }

  // A zone's time is a row of segments with one offset each; within one, wall time and instants move alike.
  *#ticks(after: bigint): Generator<bigint, undefined> {
    const from = Number(after / NS_PER_MS);
    let start = segmentStart(this.zone, from + 1);
    for (let last = from;;) {
      const here = zoned(this.zone, start ?? from + 1);
      const offset = offsetOf(here);
      const before = start === undefined ? offset : offsetOf(zoned(this.zone, start - 1));
      const end = here.getTimeZoneTransition("next")?.epochMilliseconds;

      let wall = Math.max((start ?? -Infinity) + offset, last + offset + 1);
      if (start !== undefined && this.#namesItsTimes) {
        if (offset > before && start > last) {
          const skipped = this.#nextWall(start + before - 1);
          if (skipped === undefined) return;
          if (skipped < start + offset) {
            last = start;
            yield BigInt(start) * NS_PER_MS;
            wall = start + offset + 1;
          }
        }
        if (offset < before) wall = Math.max(wall, start + before);
      }
      for (;;) {
        const found = this.#nextWall(wall - 1);
        if (found === undefined) return;
        if (end !== undefined && found - offset >= end) break;
        last = found - offset;
        wall = found + 1;
        yield BigInt(last) * NS_PER_MS;
      }
      start = end;
    }
  }

  // The first match after a wall time, both as milliseconds of a UTC day.
  #nextWall(after: number): number | undefined {
    try {
      // npm:cron looks past the whole second that its argument lies in, second by second: from the last
      // second of a minute it is at once where fields without seconds can match again.
      const from = (Math.floor(after / this.#step) + 1) * this.#step - 1_000;
      return this.#cron.getNextDateFrom(new Date(from), "UTC").toMillis();
    } catch {
      return undefined;
    }
  }
}

function hasSeconds(cron: string): boolean {
  const source = cron.trim().toLowerCase();
  return source === "@secondly" || source.split(/\s+/).length === 6;
}

// Vixie cron's MIN_STAR and HR_STAR, and their like for seconds.
function namesItsTimes(cron: string): boolean {
  const source = cron.trim().toLowerCase();
  if (source.startsWith("@")) return !/^@(hour|minute|second)ly$/.test(source);
  const fields = source.split(/\s+/);
  return !fields.slice(0, fields.length === 6 ? 3 : 2).some((field) => field.startsWith("*"));
}

function zoned(zone: string, ms: number): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(zone);
}

function offsetOf(time: Temporal.ZonedDateTime): number {
  return time.offsetNanoseconds / 1e6;
}

// When the offset that rules at `ms` began; undefined if it always has.
function segmentStart(zone: string, ms: number): number | undefined {
  // "previous" is strict, and the change may be at `ms` itself.
  return zoned(zone, ms + 1).getTimeZoneTransition("previous")?.epochMilliseconds;
}
