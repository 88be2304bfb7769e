import type { Clock } from "../../engine/core/clock.ts";

interface Timer {
  readonly at: number;
  readonly fire: () => void;
}

// Turns of the event loop in which nothing has come of a timer before the next one may fire.
const QUIET = 12;

/** A clock that stands still until it is told to go on: days pass in seconds. */
export class SimulatedClock implements Clock {
  // Milliseconds since the Unix epoch.
  #now: number;
  readonly #timers = new Set<Timer>();

  /** Begins at a time, milliseconds since the Unix epoch. */
  constructor(begin: number) {
    this.#now = begin;
  }

  now(): bigint {
    return BigInt(Math.round(this.#now * 1e3)) * 1_000n;
  }

  monotonic(): number {
    return this.#now;
  }

  after(ms: number, fire: () => void): () => void {
    const timer = { at: this.#now + Math.max(0, ms), fire };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** Milliseconds since the Unix epoch. */
  get time(): number {
    return this.#now;
  }

  /** It is later at once, as for a machine that has slept: each timer that is due by then fires once. */
  jump(to: number): void {
    this.#now = Math.max(this.#now, to);
  }

  /**
   * Lets time pass, from timer to timer, until the promise has settled. `pace`: real milliseconds to wait at each timer,
   * for what reads files meanwhile, such as modules that are loaded.
   */
  async drive<T>(promise: Promise<T>, pace = 0): Promise<T> {
    let settled = false;
    const settle = () => void (settled = true);
    promise.then(settle, settle);
    while (!settled) {
      for (let turn = 0; turn < QUIET && !settled; turn++) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      if (pace > 0) await new Promise((resolve) => setTimeout(resolve, pace));
      if (!settled) this.#next();
    }
    return await promise;
  }

  #next(): void {
    let next: Timer | undefined;
    for (const timer of this.#timers) if (next === undefined || timer.at < next.at) next = timer;
    if (next === undefined) return;
    this.#timers.delete(next);
    this.#now = Math.max(this.#now, next.at);
    next.fire();
  }
}
