import type { StepContext } from "spanloop";
import { mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** Makes a fresh database: the airports loaded, the table of flights empty. */
export default function prepare(context: StepContext) {
  const database = context.path(String(context.with.database));
  mkdirSync(dirname(database), { recursive: true });
  const airports = readFileSync(context.path(String(context.with.airports)), "utf8")
    .trimEnd().split("\n").slice(1).map(fields);

  using db = new DatabaseSync(database, { timeout: 5_000 });
  // IMMEDIATE, so that it waits for another writer here instead of failing halfway.
  db.exec(`
    BEGIN IMMEDIATE;
    DROP TABLE IF EXISTS flights;
    DROP TABLE IF EXISTS airports;
    CREATE TABLE airports (iata TEXT PRIMARY KEY, name TEXT, city TEXT, state TEXT) WITHOUT ROWID;
    CREATE TABLE flights (
      id INTEGER PRIMARY KEY,
      date TEXT NOT NULL,
      origin TEXT NOT NULL REFERENCES airports,
      destination TEXT NOT NULL REFERENCES airports,
      distance INTEGER NOT NULL, -- miles
      delay INTEGER NOT NULL     -- minutes; negative is early
    );
  `);
  const insert = db.prepare("INSERT INTO airports VALUES (?, ?, ?, ?)");
  for (const [iata, name, city, state] of airports) insert.run(iata, name, city, state);
  db.exec("COMMIT");
  return { airports: airports.length };
}

// The file's quoted fields hold commas, but neither quotes nor line ends.
function fields(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"(?:,|$)|([^,]*)(?:,|$)/g)].map(([, quoted, plain]) =>
    quoted ?? plain
  );
}
