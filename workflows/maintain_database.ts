import type { StepContext } from "spanloop";
import { mkdirSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";

/**
 * Checks a SQLite database, refreshes the planner's statistics, gives free pages back to the disk, and writes
 * a copy that is consistent whoever is writing. Fails before it changes anything if the database is damaged.
 */
export default function maintain(context: StepContext) {
  const database = context.path(String(context.with.database));
  const copy = context.path(String(context.with.copy));
  const bytesBefore = statSync(database).size;
  using db = new DatabaseSync(database, { timeout: 5_000 });

  const faults = [
    ...db.prepare("PRAGMA integrity_check").all().map((row) => String(row.integrity_check))
      .filter((line) => line !== "ok"),
    ...db.prepare("PRAGMA foreign_key_check").all()
      .map((row) => `${row.table} row ${row.rowid} names a missing ${row.parent}`),
  ];
  if (faults.length > 0) {
    throw new Error(`${database} is damaged: ${faults.slice(0, 5).join("; ")}; restore a backup`);
  }

  db.exec("ANALYZE");
  db.exec("VACUUM");
  mkdirSync(dirname(copy), { recursive: true });
  rmSync(`${copy}.part`, { force: true }); // of an attempt that was interrupted
  db.prepare("VACUUM INTO ?").run(`${copy}.part`);
  renameSync(`${copy}.part`, copy);

  const bytesAfter = statSync(database).size;
  context.log(`sound; ${bytesBefore} bytes before, ${bytesAfter} after`);
  return { bytes_before: bytesBefore, bytes_after: bytesAfter };
}
