import type { Clock } from "../core/clock.ts";
import type { JsonObject } from "../core/json.ts";
import type { Lease, Store } from "../core/store.ts";

/** How long a lease lasts without being renewed, nanoseconds (R7). */
export const LEASE_NS = 10_000_000_000n;

const RENEW_MS = 3_000;

// Changes made by other processes are seen within 500 ms (R8).
const POLL_MS = 200;

/**
 * Keeps this process's leases alive and hears signals that other processes leave for its runs. Its timers
 * run only while there is something to keep.
 *
 * Invariants: R7 (a lease is renewed well before it lapses; one that is gone is reported once), R8 (a
 * signal is delivered once, within 500 ms).
 */
export class Keeper {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #onError: (thrown: unknown) => void;
  readonly #onChange: () => Promise<void>;
  readonly #leases = new Map<string, { readonly lease: Lease; readonly onLost: () => void }>();
  readonly #watched = new Map<string, (name: string, payload: JsonObject) => void>();
  readonly #delivered = new Map<string, number>();
  #version: number | undefined;
  #renewed = 0;
  #cancel: (() => void) | undefined;

  /**
   * `onError` hears of a store that fails; `onChange`, within 500 ms
   * and as long as a run is watched, that any process has committed to the store (R8).
   */
  constructor(ports: {
    readonly store: Store;
    readonly clock: Clock;
    readonly onError: (thrown: unknown) => void;
    readonly onChange?: () => Promise<void>;
  }) {
    this.#store = ports.store;
    this.#clock = ports.clock;
    this.#onError = ports.onError;
    this.#onChange = ports.onChange ?? (() => Promise.resolve());
  }

  /** Renews a lease until it is dropped; `onLost` hears, once, that another process took it. */
  hold(lease: Lease, onLost: () => void): void {
    this.#leases.set(lease.name, { lease, onLost });
    this.#arm();
  }

  /** Renews it no more. */
  drop(name: string): void {
    this.#leases.delete(name);
    this.#disarm();
  }

  /** Delivers a run's signals, those that are there already included. */
  watch(runId: string, deliver: (name: string, payload: JsonObject) => void): void {
    this.#watched.set(runId, deliver);
    this.#arm();
  }

  /** Delivers no more. */
  unwatch(runId: string): void {
    this.#watched.delete(runId);
    this.#delivered.delete(runId);
    this.#disarm();
  }

  /** Delivers the signals that a run has in the store now. */
  async deliver(runIds: readonly string[]): Promise<void> {
    if (runIds.length === 0) return;
    const least = Math.min(...runIds.map((runId) => this.#delivered.get(runId) ?? 0));
    for (const signal of await this.#store.signals(runIds, least)) {
      if (signal.number <= (this.#delivered.get(signal.runId) ?? 0)) continue;
      this.#delivered.set(signal.runId, signal.number);
      this.#watched.get(signal.runId)?.(signal.name, signal.payload);
    }
  }

  /** Stops its timers. */
  stop(): void {
    this.#leases.clear();
    this.#watched.clear();
    this.#disarm();
  }

  #arm(): void {
    if (this.#cancel !== undefined) return;
    this.#renewed = this.#clock.monotonic();
    this.#cancel = this.#clock.after(POLL_MS, () => this.#tick());
  }

  #disarm(): void {
    if (this.#leases.size > 0 || this.#watched.size > 0) return;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  async #tick(): Promise<void> {
    const timer = this.#cancel;
    try {
      if (this.#clock.monotonic() - this.#renewed >= RENEW_MS) await this.#renew();
      const version = await this.#store.version();
      if (version !== this.#version) {
        await this.deliver([...this.#watched.keys()]);
        await this.#onChange();
        // Only now: what a store that fails has kept back is asked for again at the next tick.
        this.#version = version;
      }
    } catch (thrown) {
      this.#onError(thrown);
    }
    // Disarmed, and perhaps armed anew, while the store was asked: then this was the last of its timer.
    if (this.#cancel !== undefined && this.#cancel === timer) {
      this.#cancel = this.#clock.after(POLL_MS, () => this.#tick());
    }
  }

  async #renew(): Promise<void> {
    this.#renewed = this.#clock.monotonic();
    const leases = [...this.#leases.values()].map(({ lease }) => lease);
    const lost = await this.#store.renew(leases, this.#clock.now() + LEASE_NS);
    for (const name of lost) {
      const held = this.#leases.get(name);
      if (held === undefined) continue; // ended while the store was asked
      this.#leases.delete(name);
      held.onLost();
    }
  }
}
