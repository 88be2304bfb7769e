import { DatabaseSync } from "node:sqlite";

/** What to measure. */
export interface RawOptions {
  /** How many transactions of two rows. */
  readonly transactions: number;
  /** The length of each row's text in bytes; take it from the rows of the store under comparison. */
  readonly rowsBytes: number;
  /** SQLite's own names: FULL syncs each transaction. */
  readonly synchronous: "FULL" | "NORMAL";
  /** Where to put the file: on the disk that the store is on. */
  readonly folder: string;
}

/**
 * The raw limit of this disk for a journal in SQLite, in transactions a second: BEGIN IMMEDIATE, two
 * prepared inserts into one table without further index, COMMIT, in WAL mode. It leaves out everything that
 * makes a journal of it: the fence, the run, encoding, promises.
 */
export function rawTransactionsPerSecond(options: RawOptions): number {
  const folder = Deno.makeTempDirSync({ dir: options.folder, prefix: "raw-" });
  const db = new DatabaseSync(`${folder}/raw.db`);
  try {
    db.exec(
      `PRAGMA journal_mode = WAL; PRAGMA synchronous = ${options.synchronous};
       CREATE TABLE journal (position INTEGER PRIMARY KEY, data TEXT NOT NULL)`,
    );
    const begin = db.prepare("BEGIN IMMEDIATE");
    const insert = db.prepare("INSERT INTO journal (data) VALUES (?)");
    const commit = db.prepare("COMMIT");
    const text = "x".repeat(options.rowsBytes);
    const from = performance.now();
    for (let i = 0; i < options.transactions; i++) {
      begin.run();
      insert.run(text);
      insert.run(text);
      commit.run();
    }
    return options.transactions / (performance.now() - from) * 1000;
  } finally {
    db.close();
    Deno.removeSync(folder, { recursive: true });
  }
}
