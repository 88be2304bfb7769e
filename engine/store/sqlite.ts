// Methods are async without await so that what their synchronous parts throw becomes a rejection.
// deno-lint-ignore-file require-await
import { StoreError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import type { LedgerEntry, Snapshot } from "../core/proposal.ts";
import type {
  EmittedRecord,
  JournalRecord,
  ReceivedSpan,
  SpanReference,
  StoreRecord,
} from "../core/span.ts";
import type {
  Commit,
  EmittedQuery,
  Entry,
  Lease,
  LeaseState,
  LedgerQuery,
  Pruned,
  Reaction,
  Receipt,
  RunQuery,
  RunSummary,
  Signal,
  Store,
} from "../core/store.ts";
import { Connection } from "./_connection.ts";
import { type FileOptions, openFile } from "./_file.ts";
import { Items } from "./_items.ts";
import { Journal } from "./_journal.ts";
import { Leases } from "./_leases.ts";
import { Ledger } from "./_ledger.ts";
import { Received } from "./_received.ts";
import type { Spilled } from "./_row.ts";
import { Runs } from "./_runs.ts";
import { SpillFolder } from "./_spill.ts";
import { fromColumn, toColumn } from "./_text.ts";

/** Opens the store in `file`, an absolute path. Throws StoreError with the codes of `Store`. */
export function openSqlite(file: string, options: FileOptions): Store {
  return new SqliteStore(file, options);
}

/**
 * The store in a SQLite file in WAL mode (default driver).
 *
 * Keeps J1, J4, P2, R7 and T3 as `Store` states them: every call that writes is one BEGIN IMMEDIATE transaction,
 * run to its end without giving way, so that no two calls of a process mix.
 */
class SqliteStore implements Store {
  readonly location: string;
  readonly files: readonly string[];
  readonly #db: Connection;
  readonly #spills: SpillFolder;
  readonly #received: Received;
  readonly #journal: Journal;
  readonly #leases: Leases;
  readonly #ledger: Ledger;
  readonly #items: Items;
  readonly #runs: Runs;
  readonly #file: string;
  // Which file it is: one that takes its place under the same name is another.
  readonly #identity: string | undefined;

  constructor(file: string, options: FileOptions) {
    this.location = `sqlite:${file}`;
    this.#db = new Connection(openFile(file, options), file);
    this.#spills = new SpillFolder(file);
    this.files = [file, `${file}-wal`, `${file}-shm`, this.#spills.folder];
    this.#received = new Received(this.#db);
    this.#journal = new Journal(this.#db, this.#spills, this.#received);
    this.#leases = new Leases(this.#db);
    this.#ledger = new Ledger(this.#db);
    this.#items = new Items(this.#db);
    this.#runs = new Runs(this.#db);
    this.#file = file;
    this.#identity = identityOf(file);
  }

  async commit(entries: readonly Entry[], fences: ReadonlyMap<string, number>): Promise<Commit> {
    if (entries.some(endsRun)) this.#checkFile();
    return this.#journal.commit(entries, fences);
  }

  async run(runId: string): Promise<RunSummary | undefined> {
    return this.#runs.get(runId);
  }

  async runs(query: RunQuery): Promise<readonly RunSummary[]> {
    return this.#runs.list(query);
  }

  async definition(hash: string): Promise<string | undefined> {
    return this.#runs.definition(hash);
  }

  read(runId: string): AsyncIterable<JournalRecord> {
    return this.#journal.read(runId);
  }

  async since(position: number, limit: number): Promise<readonly StoreRecord[]> {
    return this.#journal.since(position, limit);
  }

  async last(): Promise<number> {
    return this.#journal.last();
  }

  async receive(spans: readonly ReceivedSpan[], at: bigint): Promise<Receipt> {
    return this.#received.receive(spans, at);
  }

  async react(
    lease: Lease,
    { spans, items, at }: Reaction,
  ): Promise<readonly EmittedRecord[] | undefined> {
    return this.#db.write(() => {
      if (!this.#leases.isCurrent(lease)) return undefined;
      this.#items.write(items);
      return this.#received.emit(spans, at);
    });
  }

  async emitted(query: EmittedQuery): Promise<readonly EmittedRecord[]> {
    return this.#db.read(() => this.#received.emitted(query));
  }

  async known(spans: readonly SpanReference[]): Promise<readonly SpanReference[]> {
    return this.#db.read(() => this.#received.known(spans));
  }

  async acquire(
    name: string,
    request: Parameters<Store["acquire"]>[1],
  ): Promise<{ acquired: Lease } | { held: LeaseState }> {
    return this.#leases.acquire(name, request);
  }

  async renew(leases: readonly Lease[], expiresAt: bigint): Promise<readonly string[]> {
    this.#checkFile();
    return this.#leases.renew(leases, expiresAt);
  }

  // SQLite writes on to a file that was deleted, where nobody will find it: a run must not end so.
  #checkFile(): void {
    if (identityOf(this.#file) === this.#identity) return;
    throw new StoreError(
      "store.unavailable",
      `The store ${this.#file} was deleted or replaced while it was open, and its runs with it; ` +
        "start them again",
    );
  }

  async release(leases: readonly Lease[]): Promise<void> {
    this.#leases.release(leases);
  }

  async claim(runId: string, request: Parameters<Store["claim"]>[1]): Promise<boolean> {
    return this.#runs.claim(runId, request);
  }

  async signal(runId: string, name: string, payload: JsonObject, at: bigint): Promise<boolean> {
    return this.#db.write(() =>
      Number(
        this.#db.statement(
          "INSERT INTO signals (run_id, name, payload, at) " +
            "SELECT run_id, ?, ?, ? FROM runs WHERE run_id = ? AND ended_at IS NULL",
        ).run(toColumn(name), JSON.stringify(payload), at, runId).changes,
      ) > 0
    );
  }

  async signals(runIds: readonly string[], after: number): Promise<readonly Signal[]> {
    const rows = this.#db.read(() =>
      this.#db.statement(
        "SELECT number, run_id, name, payload FROM signals WHERE number > ? " +
          "AND run_id IN (SELECT value FROM json_each(?)) ORDER BY number",
      ).all(after, JSON.stringify(runIds))
    ) as unknown as { number: number; run_id: string; name: string; payload: string }[];
    return rows.map((row) => ({
      number: row.number,
      runId: row.run_id,
      name: fromColumn(row.name),
      payload: JSON.parse(row.payload) as JsonObject,
    }));
  }

  async version(): Promise<number> {
    return this.#db.version();
  }

  async register(workflow: string, file: string): Promise<string | undefined> {
    const name = toColumn(workflow);
    return this.#db.write(() => {
      this.#db.statement("INSERT OR IGNORE INTO workflows (name, file) VALUES (?, ?)")
        .run(name, toColumn(file));
      const row = this.#db.statement("SELECT file FROM workflows WHERE name = ?").get(name) as {
        file: string;
      };
      const known = fromColumn(row.file);
      return known === file ? undefined : known;
    });
  }

  async reregister(workflow: string, file: string): Promise<void> {
    this.#db.write(() =>
      this.#db.statement("INSERT OR REPLACE INTO workflows (name, file) VALUES (?, ?)")
        .run(toColumn(workflow), toColumn(file))
    );
  }

  snapshot(workflow: string): Promise<Snapshot>;
  snapshot(workflow: string, version: number): Promise<Snapshot | undefined>;
  async snapshot(workflow: string, version?: number): Promise<Snapshot | undefined> {
    return this.#ledger.snapshot(workflow, version);
  }

  async decide(...[entry, change]: Parameters<Store["decide"]>): ReturnType<Store["decide"]> {
    return this.#ledger.decide(entry, change);
  }

  async ledger(query: LedgerQuery): Promise<readonly LedgerEntry[]> {
    return this.#ledger.list(query);
  }

  async getItem(key: string): Promise<string | undefined> {
    return this.#db.read(() => this.#items.get(key));
  }

  async setItem(key: string, value: string, lease?: Lease): Promise<boolean> {
    return this.#db.write(() => {
      if (lease !== undefined && !this.#leases.isCurrent(lease)) return false;
      this.#items.write({ [key]: value });
      return true;
    });
  }

  async items(prefix: string): Promise<ReadonlyMap<string, string>> {
    return this.#db.read(() => this.#items.list(prefix));
  }

  async prune(before: bigint): Promise<Pruned> {
    const pruned = this.#db.write(() => {
      const last = this.#journal.last();
      const receivedSpans = this.#received.prune(before, last);
      const runs = this.#deleteRuns(before, last);
      const changes = this.#ledger.prune(before, this.#runs.pinned());
      return { runs, receivedSpans, changes };
    });
    // After the rows: a file without a row is swept next time, a row without its file would be a loss.
    if (this.#spills.runs().length > 0) this.#db.exclude(() => this.#sweep());
    return pruned;
  }

  #deleteRuns(before: bigint, last: number): number {
    const runs = this.#runs.prunable(before);
    if (runs.length === 0) return 0;
    for (const { id, runId } of runs) {
      // The journal's last row stays as a tombstone, so that its position is not given again (J4).
      this.#db.statement("UPDATE journal SET run = 0, data = '' WHERE position = ? AND run = ?")
        .run(last, id);
      this.#db.statement(
        "DELETE FROM journal WHERE run = ?1 AND position IN (SELECT j.position FROM blocks b " +
          "CROSS JOIN journal j ON j.position BETWEEN b.block * 256 AND b.block * 256 + 255 " +
          "WHERE b.run = ?1)",
      ).run(id);
      this.#db.statement("DELETE FROM blocks WHERE run = ?").run(id);
      this.#db.statement("DELETE FROM signals WHERE run_id = ?").run(runId);
      this.#db.statement("DELETE FROM leases WHERE name = ?").run(`run:${runId}`);
      this.#db.statement("DELETE FROM runs WHERE id = ?").run(id);
    }
    this.#db.statement("DELETE FROM journal WHERE run = 0 AND position < ?").run(last);
    const used = this.#runs.definitions();
    const definitions = this.#db.statement("SELECT hash FROM definitions").all() as unknown as {
      hash: string;
    }[];
    for (const { hash } of definitions) {
      if (used.has(fromColumn(hash))) continue;
      this.#db.statement("DELETE FROM definitions WHERE hash = ?").run(hash);
    }
    return runs.length;
  }

  #sweep(): void {
    for (const runId of this.#spills.runs()) {
      // Not by SQLite's JSON functions: they give up at 1,000 levels, which inputs may have.
      const rows = this.#db.statement(
        "SELECT j.data FROM blocks b CROSS JOIN journal j " +
          "ON j.position BETWEEN b.block * 256 AND b.block * 256 + 255 AND j.run = b.run " +
          "WHERE b.run = (SELECT id FROM runs WHERE run_id = ?) " +
          "AND instr(j.data, '\"spilled\":')",
      ).all(runId) as unknown as { data: string }[];
      const keep = rows.flatMap(({ data }) => {
        const { spilled } = JSON.parse(data) as { spilled?: Spilled };
        return spilled === undefined ? [] : [spilled.file];
      });
      this.#spills.sweep(runId, new Set(keep));
    }
  }

  async close(): Promise<void> {
    this.#db.close();
  }
}

function endsRun(entry: Entry): boolean {
  return entry.type === "status" && entry.status !== "queued" && entry.status !== "running";
}

function identityOf(file: string): string | undefined {
  try {
    const { dev, ino } = Deno.statSync(file);
    return `${dev} ${ino}`;
  } catch {
    return undefined; // gone
  }
}
