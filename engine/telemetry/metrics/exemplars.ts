import type { Attributes, SpanReference } from "../../core/span.ts";
import type { Exemplar } from "./batch.ts";

interface Slot extends Exemplar {
  traceId: string;
  spanId: string;
  time: bigint;
  value: number;
  sequence: number;
}

/**
 * The exemplars of one histogram: of each attribute set and bucket the last measurement, as the
 * specification's aligned reservoir keeps it. The SDK has such reservoirs and calls none of them.
 * https://opentelemetry.io/docs/specs/otel/metrics/sdk/#alignedhistogrambucketexemplarreservoir
 *
 * Readers take from one table, each from its own mark on, so that what one has taken the others still get.
 */
export class Exemplars {
  readonly #bounds: readonly number[];
  readonly #series = new Map<Attributes, (Slot | undefined)[]>();
  #sequence = 0;

  /** For buckets with these upper bounds. */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
  }

  /** The mark of now: what is offered later comes after it. */
  get mark(): number {
    return this.#sequence;
  }

  /** Keeps a measurement; attribute sets are told apart by identity. */
  offer(attributes: Attributes, value: number, span: SpanReference, time: bigint): void {
    let slots = this.#series.get(attributes);
    if (slots === undefined) {
      slots = new Array(this.#bounds.length + 1).fill(undefined);
      this.#series.set(attributes, slots);
    }
    const bucket = bucketOf(this.#bounds, value);
    const { traceId, spanId } = span;
    const sequence = ++this.#sequence;
    const slot = slots[bucket];
    if (slot === undefined) slots[bucket] = { traceId, spanId, time, value, sequence };
    else {
      slot.traceId = traceId;
      slot.spanId = spanId;
      slot.time = time;
      slot.value = value;
      slot.sequence = sequence;
    }
  }

  /** Those of a point offered after `mark`, in the order of their buckets; none of buckets that are empty. */
  after(mark: number, attributes: Attributes, counts: readonly number[]): readonly Exemplar[] {
    const exemplars: Exemplar[] = [];
    this.#series.get(attributes)?.forEach((slot, bucket) => {
      if (slot === undefined || slot.sequence <= mark || counts[bucket] === 0) return;
      const { traceId, spanId, time, value } = slot;
      exemplars.push({ traceId, spanId, time, value });
    });
    return exemplars;
  }
}

/** The bucket of a value, from 0: upper bounds are inclusive. */
export function bucketOf(bounds: readonly number[], value: number): number {
  let low = 0;
  let high = bounds.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value <= bounds[middle]) high = middle;
    else low = middle + 1;
  }
  return low;
}
