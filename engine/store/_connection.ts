import type { DatabaseSync, StatementSync } from "node:sqlite";
import { StoreError } from "../core/errors.ts";
import { storeFailure } from "./_failure.ts";

/** One connection: prepared statements by their text, and transactions that leave nothing half done. */
export class Connection {
  /** The database's file, absolute. */
  readonly file: string;
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #begin: StatementSync;
  readonly #beginToRead: StatementSync;
  readonly #commit: StatementSync;
  readonly #version: StatementSync;
  #commits = 0;
  #open = true;

  /** Takes over an open database. */
  constructor(db: DatabaseSync, file: string) {
    this.#db = db;
    this.file = file;
    this.#begin = db.prepare("BEGIN IMMEDIATE");
    this.#beginToRead = db.prepare("BEGIN");
    this.#commit = db.prepare("COMMIT");
    this.#version = db.prepare("PRAGMA data_version");
  }

  /** The prepared statement for `sql`, made once. Integers come as numbers. */
  statement(sql: string): StatementSync {
    return this.#prepared(sql, sql);
  }

  /** As `statement`; integers come as bigint, because nanoseconds are larger than 2^53. */
  exact(sql: string): StatementSync {
    return this.#prepared(`bigint ${sql}`, sql, (made) => made.setReadBigInts(true));
  }

  /** As `exact`; rows come as lists of their columns: a quarter less work where there are many. */
  lists(sql: string): StatementSync {
    return this.#prepared(`lists ${sql}`, sql, (made) => {
      made.setReadBigInts(true);
      // Deno has it, its types do not know it yet.
      (made as StatementSync & { setReturnArrays(enabled: boolean): void }).setReturnArrays(true);
    });
  }

  #prepared(key: string, sql: string, set?: (made: StatementSync) => void): StatementSync {
    let statement = this.#statements.get(key);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      set?.(statement);
      this.#statements.set(key, statement);
    }
    return statement;
  }

  /** Runs `body` with the write lock and commits; whatever throws, nothing was written. */
  write<T>(body: () => T): T {
    this.#check();
    try {
      this.#begin.run();
      const result = body();
      this.#commit.run();
      this.#commits++;
      return result;
    } catch (thrown) {
      this.#rollBack();
      throw storeFailure(thrown, { file: this.file, action: "write to" });
    }
  }

  /** Runs `body` with the write lock and changes nothing, so that no other process commits meanwhile. */
  exclude<T>(body: () => T): T {
    this.#check();
    try {
      this.#begin.run();
      return body();
    } catch (thrown) {
      throw storeFailure(thrown, { file: this.file, action: "clean up" });
    } finally {
      this.#rollBack();
    }
  }

  /** Runs `body`, which reads. */
  read<T>(body: () => T): T {
    this.#check();
    try {
      return body();
    } catch (thrown) {
      throw storeFailure(thrown, { file: this.file, action: "read" });
    }
  }

  /** As `read`; all that `body` reads is of one moment, whatever other processes commit meanwhile. */
  readAtOnce<T>(body: () => T): T {
    this.#check();
    try {
      this.#beginToRead.run();
      const result = body();
      this.#commit.run();
      return result;
    } catch (thrown) {
      this.#rollBack();
      throw storeFailure(thrown, { file: this.file, action: "read" });
    }
  }

  /** Changes with each commit, of this connection (which SQLite's data_version leaves out) or another. */
  version(): number {
    return this.read(() => (this.#version.get() as { data_version: number }).data_version) +
      this.#commits;
  }

  /** Closes it; again is no error. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#db.close();
  }

  #rollBack(): void {
    // SQLite itself rolls back after some failures (a full disk, an I/O error); then there is nothing to do.
    if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
  }

  #check(): void {
    if (!this.#open) {
      throw new StoreError(
        "store.unavailable",
        `Cannot use the store ${this.file}: it was closed; open it again`,
      );
    }
  }
}
