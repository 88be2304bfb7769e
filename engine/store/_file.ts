import { DatabaseSync } from "node:sqlite";
import {
  chmodSync,
  constants,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { StoreError } from "../core/errors.ts";
import { storeFailure } from "./_failure.ts";
import { parentOf, sync } from "./_spill.ts";
import { migrations } from "./migrations/list.ts";

// "SPAN": tells a store from any other SQLite file.
const APPLICATION_ID = 0x5350414e;

const BUSY_TIMEOUT_MS = 5000;

/** How to open a store's file. */
export interface FileOptions {
  /** `full` syncs each commit; `normal` only checkpoints, so that a machine's crash may lose the last ones. */
  readonly durability: "full" | "normal";
  /** Whether to make a file that is not there. */
  readonly create: boolean;
  /** Whether to open for reading only. */
  readonly readOnly: boolean;
}

/** Opens a store's file at its newest version. Throws StoreError with the codes of `Store`. */
export function openFile(file: string, options: FileOptions): DatabaseSync {
  let db: DatabaseSync | undefined;
  try {
    // Unlike existsSync, it tells what is not there from what may not be looked at.
    if (statSync(file, { throwIfNoEntry: false }) === undefined) {
      if (!options.create || options.readOnly) throw missing(file);
      createFile(file);
    }
    if (statSync(file).size === 0) throw damaged(file, "it is empty");
    db = options.readOnly ? openToRead(file) : new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS });
    check(db, file);
    if (options.readOnly) {
      if (versionOf(db) < migrations.length) throw outdated(file);
      return db;
    }
    db.exec(
      `PRAGMA journal_mode = WAL; PRAGMA synchronous = ${options.durability.toUpperCase()};`,
    );
    migrate(db, file, migrations);
    return db;
  } catch (thrown) {
    db?.close();
    const place = { file, action: "open" };
    const failure = storeFailure(thrown, place);
    if ((failure as { code?: unknown }).code !== "store.unavailable") throw failure;
    if (options.readOnly || !existsSync(file)) throw failure;
    throw storeFailure(reasonInFolder(file), place) ?? failure;
  }
}

/** What keeps the folder from being written: SQLite, which needs files beside its own, does not say. */
function reasonInFolder(file: string): unknown {
  try {
    rmdirSync(mkdtempSync(`${file}.new-`));
    return undefined;
  } catch (thrown) {
    return thrown;
  }
}

/**
 * Brings a store to the newest of `steps` in one transaction. The version is read again inside it: another
 * process may have done the work while this one waited for the lock.
 */
function migrate(db: DatabaseSync, file: string, steps: readonly string[]): void {
  if (versionOf(db) === steps.length) return;
  db.exec("BEGIN IMMEDIATE");
  try {
    const version = versionOf(db);
    if (version > steps.length) throw newer(file, version);
    for (const step of steps.slice(version)) db.exec(step);
    db.exec(`PRAGMA user_version = ${steps.length}`);
    db.exec("COMMIT");
  } finally {
    if (db.isTransaction) db.exec("ROLLBACK");
  }
}

/**
 * Makes a new store under another name and links it into place, whole. So a process that starts at the
 * same moment, or after a crash in between, never meets half a store, and nobody's store is overwritten.
 */
function createFile(file: string): void {
  const folder = parentOf(file);
  const made = mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (made !== undefined && folder.endsWith("/.spanloop")) {
    writeFileSync(`${folder}/.gitignore`, "*\n");
  }
  const workshop = mkdtempSync(`${file}.new-`);
  try {
    const fresh = `${workshop}/store.db`;
    // SQLite gives its -wal and -shm files the mode of the database.
    writeFileSync(fresh, "", { mode: 0o600 });
    chmodSync(fresh, 0o600);
    const db = new DatabaseSync(fresh);
    try {
      // Synced once, as a whole, before it is linked: nobody can see it earlier.
      db.exec(
        `PRAGMA synchronous = OFF; PRAGMA journal_mode = WAL;
         PRAGMA application_id = ${APPLICATION_ID};`,
      );
      migrate(db, file, migrations);
    } finally {
      db.close();
    }
    sync(fresh);
    place(fresh, file);
    sync(folder);
  } finally {
    rmSync(workshop, { recursive: true, force: true });
  }
}

function place(fresh: string, file: string): void {
  try {
    linkSync(fresh, file);
  } catch (thrown) {
    const { code } = thrown as { code?: string };
    if (code === "EEXIST") return;
    // Some file systems have no hard links. A copy is not atomic, but it does not overwrite either.
    if (code !== "EPERM" && code !== "ENOTSUP" && code !== "ENOSYS") throw thrown;
    copyFileSync(fresh, file, constants.COPYFILE_EXCL);
  }
}

/**
 * Opens for reading. In a folder that cannot be written SQLite cannot make the shared-memory file that WAL
 * needs; a store that was closed properly has no WAL, and then needs none.
 */
function openToRead(file: string): DatabaseSync {
  const db = new DatabaseSync(file, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
  try {
    versionOf(db);
    return db;
  } catch (thrown) {
    db.close();
    if (sizeOf(`${file}-wal`) > 0) throw unmerged(file, thrown);
    const path = file.split("/").map(encodeURIComponent).join("/");
    return new DatabaseSync(`file:${path}?immutable=1`, { readOnly: true });
  }
}

function check(db: DatabaseSync, file: string): void {
  // The first reading makes SQLite compare the header's page count with the file's size.
  const version = versionOf(db);
  const { application_id } = db.prepare("PRAGMA application_id").get() as {
    application_id: number;
  };
  if (application_id !== APPLICATION_ID) {
    throw new StoreError(
      "store.corrupt",
      `Cannot open the store ${file}: it is another program's SQLite database; ` +
        "choose another --store",
    );
  }
  if (version > migrations.length) throw newer(file, version);
  // With a WAL, SQLite takes the page count from there and does not look at the file's size. A file that
  // is shorter may be a checkpoint that a crash cut off, which the WAL makes good, or may be truncated:
  // only then is every page looked at.
  const { page_count } = db.prepare("PRAGMA page_count").get() as { page_count: number };
  const { page_size } = db.prepare("PRAGMA page_size").get() as { page_size: number };
  if (statSync(file).size >= page_count * page_size) return;
  if (sizeOf(`${file}-wal`) === 0) throw damaged(file, "its end is missing");
  const { quick_check } = db.prepare("PRAGMA quick_check(1)").get() as { quick_check: string };
  if (quick_check !== "ok") throw damaged(file, quick_check);
}

function versionOf(db: DatabaseSync): number {
  return (db.prepare("PRAGMA user_version").get() as { user_version: number }).user_version;
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

function missing(file: string): StoreError {
  return new StoreError(
    "store.missing",
    `Cannot open the store ${file}: there is no such file; run a workflow first, or name the store ` +
      "with --store",
  );
}

function damaged(file: string, why: string): StoreError {
  return new StoreError(
    "store.corrupt",
    `Cannot open the store ${file}: the file is damaged (${why}); restore it from a copy or choose ` +
      "another --store",
  );
}

function newer(file: string, version: number): StoreError {
  return new StoreError(
    "store.newer",
    `Cannot open the store ${file}: it was written by a newer Spanloop (version ${version} of the ` +
      `store, this one knows ${migrations.length}); upgrade or choose another --store`,
  );
}

function unmerged(file: string, cause: unknown): unknown {
  if (existsSync(`${file}-shm`)) return cause;
  return new StoreError(
    "store.read_only",
    `Cannot read the store ${file}: a process that died left changes in ${file}-wal, and SQLite can read ` +
      "those only where it may write to the folder; do it once as somebody who may",
    { cause },
  );
}

function outdated(file: string): StoreError {
  return new StoreError(
    "store.read_only",
    `Cannot open the store ${file} for reading: it was written by an older Spanloop; run any ` +
      "command that may write to it once, which upgrades it",
  );
}
