import type { Json } from "../../core/json.ts";
import type { ItemRange } from "../../core/span.ts";
import type { Batch } from "../../core/step.ts";

/** Some items of a source: what one batch works on. */
export interface Slice extends Batch {
  /** Which items. */
  readonly range: ItemRange;
}

/**
 * Where a for_each takes its items from, in order. What is handed out is a range that stays the same through
 * retries and resume (F2).
 */
export interface ItemSource {
  /** What the journal keeps, so that resume works on the same items (F3). */
  readonly identity: Json;
  /** How many items there are, where that is known before they are read. */
  readonly total: number | undefined;
  /** How many items are not handed out yet, at least; what it cannot know without reading all, it estimates low. */
  left(): Promise<number>;
  /** The next `count` items, fewer at the end; undefined when all are handed out. */
  next(count: number): Promise<Slice | undefined>;
  /** The items of a range that was handed out before. */
  again(range: ItemRange): Promise<Slice>;
  /** Goes on after a range that was handed out before. */
  skipTo(range: ItemRange): void;
  /** The share of the source that is handed out, in [0, 1]. */
  share(): number;
  /** Closes what it holds open. */
  close(): void;
}
