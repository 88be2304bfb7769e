import type { SQLInputValue, StatementSync } from "node:sqlite";
import type {
  EmittedRecord,
  EmittedSpan,
  ReceivedRecord,
  ReceivedSpan,
  SpanReference,
} from "../core/span.ts";
import type { EmittedQuery, Receipt } from "../core/store.ts";
import type { Connection } from "./_connection.ts";
import { type Emitter, fromEmitted, fromEmitter, toEmitted, toEmitter } from "./_emitted_row.ts";
import {
  fromOrigin,
  fromReceived,
  ID_DIGITS,
  type Origin,
  toOrigin,
  toReceived,
} from "./_received_row.ts";

// Rows a statement.
const MANY = 32;

// Origins and runs that are remembered to save reading them again, not because anything depends on it.
const REMEMBERED_ORIGINS = 1_000;
const REMEMBERED_RUNS = 32;

// A run's trace id, as the index has it.
const TRACE = `substr(header, instr(header, '"traceId":"') + 11, 32)`;

/** A span as its row has it. */
interface SpanRow {
  /** The number of its origin. */
  readonly origin: number;
  /** When it started, nanoseconds since the epoch. */
  readonly at: bigint;
  /** Its ids' digits, and the rest as JSON. */
  readonly data: string;
}

/**
 * Spans that are no run's own, received and emitted ones: writing them in the journal's order, each once (J4, T2,
 * T3), finding, reading and deleting them. All but `receive` runs inside a caller's transaction or read.
 */
export class Received {
  readonly #db: Connection;
  readonly #origins = new Map<number, Origin | Emitter>();
  // By run: the ids of its spans, and how far its journal was read for them.
  readonly #spanIds = new Map<number, { position: number; readonly ids: Set<string> }>();
  readonly #insertMany: StatementSync;
  readonly #insertOne: StatementSync;
  readonly #ownMany: StatementSync;
  readonly #ownOne: StatementSync;

  /** Works on a connection. */
  constructor(db: Connection) {
    this.#db = db;
    const insert = (rows: number) =>
      db.statement(
        "INSERT OR IGNORE INTO journal (run, at, data) VALUES " +
          Array(rows).fill("(?, ?, ?)").join(),
      );
    this.#insertMany = insert(MANY);
    this.#insertOne = insert(1);
    const own = (traces: number) =>
      db.statement(
        `SELECT id, ${TRACE} AS trace FROM runs WHERE ${TRACE} IN ` +
          `(${Array(traces).fill("?").join()})`,
      );
    this.#ownMany = own(MANY);
    this.#ownOne = own(1);
  }

  /** As Store.receive. */
  receive(spans: readonly ReceivedSpan[], at: bigint): Receipt {
    if (spans.length === 0) return { records: [], own: 0, repeated: 0 };
    return this.#db.write(() => this.#receive(spans, at));
  }

  #receive(spans: readonly ReceivedSpan[], at: bigint): Receipt {
    const others = this.#withoutOwn(spans);
    const numbers = new Map<string, number>();
    // Spans of one program and library have the same two objects, as they come from the decoder.
    let last: { readonly span: ReceivedSpan; readonly number: number } | undefined;
    const stored = this.#append(others, at, (span) => {
      if (last?.span.resource !== span.resource || last.span.scope !== span.scope) {
        last = { span, number: this.#numberOf(toOrigin(span), numbers) };
      }
      return { origin: last.number, at: span.startTime, data: toReceived(span) };
    });
    const records = stored.map((one): ReceivedRecord => ({ type: "received", ...one }));
    return {
      records,
      own: spans.length - others.length,
      repeated: others.length - records.length,
    };
  }

  /** Writes spans that plugins emitted; gives those that were not there before (T3). */
  emit(spans: readonly EmittedSpan[], at: bigint): EmittedRecord[] {
    const numbers = new Map<string, number>();
    const stored = this.#append(spans, at, (span) => ({
      origin: this.#numberOf(toEmitter(span), numbers),
      at: span.time,
      data: toEmitted(span),
    }));
    return stored.map((one) => ({ type: "emitted", ...one }));
  }

  /** As Store.emitted. */
  emitted({ plugin, name, workflow, after = 0, limit = 100 }: EmittedQuery): EmittedRecord[] {
    // A receipt says of which origins its spans are: what it covers is read only if one of them is a wanted emitter.
    const emitters = (this.#db.statement(
      `SELECT id, data FROM origins WHERE data >= '{"emitted":' AND data < '{"emitted;'`,
    ).all() as unknown as { id: number; data: string }[])
      .filter(({ data }) => plugin === undefined || fromEmitter(data)?.emitted.plugin === plugin)
      .map(({ id }) => id);
    const found: EmittedRecord[] = [];
    if (emitters.length === 0 || limit <= 0) return found;
    const rows = this.#db.exact(
      "SELECT j.position, j.run, j.at, j.data FROM receipts r CROSS JOIN journal j " +
        "ON j.position BETWEEN max(r.first, ?1 + 1) AND r.last " +
        "WHERE r.last > ?1 AND EXISTS (SELECT 1 FROM json_each(r.origins) o " +
        "WHERE o.value IN (SELECT value FROM json_each(?2))) " +
        "AND -j.run IN (SELECT value FROM json_each(?2)) ORDER BY r.last DESC, j.position DESC",
    ).iterate(after, JSON.stringify(emitters)) as IterableIterator<unknown>;
    for (const row of rows as IterableIterator<Parameters<Received["record"]>[0]>) {
      const record = this.record(row);
      if (record?.type !== "emitted") continue;
      const { span } = record;
      if (name !== undefined && span.name !== name) continue;
      if (workflow !== undefined && span.workflow !== workflow) continue;
      if (found.push(record) >= limit) break;
    }
    return found;
  }

  /** As Store.known. */
  known(spans: readonly SpanReference[]): SpanReference[] {
    const others = this.#withoutOwn(spans);
    const known = this.#find(new Set(others.filter(isReference).map(idsOf)));
    const unknown = new Set(others.filter((one) => !isReference(one) || !known.has(idsOf(one))));
    return spans.filter((span) => !unknown.has(span));
  }

  // Newest first, which are what is asked for. No index finds them by their ids: with one, spans are received at a
  // third of the speed, and a million of them are looked through in a fifth of a second.
  #find(ids: ReadonlySet<string>): Set<string> {
    const found = new Set<string>();
    while (found.size < ids.size) {
      const left = [...ids].filter((one) => !found.has(one));
      const rows = this.#db.statement(
        `SELECT substr(data, 1, ${ID_DIGITS}) AS ids FROM journal INDEXED BY journal_received ` +
          `WHERE run < 0 AND substr(data, 1, ${ID_DIGITS}) IN (SELECT value FROM json_each(?)) ` +
          "ORDER BY at DESC LIMIT ?",
      ).all(JSON.stringify(left), left.length) as unknown as { ids: string }[];
      for (const row of rows) found.add(row.ids);
      // As many rows as were asked for may have been one span's, which was received with several starts.
      if (rows.length < left.length) break;
    }
    return found;
  }

  // T2. Most traces are of no run, which one look-up tells.
  #withoutOwn<T extends SpanReference>(spans: readonly T[]): readonly T[] {
    const own = new Map<string, Set<string>[]>();
    each([...new Set(spans.map(({ traceId }) => traceId))], (traces) => {
      const find = traces.length === MANY ? this.#ownMany : this.#ownOne;
      const runs = find.all(...traces) as unknown as { id: number; trace: string }[];
      for (const { id, trace } of runs) {
        own.set(trace, [...own.get(trace) ?? [], this.#spansOf(id)]);
      }
    });
    if (own.size === 0) return spans;
    return spans.filter(({ traceId, spanId }) => !own.get(traceId)?.some((ids) => ids.has(spanId)));
  }

  #spansOf(run: number): Set<string> {
    let known = this.#spanIds.get(run);
    if (known === undefined) {
      if (this.#spanIds.size >= REMEMBERED_RUNS) this.#spanIds.clear();
      this.#spanIds.set(run, known = { position: 0, ids: new Set() });
    }
    const rows = this.#db.statement(
      "SELECT j.position, j.data FROM blocks b CROSS JOIN journal j " +
        "ON j.position BETWEEN b.block * 256 AND b.block * 256 + 255 AND j.run = b.run " +
        "WHERE b.run = ? AND b.block >= ? AND j.position > ? ORDER BY j.position",
    ).iterate(run, Math.floor(known.position / 256), known.position) as IterableIterator<unknown>;
    for (const row of rows as IterableIterator<{ position: number; data: string }>) {
      known.position = row.position;
      const entry = JSON.parse(row.data);
      if (entry.type === "start") known.ids.add(entry.span.spanId);
    }
    return known.ids;
  }

  /** Writes the rows of spans that are not there yet, and their receipt. */
  #append<T extends SpanReference>(
    spans: readonly T[],
    at: bigint,
    toRow: (span: T) => SpanRow,
  ): { readonly span: T; readonly position: number }[] {
    const records: { readonly span: T; readonly position: number }[] = [];
    const origins = new Set<number>();
    each(spans, (some) => {
      const rows = some.map(toRow);
      const values: SQLInputValue[] = [];
      for (const { origin, at, data } of rows) {
        origins.add(origin);
        values.push(-origin, BigInt.asIntN(64, at), data);
      }
      const insert = some.length === MANY ? this.#insertMany : this.#insertOne;
      const { changes, lastInsertRowid } = insert.run(...values);
      if (changes === 0) return;
      // Row numbers inside a transaction follow one another: nobody else writes.
      const first = Number(lastInsertRowid) - Number(changes) + 1;
      const stored = changes === some.length ? some : this.#stored(first, some, rows);
      stored.forEach((span, i) => records.push({ span, position: first + i }));
    });
    if (records.length > 0) {
      this.#db.statement("INSERT INTO receipts (last, first, at, origins) VALUES (?, ?, ?, ?)").run(
        records.at(-1)!.position,
        records[0].position,
        at,
        JSON.stringify([...origins]),
      );
    }
    return records;
  }

  // Which of these the journal's rows from a position on are: some were there already.
  #stored<T>(first: number, spans: readonly T[], rows: readonly SpanRow[]): T[] {
    const stored = this.#db.exact(
      `SELECT at, substr(data, 1, ${ID_DIGITS}) AS ids FROM journal WHERE position >= ? ` +
        "ORDER BY position",
    ).all(first) as unknown as { at: bigint; ids: string }[];
    return stored.map(({ at, ids }) =>
      spans[rows.findIndex((row) => BigInt.asIntN(64, row.at) === at && row.data.startsWith(ids))]
    );
  }

  // Looked up in each transaction: another process may have deleted an origin that nothing used.
  #numberOf(data: string, numbers: Map<string, number>): number {
    let number = numbers.get(data);
    if (number !== undefined) return number;
    this.#db.statement("INSERT OR IGNORE INTO origins (data) VALUES (?)").run(data);
    const row = this.#db.statement("SELECT id FROM origins WHERE data = ?").get(data);
    numbers.set(data, number = (row as { id: number }).id);
    return number;
  }

  /**
   * The record of a row of the journal whose run is negative; undefined if the row has just been deleted,
   * and its origin with it.
   */
  record(row: {
    readonly position: bigint;
    readonly run: bigint;
    readonly at: bigint;
    readonly data: string;
  }): ReceivedRecord | EmittedRecord | undefined {
    const origin = this.#origin(Number(-row.run));
    if (origin === undefined) return undefined;
    return "emitted" in origin ? fromEmitted(row, origin) : fromReceived(row, origin);
  }

  #origin(number: number): Origin | Emitter | undefined {
    let origin = this.#origins.get(number);
    if (origin === undefined) {
      const row = this.#db.statement("SELECT data FROM origins WHERE id = ?").get(number) as
        | { data: string }
        | undefined;
      if (row === undefined) return undefined;
      origin = fromEmitter(row.data) ?? fromOrigin(row.data);
      if (this.#origins.size >= REMEMBERED_ORIGINS) this.#origins.clear();
      this.#origins.set(number, origin);
    }
    return origin;
  }

  /** Deletes what was received or emitted before a time; how many. `last` is the journal's last position, which stays (J4). */
  prune(before: bigint, last: number): number {
    // Numbers of runs that are deleted may be given again.
    this.#spanIds.clear();
    const receipts = this.#db.statement("SELECT first, last FROM receipts WHERE at < ?")
      .all(before) as unknown as { first: number; last: number }[];
    if (receipts.length === 0) return 0;
    let count = 0;
    for (const range of receipts) {
      const between = "position BETWEEN ? AND ? AND run < 0";
      const { changes: kept } = this.#db.statement(
        `UPDATE journal SET run = 0, data = '' WHERE position = ?3 AND run < 0 ` +
          `AND ?3 BETWEEN ?1 AND ?2`,
      ).run(range.first, range.last, last);
      const { changes } = this.#db.statement(`DELETE FROM journal WHERE ${between}`)
        .run(range.first, range.last);
      count += Number(kept) + Number(changes);
    }
    this.#db.statement("DELETE FROM receipts WHERE at < ?").run(before);
    this.#db.exact(
      "DELETE FROM origins WHERE id NOT IN " +
        "(SELECT value FROM receipts, json_each(receipts.origins))",
    ).run();
    return count;
  }
}

// Of ids of other lengths two different pairs could have the same digits.
function isReference({ traceId, spanId }: SpanReference): boolean {
  return traceId.length === 32 && spanId.length === 16;
}

function idsOf({ traceId, spanId }: SpanReference): string {
  return traceId + spanId;
}

function each<T>(all: readonly T[], body: (some: readonly T[]) => void): void {
  for (let from = 0; from < all.length;) {
    // One by one at the end: a statement for each number of rows would fill memory.
    const size = all.length - from >= MANY ? MANY : 1;
    body(all.slice(from, from + size));
    from += size;
  }
}
