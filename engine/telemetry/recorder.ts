import type { StartEntry } from "../core/span.ts";
import { StoreError } from "../core/errors.ts";
import type { Entry, Store } from "../core/store.ts";
import type { Bus } from "./bus.ts";

interface Group {
  readonly entries: Entry[];
  readonly committed: Promise<void>;
  resolve(): void;
  reject(reason: unknown): void;
}

/**
 * Writes the journal: every span's start and end, in the order they are given, several to a commit.
 *
 * Invariants:
 * - J1: `committed()` resolves once all that was appended before is durable; groups commit in order, so
 *   what a group holds is never durable before what came earlier.
 * - R7: what belongs to a run that another process holds is not written, and `onLost` hears of it once.
 *
 * A commit that fails rejects its group and stops the runs that had entries in it: nothing later of them is
 * written either, so that what is in the store is the beginning of what happened. Other runs go on.
 */
export class Recorder {
  readonly #store: Store;
  readonly #bus: Bus;
  readonly #fences = new Map<string, number>();
  readonly #onLost: (runId: string, why?: Error) => void;
  readonly #onDuplicate: (runId: string) => void;
  #group: Group | undefined;
  #busy = false;

  /** Writes to `store` and publishes on `bus` what was committed. */
  constructor(ports: {
    readonly store: Store;
    readonly bus: Bus;
    /** Nothing of this run is written any more: `why` a commit failed, or absent: another process holds it. */
    readonly onLost: (runId: string, why?: Error) => void;
    readonly onDuplicate: (runId: string) => void;
  }) {
    this.#store = ports.store;
    this.#bus = ports.bus;
    this.#onLost = ports.onLost;
    this.#onDuplicate = ports.onDuplicate;
  }

  /** Says under which fence this process holds a run; undefined: no longer. */
  fence(runId: string, fence: number | undefined): void {
    if (fence !== undefined) {
      this.#fences.set(runId, fence);
      return;
    }
    this.#fences.delete(runId);
    this.#bus.lose(runId);
  }

  /**
   * Takes up a span whose start is in the journal already, so that its end can be appended: the process
   * that started it is gone (R5).
   */
  adopt(entry: StartEntry): void {
    this.#bus.adopt(entry);
  }

  /** Appends a span's start or end, or anything else. */
  append(entry: Entry): void {
    (this.#group ?? this.#openGroup()).entries.push(entry);
  }

  /** Resolves once all that was appended so far is durable; rejects with StoreError if that failed. */
  committed(): Promise<void> {
    return (this.#group ?? this.#openGroup()).committed;
  }

  #openGroup(): Group {
    let resolve!: () => void;
    let reject!: (reason: unknown) => void;
    const committed = new Promise<void>((yes, no) => [resolve, reject] = [yes, no]);
    // Whoever waits hears of a failure; a group that nobody waits for must not end the process.
    committed.catch(() => {});
    const group = { entries: [], committed, resolve, reject };
    this.#group = group;
    // All that settles in this turn of the event loop shares the commit: setImmediate runs after it.
    if (!this.#busy) setImmediate(() => this.#commit());
    return group;
  }

  async #commit(): Promise<void> {
    const group = this.#group;
    if (group === undefined) return;
    this.#group = undefined;
    this.#busy = true;
    try {
      if (group.entries.length > 0) {
        const commit = await this.#store.commit(group.entries, this.#fences);
        for (const runId of commit.lost) this.#lose(runId, undefined);
        for (const runId of commit.duplicates) this.#onDuplicate(runId);
        this.#bus.publish(commit.records);
      }
      group.resolve();
    } catch (reason) {
      const why = reason instanceof Error ? reason : new StoreError("store.failed", String(reason));
      for (const { runId } of group.entries) this.#lose(runId, why);
      group.reject(why);
    }
    this.#busy = false;
    if (this.#group !== undefined) setImmediate(() => this.#commit());
  }

  // Without its fence the store refuses whatever else comes of the run.
  #lose(runId: string, why: Error | undefined): void {
    if (!this.#fences.delete(runId)) return;
    this.#bus.lose(runId);
    this.#onLost(runId, why);
  }
}
