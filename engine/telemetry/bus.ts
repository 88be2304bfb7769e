import type { JournalRecord } from "../core/span.ts";

/** Hears committed records, in the order of their commit. */
export type BusListener = (record: JournalRecord) => void;

/**
 * Hands committed starts and ends to whoever listens in this process.
 *
 * Invariants:
 * - J1: nothing is published before its commit.
 * - J4: in the order of the commit. Delivery across restarts is the reader's: `Store.since` from its cursor.
 */
export class Bus {
  readonly #listeners = new Set<BusListener>();
  readonly #onError: (thrown: unknown) => void;

  /** `onError` hears what a listener throws; the others and the run do not notice. */
  constructor(onError: (thrown: unknown) => void) {
    this.#onError = onError;
  }

  /** Adds a listener; the returned function removes it. */
  subscribe(listener: BusListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Publishes what a commit wrote. */
  publish(records: readonly JournalRecord[]): void {
    if (this.#listeners.size === 0) return;
    for (const record of records) {
      for (const listener of this.#listeners) {
        try {
          listener(record);
        } catch (thrown) {
          this.#onError(thrown);
        }
      }
    }
  }
}
