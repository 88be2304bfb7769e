import process from "node:process";
import type { Span } from "@opentelemetry/api";
import type { Clock } from "../core/clock.ts";
import type { EndEntry, StartEntry } from "../core/span.ts";
import { StoreError } from "../core/errors.ts";
import type { Entry, Store } from "../core/store.ts";
import type { Bus } from "./bus.ts";
import type { Tracing } from "./provider.ts";

// For at most this long commits follow one another without the event loop, so that a signal, a timer or a lease
// waits no longer.
const TURN_MS = 5;

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
 * - J3: each SDK span is ended once, when its end is appended.
 * - R7: what belongs to a run that another process holds is not written, and `onLost` hears of it once.
 *
 * A commit that fails rejects its group and stops the runs that had entries in it: nothing later of them is
 * written either, so that what is in the store is the beginning of what happened. Other runs go on.
 */
export class Recorder {
  readonly #store: Store;
  readonly #bus: Bus;
  readonly #clock: Clock;
  readonly #tracing: Tracing | undefined;
  readonly #fences = new Map<string, number>();
  readonly #open = new Map<string, Span>();
  readonly #onLost: (runId: string, why?: Error) => void;
  readonly #onDuplicate: (runId: string) => void;
  #group: Group | undefined;
  #busy = false;
  // The runs of attempts that were started and have not ended, by span.
  readonly #underWay = new Map<string, string>();
  // When the event loop last had its turn, by the monotonic clock.
  #turn = 0;
  readonly #onTick = () => void this.#commit();
  readonly #onImmediate = () => {
    this.#turn = this.#clock.monotonic();
    void this.#commit();
  };

  /**
   * Writes to `store`, publishes on `bus` what was committed, and makes SDK spans with `tracing`; without it
   * nobody asked for them.
   */
  constructor(ports: {
    readonly store: Store;
    readonly bus: Bus;
    readonly clock: Clock;
    readonly tracing: Tracing | undefined;
    /** Nothing of this run is written any more: `why` a commit failed, or absent: another process holds it. */
    readonly onLost: (runId: string, why?: Error) => void;
    readonly onDuplicate: (runId: string) => void;
  }) {
    this.#store = ports.store;
    this.#bus = ports.bus;
    this.#clock = ports.clock;
    this.#tracing = ports.tracing;
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
    // One that was lost leaves attempts that nobody ends.
    for (const [spanId, run] of this.#underWay) {
      if (run === runId) this.#underWay.delete(spanId);
    }
  }

  /** Appends a span's start. */
  start(entry: StartEntry): void {
    this.adopt(entry);
    this.append(entry);
  }

  /**
   * Takes up a span whose start is in the journal already, so that its end can be appended: the process
   * that started it is gone (R5).
   */
  adopt(entry: StartEntry): void {
    if (entry.role === "attempt") this.#underWay.set(entry.span.spanId, entry.runId);
    if (this.#tracing === undefined) return;
    this.#open.set(entry.span.spanId, this.#tracing.start(entry.span));
  }

  /** Appends a span's end. */
  end(entry: EndEntry): void {
    const span = this.#open.get(entry.spanId);
    if (span !== undefined) {
      this.#open.delete(entry.spanId);
      this.#tracing?.end(span, entry.end);
    }
    this.#underWay.delete(entry.spanId);
    this.append(entry);
  }

  /** Appends anything else. */
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
    if (!this.#busy) this.#schedule();
    return group;
  }

  // All that settles in this turn of the event loop shares the commit: setImmediate runs after it. Where nothing
  // else is under way that could settle, such as in a chain, the tick's end will do, which costs less.
  #schedule(): void {
    const now = this.#clock.monotonic();
    if (this.#underWay.size === 0 && now - this.#turn < TURN_MS) process.nextTick(this.#onTick);
    else setImmediate(this.#onImmediate);
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
        if (this.#bus.isHeard) this.#bus.publish(commit.records);
      }
      group.resolve();
    } catch (reason) {
      const why = reason instanceof Error ? reason : new StoreError("store.failed", String(reason));
      for (const { runId } of group.entries) this.#lose(runId, why);
      group.reject(why);
    }
    this.#busy = false;
    if (this.#group !== undefined) this.#schedule();
  }

  // Without its fence the store refuses whatever else comes of the run.
  #lose(runId: string, why: Error | undefined): void {
    if (!this.#fences.delete(runId)) return;
    this.#onLost(runId, why);
  }
}
