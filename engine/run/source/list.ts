import type { Json } from "../../core/json.ts";
import type { ItemRange } from "../../core/span.ts";
import type { ItemSource, Slice } from "./source.ts";

/** Items that are all known: a list, or the paths that a glob matched. They are journalled (F3). */
export class ListSource implements ItemSource {
  /** The items. */
  readonly identity: readonly Json[];
  #next = 0;

  /** Hands out `items`. */
  constructor(items: readonly Json[]) {
    this.identity = items;
  }

  /** See ItemSource. */
  get total(): number {
    return this.identity.length;
  }

  /** See ItemSource. */
  left(): Promise<number> {
    return Promise.resolve(this.identity.length - this.#next);
  }

  /** See ItemSource. */
  next(count: number): Promise<Slice | undefined> {
    if (this.#next >= this.identity.length) return Promise.resolve(undefined);
    const from = this.#next;
    const to = Math.min(this.identity.length, from + count);
    this.#next = to;
    return this.again({ from, to });
  }

  /** See ItemSource. */
  again(range: ItemRange): Promise<Slice> {
    const items = this.identity.slice(range.from, range.to);
    return Promise.resolve({ range, size: items.length, items, ndjson: () => toNdjson(items) });
  }

  /** See ItemSource. */
  skipTo(range: ItemRange): void {
    this.#next = Math.max(this.#next, range.to);
  }

  /** See ItemSource. */
  share(): number {
    return this.identity.length === 0 ? 1 : this.#next / this.identity.length;
  }

  /** See ItemSource. */
  close(): void {}
}

/** Items as NDJSON, one line each. */
export function toNdjson(items: readonly Json[]): Uint8Array {
  return new TextEncoder().encode(items.map((item) => JSON.stringify(item) + "\n").join(""));
}
