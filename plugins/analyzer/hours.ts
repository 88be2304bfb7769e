import { Cycle, type KeptCycle } from "./cycle.ts";

/** What is known of the hours, as it is kept. */
export interface KeptHours {
  /** What the hours of the day do. */
  readonly hours: KeptCycle;
  /** What the days of the week do beyond that. */
  readonly days: KeptCycle;
  /** What the hours of the week do beyond both. */
  readonly week: KeptCycle;
  /** The hour that is not learned yet; null of nothing. */
  readonly visit: Sum | null;
  /** The day that is not learned yet; null of nothing. */
  readonly today: Sum | null;
}

type Sum = readonly [at: number, sum: number, count: number];

const DAY = 24;
const WEEK = 7;
const HOUR_S = 3_600;

/**
 * What the hours of the week (UTC) do to a step's logarithmic cost, by when a run begins: what the hour of the day does,
 * then the day of the week, then what is left for that hour on that day. Runs of one hour count as one.
 */
export class Hours {
  readonly #hours: Cycle;
  readonly #days: Cycle;
  readonly #week: Cycle;
  #visit: Sum | null;
  #today: Sum | null;

  /** Takes up what was kept. */
  constructor(kept?: KeptHours) {
    this.#hours = new Cycle(DAY, kept?.hours);
    this.#days = new Cycle(WEEK, kept?.days);
    this.#week = new Cycle(DAY * WEEK, kept?.week);
    this.#visit = kept?.visit ?? null;
    this.#today = kept?.today ?? null;
  }

  /** How far a run at `time`, seconds since the epoch, is expected to be off. */
  expected(time: number): number {
    const hour = hourSinceMonday(time);
    return this.#hours.expected(hour) + this.#days.expected(dayOf(hour)) +
      this.#week.expected(hour);
  }

  /** A run at `time` cost so much. */
  learn(time: number, cost: number): void {
    const now = hourSinceMonday(time);
    const [hour, sum, count] = this.#visit ?? [now, 0, 0];
    if (now <= hour) {
      this.#visit = [hour, sum + cost, count + 1];
      return;
    }
    this.#learnHour(hour, sum / count);
    this.#visit = [now, cost, 1];
  }

  /** The level has changed. */
  disturb(): void {
    for (const cycle of [this.#hours, this.#days, this.#week]) cycle.disturb();
  }

  /** What to keep. */
  write(): KeptHours {
    return {
      hours: this.#hours.write(),
      days: this.#days.write(),
      week: this.#week.write(),
      visit: this.#visit,
      today: this.#today,
    };
  }

  #learnHour(hour: number, cost: number): void {
    const day = dayOf(hour);
    const left = cost - this.#hours.expected(hour);
    this.#week.learn(hour, left - this.#days.expected(day));
    const [at, sum, count] = this.#today ?? [day, 0, 0];
    if (day > at) this.#days.learn(at, sum / count);
    this.#today = day > at ? [day, left, 1] : [at, sum + left, count + 1];
    this.#hours.learn(hour, cost);
  }
}

/** The hour of the week, from Monday 00:00 UTC, of a time in seconds since the epoch. */
export function hourOf(time: number): number {
  return hourSinceMonday(time) % (DAY * WEEK);
}

// The epoch was a Thursday.
function hourSinceMonday(time: number): number {
  return Math.floor(time / HOUR_S) + 3 * DAY;
}

function dayOf(hour: number): number {
  return Math.floor(hour / DAY);
}
