import type { BusEvent, StoreRecord } from "../core/span.ts";
import type { Store } from "../core/store.ts";
import type { Heard } from "./heard.ts";
import { Joiner } from "./joiner.ts";

const RECORDS_AT_ONCE = 500;
// What a plugin makes of a page is kept at once: for one that is far behind, much at once is little work for each.
const RECORDS_BEHIND = 1_024;

/** What a feed needs. */
export interface FeedPorts {
  /** The store. */
  readonly store: Pick<Store, "since" | "run" | "read">;
  /** Hears each event once, in the store's order. */
  readonly onHeard: (heard: Heard) => void;
  /** Hears why the store could not be read; it is read again at the next `look`. */
  readonly onError: (thrown: unknown) => void;
}

/**
 * The store's events in one order: those of this process as the bus tells of them, and those of other processes, which
 * stand between them in the store, read from there.
 *
 * Invariants: J4 (in the order of the commit, none left out), J1 (nothing before its commit).
 */
export class Feed {
  readonly #ports: FeedPorts;
  readonly #joiner: Joiner;
  #position: number;
  // The last position that anybody has spoken of.
  #known: number;
  #reading: Promise<void> | undefined;
  #failed = false;
  #stopped = false;

  /** Begins after `position`. */
  constructor(ports: FeedPorts, position: number) {
    this.#ports = ports;
    this.#joiner = new Joiner(ports.store);
    this.#position = this.#known = position;
  }

  /** How far it has told. */
  get position(): number {
    return this.#position;
  }

  /** Whether the store has what it has not told: it could not be read, and is to be looked at again. */
  get behind(): boolean {
    return this.#failed || this.#known > this.#position;
  }

  /** Hears the bus. */
  hear(event: BusEvent): void {
    if (this.#stopped || event.event === "adopted" || event.event === "lost") return;
    const position = event.event === "received" ? event.position : event.record.position;
    if (position > this.#known) this.#known = position;
    if (position !== this.#position + 1 || this.#reading !== undefined) {
      if (position > this.#position) void this.#readOn();
      return;
    }
    const heard = event.event === "received"
      ? this.#joiner.join({ type: "received", span: event.span, position })
      : this.#joiner.join(event.record, event.event === "ended" ? event.start : undefined);
    if (heard === undefined) void this.#readOn();
    else this.#tell(heard);
  }

  /** Reads what the store has beyond this now; resolves once that was told, or could not be read. Never rejects. */
  async look(): Promise<void> {
    // One that is under way may have read before what the caller knows of.
    await this.#reading;
    await this.#readOn();
  }

  /** Tells nothing more. */
  stop(): void {
    this.#stopped = true;
  }

  #readOn(): Promise<void> {
    return this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
      // The bus spoke of more while the last page was read.
      if (this.#known > this.#position && !this.#failed && !this.#stopped) void this.#readOn();
    });
  }

  async #read(): Promise<void> {
    try {
      for (;;) {
        // What the bus speaks of while the store is read need not be in this page.
        const known = this.#known;
        const records = await this.#ports.store.since(this.#position, RECORDS_AT_ONCE);
        this.#failed = false;
        for (const record of records) {
          const heard = await this.#joiner.find(record);
          if (this.#stopped) return;
          if (heard === undefined) this.#position = record.position;
          else this.#tell(heard);
        }
        if (records.length === RECORDS_AT_ONCE) continue;
        // What the bus had spoken of is committed; if the store has it not any more, it was deleted meanwhile.
        if (records.length === 0 && known > this.#position) this.#position = known;
        return;
      }
    } catch (thrown) {
      if (this.#stopped) return;
      this.#failed = true;
      this.#ports.onError(thrown);
    }
  }

  #tell(heard: Heard): void {
    this.#position = heard.position;
    if (heard.position > this.#known) this.#known = heard.position;
    this.#ports.onHeard(heard);
  }
}

/** The events after a position, in pages, for whoever reads by himself; a page holds up to `RECORDS_BEHIND` records. */
export class Reader {
  readonly #store: FeedPorts["store"];
  readonly #joiner: Joiner;
  #position: number;

  /** Begins after `position`. */
  constructor(store: FeedPorts["store"], position: number) {
    this.#store = store;
    this.#joiner = new Joiner(store);
    this.#position = position;
  }

  /** How far it has read. */
  get position(): number {
    return this.#position;
  }

  /** The next page, in which no event may be left of deleted runs; undefined at the end. Throws StoreError. */
  async next(): Promise<readonly Heard[] | undefined> {
    const records: readonly StoreRecord[] = await this.#store.since(
      this.#position,
      RECORDS_BEHIND,
    );
    if (records.length === 0) return undefined;
    const page: Heard[] = [];
    for (const record of records) {
      const heard = this.#joiner.join(record) ?? await this.#joiner.find(record);
      if (heard !== undefined) page.push(heard);
    }
    this.#position = records[records.length - 1].position;
    return page;
  }
}
