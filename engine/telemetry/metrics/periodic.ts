import type { Clock } from "../../core/clock.ts";

/**
 * Collects again and again.
 *
 * Invariants:
 * - One collection at a time: each delta is in exactly one of them.
 * - J5: a collection that fails is told of and counted, and the next one comes all the same.
 */
export class PeriodicCollection {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #collect: () => Promise<void>;
  readonly #onError: (thrown: unknown) => void;
  #last: Promise<void> = Promise.resolve();
  #cancel: () => void = () => {};
  #stopped = false;

  /** Calls `collect` every `intervalMs`, the first time after as long. */
  constructor(ports: {
    readonly clock: Clock;
    readonly intervalMs: number;
    readonly collect: () => Promise<void>;
    readonly onError: (thrown: unknown) => void;
  }) {
    this.#clock = ports.clock;
    this.#intervalMs = ports.intervalMs;
    this.#collect = ports.collect;
    this.#onError = ports.onError;
    this.#arm();
  }

  /** Collects after what is under way. Never rejects. */
  now(): Promise<void> {
    if (!this.#stopped) this.#last = this.#last.then(this.#collect).catch(this.#onError);
    return this.#last;
  }

  /** Collects a last time; nothing comes after it. Never rejects. */
  stop(): Promise<void> {
    this.#cancel();
    const last = this.now();
    this.#stopped = true;
    return last;
  }

  #arm(): void {
    this.#cancel = this.#clock.after(this.#intervalMs, () => {
      this.now().finally(() => this.#stopped || this.#arm());
    });
  }
}
