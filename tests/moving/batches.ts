import type { EndRecord, StartEntry } from "../../engine/core/span.ts";
import { openStore } from "../../engine/store/open.ts";
import {
  SPANLOOP_EXPERIMENT_ARM,
  SPANLOOP_EXPERIMENT_ID,
  spanloopParameter,
} from "../../semconv/attributes.ts";

/** One batch, as the journal has it. */
export interface Ran {
  /** When it was handed out and when it ended, nanoseconds since the epoch. */
  readonly from: bigint;
  readonly to: bigint;
  /** The values that ruled it. */
  readonly batchSize: number;
  readonly concurrency: number;
  /** The experiment whose candidate ruled it; absent for none. */
  readonly candidate?: string;
  /** Items, and those of them that failed. */
  readonly items: number;
  readonly failed: number;
}

/** All batches of a store's runs, as they ended. */
export async function batchesOf(location: string): Promise<readonly Ran[]> {
  const store = await openStore(location, { durability: "normal", readOnly: true });
  try {
    const starts = new Map<string, StartEntry>();
    const ran: Ran[] = [];
    for (let position = 0;;) {
      const records = await store.since(position, 5_000);
      if (records.length === 0) return ran;
      position = records.at(-1)!.position;
      for (const record of records) {
        if (record.type === "start" && record.range !== undefined) {
          starts.set(record.span.spanId, record);
        } else if (record.type === "end" && starts.has(record.spanId)) {
          ran.push(batch(starts.get(record.spanId)!, record));
          starts.delete(record.spanId);
        }
      }
    }
  } finally {
    await store.close();
  }
}

function batch({ span, range }: StartEntry, { end, items }: EndRecord): Ran {
  const of = (name: string) => Number(span.attributes[spanloopParameter(name)]);
  const candidate = span.attributes[SPANLOOP_EXPERIMENT_ARM] === "candidate";
  return {
    from: span.startTime,
    to: end.endTime,
    batchSize: of("batch_size"),
    concurrency: of("concurrency"),
    ...candidate && { candidate: String(span.attributes[SPANLOOP_EXPERIMENT_ID]) },
    items: items === undefined ? range!.to - range!.from : items.processed + items.failed,
    failed: items?.failed ?? range!.to - range!.from,
  };
}
