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

// As many as bring the WAL to the length at which it is overwritten: growing it costs twice as much.
const WARM_UP = 1_000;

/** A file with one table in WAL mode, and what writes two rows into it in one transaction. */
export class RawJournal {
  readonly #folder: string;
  readonly #db: DatabaseSync;
  readonly #text: string;
  readonly #begin;
  readonly #insert;
  readonly #commit;

  /** Makes the file and brings its WAL to its full length. */
  constructor(options: Omit<RawOptions, "transactions">) {
    this.#folder = Deno.makeTempDirSync({ dir: options.folder, prefix: "raw-" });
    this.#db = new DatabaseSync(`${this.#folder}/raw.db`);
    this.#text = "x".repeat(options.rowsBytes);
    this.#db.exec(
      `PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
       CREATE TABLE journal (position INTEGER PRIMARY KEY, data TEXT NOT NULL)`,
    );
    this.#begin = this.#db.prepare("BEGIN IMMEDIATE");
    this.#insert = this.#db.prepare("INSERT INTO journal (data) VALUES (?)");
    this.#commit = this.#db.prepare("COMMIT");
    for (let i = 0; i < WARM_UP; i++) this.write(2);
    this.#db.exec(`PRAGMA synchronous = ${options.synchronous}`);
  }

  /** One transaction of so many rows. */
  write(rows: number): void {
    this.#begin.run();
    for (let i = 0; i < rows; i++) this.#insert.run(this.#text);
    this.#commit.run();
  }

  /** Closes and removes the file. */
  close(): void {
    this.#db.close();
    Deno.removeSync(this.#folder, { recursive: true });
  }
}

/**
 * The raw limit of this disk for a journal in SQLite, in transactions a second: BEGIN IMMEDIATE, two
 * prepared inserts into one table without further index, COMMIT, in WAL mode. It leaves out everything that
 * makes a journal of it: the fence, the run, encoding, promises.
 */
export function rawTransactionsPerSecond(options: RawOptions): number {
  const journal = new RawJournal(options);
  try {
    const from = performance.now();
    for (let i = 0; i < options.transactions; i++) journal.write(2);
    return options.transactions / (performance.now() - from) * 1000;
  } finally {
    journal.close();
  }
}
