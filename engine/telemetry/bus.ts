import type { BusEvent, JournalRecord, StartEntry } from "../core/span.ts";

/** Hears what happened, in the order of its commit. */
export type BusListener = (event: BusEvent) => void;

/**
 * Hands committed starts and ends to whoever listens in this process, each end with its start.
 *
 * Invariants:
 * - J1: nothing is published before its commit.
 * - J4: in the order of the commit. Delivery across restarts is the reader's: `Store.since` from its cursor.
 */
export class Bus {
  readonly #listeners = new Set<BusListener>();
  readonly #beforehand = new Set<() => void>();
  // Open spans by run, then by span id.
  readonly #open = new Map<string, Map<string, StartEntry>>();
  readonly #onError: (thrown: unknown) => void;
  readonly #broken = new WeakSet<BusListener>();

  /** `onError` hears what a listener throws for the first time; the others and the run do not notice. */
  constructor(onError: (thrown: unknown) => void) {
    this.#onError = onError;
  }

  /** Adds a listener; the returned function removes it. */
  subscribe(listener: BusListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Calls `before` as soon as a commit is done, before its records are told of; the returned function stops that. */
  onPublish(before: () => void): () => void {
    this.#beforehand.add(before);
    return () => void this.#beforehand.delete(before);
  }

  /** Publishes what a commit wrote. */
  publish(records: readonly JournalRecord[]): void {
    for (const before of this.#beforehand) this.#contained(before);
    for (const record of records) {
      if (record.type === "start") {
        this.#opened(record);
        this.tell({ event: "started", record });
      } else {
        const open = this.#open.get(record.runId);
        const start = open?.get(record.spanId);
        // What nobody started or adopted here was lost before.
        if (start === undefined) continue;
        open!.delete(record.spanId);
        if (open!.size === 0) this.#open.delete(record.runId);
        this.tell({ event: "ended", record, start });
      }
    }
  }

  /** Takes up a span that is in the journal already, so that its end finds its start (R5). */
  adopt(start: StartEntry): void {
    this.#opened(start);
    this.tell({ event: "adopted", start });
  }

  /** Nothing more of this run comes from this process; what it has open is told of. */
  lose(runId: string): void {
    const open = this.#open.get(runId);
    if (open === undefined) return;
    this.#open.delete(runId);
    this.tell({ event: "lost", runId, open: [...open.values()] });
  }

  /** Tells the listeners of an event. */
  tell(event: BusEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (thrown) {
        // One that always throws would be told of with every span.
        if (this.#broken.has(listener)) continue;
        this.#broken.add(listener);
        this.#onError(thrown);
      }
    }
  }

  #contained(call: () => void): void {
    try {
      call();
    } catch (thrown) {
      this.#onError(thrown);
    }
  }

  #opened(start: StartEntry): void {
    let open = this.#open.get(start.runId);
    if (open === undefined) this.#open.set(start.runId, open = new Map());
    open.set(start.span.spanId, start);
  }
}
