import type { SQLInputValue, StatementSync } from "node:sqlite";
import type { EndEntry, JournalRecord, StartEntry, StoreRecord } from "../core/span.ts";
import type { Commit, Entry } from "../core/store.ts";
import type { Connection } from "./_connection.ts";
import type { Received } from "./_received.ts";
import { fromRow, type Spilled, toRow } from "./_row.ts";
import { checkRunId } from "./_run_id.ts";
import type { SpillFolder } from "./_spill.ts";
import { toColumn } from "./_text.ts";

// 256 positions: fewer would write the index of blocks more often, more would read more rows of others.
const BLOCK_BITS = 8;

// Rows a statement when many runs share a commit.
const MANY = 16;

// A run's last block is remembered to save a write, not because anything depends on it.
const REMEMBERED_RUNS = 10_000;

/** A run that this process may write in the commit at hand. */
interface Admitted {
  readonly id: number;
  readonly fence: number;
}

/**
 * Writing and reading the journal.
 *
 * J1: a commit is one transaction; when it returns, SQLite has written it (and synced it, if durability is
 * full).
 * J4: positions are row numbers given under the write lock, in the order of commit; prune leaves the last
 * row as a tombstone, so that none is given twice.
 * R7: a run's fence is checked in the transaction that writes its entries.
 */
export class Journal {
  readonly #db: Connection;
  readonly #spills: SpillFolder;
  readonly #received: Received;
  readonly #lastBlock = new Map<string, number>();
  // Statements of the hot path, kept from the look-up by text.
  readonly #insert: StatementSync;
  readonly #insertTwo: StatementSync;
  readonly #insertMany: StatementSync;
  readonly #insertBlock: StatementSync;
  readonly #leased: StatementSync;

  /** Works on a connection, with a folder for large outputs and the spans of others that share its order. */
  constructor(db: Connection, spills: SpillFolder, received: Received) {
    this.#db = db;
    this.#spills = spills;
    this.#received = received;
    const insert = (rows: number) =>
      db.statement(
        `INSERT INTO journal (run, at, data) VALUES ${Array(rows).fill("(?, ?, ?)").join()}`,
      );
    this.#insert = insert(1);
    this.#insertTwo = insert(2);
    this.#insertMany = insert(MANY);
    this.#insertBlock = db.statement("INSERT OR IGNORE INTO blocks (run, block) VALUES (?, ?)");
    this.#leased = db.statement(
      "SELECT run FROM leases WHERE name = ? AND fence = ? AND holder IS NOT NULL",
    );
  }

  /** As Store.commit. */
  commit(entries: readonly Entry[], fences: ReadonlyMap<string, number>): Commit {
    if (entries.length === 0) return { records: [], lost: [], duplicates: [] };
    try {
      return this.#db.write(() => this.#write(entries, fences));
    } catch (thrown) {
      // Blocks of the transaction that was rolled back are not there.
      this.#lastBlock.clear();
      throw thrown;
    }
  }

  #write(entries: readonly Entry[], fences: ReadonlyMap<string, number>): Commit {
    const admitted = new Map<string, Admitted | undefined>();
    const lost: string[] = [];
    const duplicates: string[] = [];
    for (const entry of entries) {
      const { runId } = entry;
      if (admitted.has(runId)) continue;
      const run = entry.type === "run"
        ? this.#create(entry, duplicates)
        : this.#admit(runId, fences.get(runId));
      admitted.set(runId, run);
      if (run === undefined && !duplicates.includes(runId)) lost.push(runId);
    }
    const spans: (StartEntry | EndEntry)[] = [];
    for (const entry of entries) {
      const run = admitted.get(entry.runId);
      if (run === undefined || entry.type === "run") continue;
      if (entry.type === "status") this.#setStatus(entry, run);
      else spans.push(entry);
    }
    return { records: this.#append(spans, admitted), lost, duplicates };
  }

  #admit(runId: string, fence: number | undefined): Admitted | undefined {
    if (fence === undefined) return undefined;
    const row = this.#leased.get(`run:${runId}`, fence) as { run: number | null } | undefined;
    return row === undefined || row.run === null ? undefined : { id: row.run, fence };
  }

  #create(entry: Entry & { type: "run" }, duplicates: string[]): Admitted | undefined {
    const { runId, header } = entry;
    checkRunId(runId);
    if (header.trigger !== undefined && this.#isTriggered(header.trigger)) {
      duplicates.push(runId);
      return undefined;
    }
    const lease = this.#db.statement("SELECT 1 FROM leases WHERE name = ?").get(`run:${runId}`);
    if (lease !== undefined) return undefined;
    const { traceId, ...rest } = header;
    const inserted = this.#db.statement(
      `INSERT OR IGNORE INTO runs (run_id, workflow, group_name, trigger, status, priority,
       created_at, started_at, header) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ).run(
      runId,
      toColumn(header.workflow),
      header.group === undefined ? null : toColumn(header.group),
      header.trigger === undefined ? null : toColumn(header.trigger),
      entry.status,
      header.priority,
      header.createdAt,
      entry.status === "running" ? header.createdAt : null,
      // The trace id first: an index reads it from the text.
      JSON.stringify({ traceId, ...rest, createdAt: undefined }),
    );
    if (inserted.changes === 0) return undefined;
    const id = Number(inserted.lastInsertRowid);
    // What is remembered of a pruned run of that name is not true of this one.
    this.#lastBlock.delete(runId);
    this.#db.statement(
      "INSERT INTO leases (name, run, fence, holder, expires_at) VALUES (?, ?, 1, ?, ?)",
    ).run(`run:${runId}`, id, JSON.stringify(entry.holder), entry.expiresAt);
    this.#db.statement("INSERT OR IGNORE INTO definitions (hash, text) VALUES (?, ?)")
      .run(toColumn(header.definition), toColumn(entry.text));
    return { id, fence: 1 };
  }

  #isTriggered(trigger: string): boolean {
    return this.#db.statement("SELECT 1 FROM runs WHERE trigger = ?").get(toColumn(trigger)) !==
      undefined;
  }

  #setStatus(entry: Entry & { type: "status" }, run: Admitted): void {
    const { status, at, runId } = entry;
    if (status === "queued" || status === "running") {
      this.#db.statement(
        "UPDATE runs SET status = ?, started_at = coalesce(started_at, ?), ended_at = NULL " +
          "WHERE id = ?",
      ).run(status, status === "running" ? at : null, run.id);
      return;
    }
    // The fence is kept with the run: whoever takes the lease again must get a higher one.
    this.#db.statement("UPDATE runs SET status = ?, ended_at = ?, fence = ? WHERE id = ?")
      .run(status, at, run.fence, run.id);
    this.#db.statement("DELETE FROM leases WHERE name = ?").run(`run:${runId}`);
    this.#lastBlock.delete(runId);
  }

  #append(
    spans: readonly (StartEntry | EndEntry)[],
    admitted: ReadonlyMap<string, Admitted | undefined>,
  ): JournalRecord[] {
    const records: JournalRecord[] = [];
    for (let from = 0; from < spans.length;) {
      const left = spans.length - from;
      // A statement costs two microseconds besides its rows. Two rows are the usual commit.
      const size = left >= MANY ? MANY : left >= 2 ? 2 : 1;
      const values: SQLInputValue[] = [];
      for (let i = from; i < from + size; i++) {
        const { at, data } = this.#row(spans[i]);
        values.push(admitted.get(spans[i].runId)!.id, at, data);
      }
      const insert = size === MANY ? this.#insertMany : size === 2 ? this.#insertTwo : this.#insert;
      // Row numbers inside a transaction follow one another: nobody else writes.
      let position = Number(insert.run(...values).lastInsertRowid) - size;
      for (let i = from; i < from + size; i++) {
        position++;
        this.#index(spans[i].runId, admitted.get(spans[i].runId)!.id, position);
        records.push({ ...spans[i], position });
      }
      from += size;
    }
    return records;
  }

  #row(entry: StartEntry | EndEntry): { at: bigint; data: string } {
    return toRow(entry, (json) => this.#spills.write(entry.runId, json));
  }

  #index(runId: string, id: number, position: number): void {
    // Not >>: positions may grow past 2^31.
    const block = Math.floor(position / 2 ** BLOCK_BITS);
    if (this.#lastBlock.get(runId) === block) return;
    this.#insertBlock.run(id, block);
    if (this.#lastBlock.size >= REMEMBERED_RUNS) this.#lastBlock.clear();
    this.#lastBlock.set(runId, block);
  }

  /** As Store.read: block by block, so that no read transaction stays open between two records. */
  async *read(runId: string): AsyncIterable<JournalRecord> {
    const blocks = this.#db.read(() =>
      this.#db.statement(
        "SELECT run, block FROM blocks WHERE run = (SELECT id FROM runs WHERE run_id = ?) " +
          "ORDER BY block",
      ).all(runId)
    ) as unknown as { run: number; block: number }[];
    for (const { run, block } of blocks) {
      const from = block * 2 ** BLOCK_BITS;
      const rows = this.#db.read(() =>
        this.#db.exact(
          "SELECT position, at, data FROM journal WHERE position BETWEEN ? AND ? AND run = ? " +
            "ORDER BY position",
        ).all(from, from + 2 ** BLOCK_BITS - 1, run)
      ) as unknown as { position: bigint; at: bigint; data: string }[];
      for (const row of rows) yield this.#record(row, runId);
    }
  }

  /** As Store.since. */
  since(position: number, limit: number): StoreRecord[] {
    // Runs are looked up once for all their rows here: to join them to each row takes longer, and so does what is made
    // of as many texts. At one moment, since the number of a run that was deleted may be given again.
    return this.#db.readAtOnce(() => {
      // A tombstone's run is 0.
      const rows = this.#db.lists(
        "SELECT position, run, at, data FROM journal WHERE position > ? AND run <> 0 " +
          "ORDER BY position LIMIT ?",
      ).all(position, Math.max(0, limit)) as unknown as [bigint, bigint, bigint, string][];
      const find = this.#db.statement("SELECT run_id FROM runs WHERE id = ?");
      const runIds = new Map<bigint, string>();
      const unspill = (spilled: Spilled) => this.#spills.read(spilled);
      const records: StoreRecord[] = [];
      for (const [position, run, at, data] of rows) {
        if (run < 0n) {
          const record = this.#received.record({ position, run, at, data });
          if (record !== undefined) records.push(record);
          continue;
        }
        let runId = runIds.get(run);
        if (runId === undefined) {
          const found = find.get(run) as { run_id: string } | undefined;
          if (found === undefined) continue;
          runIds.set(run, runId = found.run_id);
        }
        records.push(fromRow({ position, at, data }, runId, unspill));
      }
      return records;
    });
  }

  /** As Store.last. */
  last(): number {
    const row = this.#db.read(() =>
      this.#db.statement("SELECT max(position) AS last FROM journal").get()
    ) as { last: number | null };
    return row.last ?? 0;
  }

  #record(row: { position: bigint; at: bigint; data: string }, runId: string): JournalRecord {
    return this.#db.read(() => fromRow(row, runId, (spilled) => this.#spills.read(spilled)));
  }
}
