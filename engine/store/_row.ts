import { messageOf, StoreError } from "../core/errors.ts";

import type { JsonObject } from "../core/json.ts";
import type { EndEntry, JournalRecord, StartEntry } from "../core/span.ts";

/** Outputs whose JSON is longer than this many bytes of UTF-8 go to a file. */
export const SPILL_BYTES = 65_536;

/** Where outputs went that are too large for a row. */
export interface Spilled {
  /** Relative to the store's spill folder: `RUN_ID/SHA256.json`. */
  readonly file: string;
  /** SHA-256 of the file in hex. */
  readonly sha256: string;
  /** The file's length in bytes. */
  readonly bytes: number;
}

/** An entry as a row has it. */
export interface Row {
  /** The span's start or end, nanoseconds since the epoch. */
  readonly at: bigint;
  /** The rest as JSON, without the run's id. */
  readonly data: string;
}

/**
 * Makes a row of an entry. Outputs longer than SPILL_BYTES are handed to `spill` as JSON. Bigints are put
 * aside by name (a column, or text): JSON has none, and a replacer would be called for each key.
 * Throws StoreError `store.invalid` for what JSON cannot carry.
 */
export function toRow(entry: StartEntry | EndEntry, spill: (json: string) => Spilled): Row {
  try {
    return entry.type === "start" ? startRow(entry) : endRow(entry, spill);
  } catch (thrown) {
    if (!(thrown instanceof TypeError || thrown instanceof RangeError)) throw thrown;
    throw new StoreError(
      "store.invalid",
      `Cannot store the ${entry.type} of ${entry.key}: it is not JSON (${messageOf(thrown)})`,
      { cause: thrown },
    );
  }
}

function startRow(entry: StartEntry): Row {
  const data = JSON.stringify({
    ...entry,
    runId: undefined,
    span: { ...entry.span, startTime: undefined },
  });
  return { at: entry.span.startTime, data };
}

function endRow(entry: EndEntry, spill: (json: string) => Spilled): Row {
  const outputs = entry.outputs === undefined ? undefined : JSON.stringify(entry.outputs);
  const large = outputs !== undefined && isLarge(outputs);
  const data = JSON.stringify({
    ...entry,
    runId: undefined,
    end: { ...entry.end, endTime: undefined },
    retryAt: entry.retryAt?.toString(),
    outputs: undefined,
    // Beside `outputs`, not in it: a step may well have an output named `spilled`.
    spilled: large ? spill(outputs) : undefined,
  });
  return {
    at: entry.end.endTime,
    data: outputs === undefined || large ? data : `${data.slice(0, -1)},"outputs":${outputs}}`,
  };
}

function isLarge(json: string): boolean {
  // A UTF-16 unit takes at most three bytes of UTF-8, so most texts need no counting.
  return json.length * 3 > SPILL_BYTES && new TextEncoder().encode(json).length > SPILL_BYTES;
}

/** The record that a row was made of. `unspill` reads a file back. */
export function fromRow(
  row: { readonly position: bigint; readonly at: bigint; readonly data: string },
  runId: string,
  unspill: (spilled: Spilled) => JsonObject,
): JournalRecord {
  const entry = JSON.parse(row.data);
  entry.runId = runId;
  entry.position = Number(row.position);
  if (entry.type === "start") {
    entry.span.startTime = row.at;
    return entry;
  }
  entry.end.endTime = row.at;
  if (entry.retryAt !== undefined) entry.retryAt = BigInt(entry.retryAt);
  if (entry.spilled !== undefined) {
    entry.outputs = unspill(entry.spilled);
    delete entry.spilled;
  }
  return entry;
}
