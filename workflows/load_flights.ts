import type { StepContext } from "spanloop";
import { DatabaseSync } from "node:sqlite";

/** A row as it came: any field may be missing. */
interface Flight {
  id?: number;
  date?: string;
  origin?: string;
  destination?: string;
  distance?: number;
  delay?: number;
}

/**
 * Loads one batch of flights in one synced transaction. A row that the database refuses (an unknown airport,
 * a field that is missing) counts as failed and the others go in. The key makes it safe to run a batch again.
 */
export default function load(context: StepContext) {
  // Opened for the batch and closed with it: the engine may live for weeks, and nothing tells a module
  // when its last batch was.
  using db = new DatabaseSync(context.path(String(context.with.database)), { timeout: 5_000 });
  const insert = db.prepare(
    "INSERT OR REPLACE INTO flights VALUES (?, ?, ?, ?, ?, ?)",
  );
  let failed = 0;
  // SQLite's defaults hold: rollback journal, synchronous FULL. The COMMIT waits for the disk, and that
  // is what a batch of few rows pays for.
  db.exec("BEGIN IMMEDIATE");
  for (const flight of context.items as unknown as Flight[]) {
    const { id = null, date = null, origin = null, destination = null } = flight;
    const { distance = null, delay = null } = flight;
    try {
      insert.run(id, date, origin, destination, distance, delay);
    } catch (refusal) {
      failed++;
      context.log(`${JSON.stringify(flight)}: ${(refusal as Error).message}`);
    }
  }
  db.exec("COMMIT");
  return { processed: context.items.length - failed, failed };
}
