import { type Clock, later } from "../core/clock.ts";
import type { TickSubscription } from "../core/plugin.ts";
import { dueTick, nextTick } from "./ticks.ts";

/** A tick that a plugin is to hear of. */
export interface DueTick {
  /** When it was due, nanoseconds since the Unix epoch. */
  readonly tick: bigint;
  /** Whose it is: schedules that are due at once make one tick. */
  readonly subscriptions: readonly TickSubscription[];
}

/**
 * The ticks of one plugin's schedules, each told once; of those that were missed while nobody hosted it only the latest.
 */
export class TickSchedule {
  readonly #clock: Clock;
  readonly #subscriptions: readonly TickSubscription[];
  readonly #onDue: (due: DueTick) => void;
  // By the schedule's text: the last tick that was handled, and the last that was told.
  readonly #handled: Record<string, bigint>;
  readonly #told: Record<string, bigint> = {};
  #cancel: (() => void) | undefined;

  /** `last`: the last ticks that were handled, nanoseconds since the epoch; a schedule without one begins now. */
  constructor(
    clock: Clock,
    subscriptions: readonly TickSubscription[],
    last: Readonly<Record<string, bigint>>,
    onDue: (due: DueTick) => void,
  ) {
    this.#clock = clock;
    this.#subscriptions = subscriptions;
    this.#onDue = onDue;
    const now = clock.now();
    this.#handled = Object.fromEntries(
      subscriptions.map((
        subscription,
      ) => [textOf(subscription), last[textOf(subscription)] ?? now]),
    );
  }

  /** Tells of what was missed, and of each tick when it is due. */
  start(): void {
    const now = this.#clock.now();
    let soonest: bigint | undefined;
    const due = new Map<bigint, TickSubscription[]>();
    for (const subscription of this.#subscriptions) {
      const text = textOf(subscription);
      const tick = dueTick(subscription, this.#told[text] ?? this.#handled[text], now);
      if (tick !== undefined) {
        this.#told[text] = tick;
        due.set(tick, [...due.get(tick) ?? [], subscription]);
      }
      const next = nextTick(subscription, now);
      if (next !== undefined && (soonest === undefined || next < soonest)) soonest = next;
    }
    for (const [tick, subscriptions] of [...due].sort(([a], [b]) => a < b ? -1 : 1)) {
      this.#onDue({ tick, subscriptions });
    }
    if (soonest === undefined) return;
    const ms = Number((soonest - now) / 1_000_000n) + 1;
    this.#cancel = later(this.#clock, ms, () => this.start());
  }

  /** The handler has returned for a tick. */
  handled({ tick, subscriptions }: DueTick): void {
    for (const subscription of subscriptions) this.#handled[textOf(subscription)] = tick;
  }

  /** What was handled, as it is stored. */
  text(): string {
    const ticks = Object.entries(this.#handled).map(([text, at]) => [text, String(at)]);
    return JSON.stringify(Object.fromEntries(ticks));
  }

  /** Tells no more. */
  stop(): void {
    this.#cancel?.();
  }
}

function textOf({ cron, timezone }: TickSubscription): string {
  return timezone === undefined ? cron : `${cron} ${timezone}`;
}
