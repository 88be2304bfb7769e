/**
 * Version 1: runs, their journal, leases, definitions, workflow names and items.
 *
 * - `journal.at` is the span's start or end, `data` the rest of the entry as JSON. Row 0 of `run` marks the
 *   tombstone that prune leaves so that no position is used twice.
 * - `blocks` finds a run's rows: one row for each block of 256 positions in which the run has an entry. A
 *   full index on `journal.run` would cost one more page in each commit (measured: 30 % of a commit without
 *   sync, 10 % of one with); this costs one in 128 commits.
 * - `leases.run` is the number of the run that `run:RUN_ID` covers, so that a commit's fence check also
 *   gives the number for its rows.
 */
export const base = `
CREATE TABLE journal (
  position INTEGER PRIMARY KEY,
  run INTEGER NOT NULL,
  at INTEGER NOT NULL,
  data TEXT NOT NULL
);
CREATE TABLE blocks (
  run INTEGER NOT NULL,
  block INTEGER NOT NULL,
  PRIMARY KEY (run, block)
) WITHOUT ROWID;
CREATE TABLE runs (
  id INTEGER PRIMARY KEY,
  run_id TEXT NOT NULL UNIQUE,
  workflow TEXT NOT NULL,
  group_name TEXT,
  trigger TEXT,
  status TEXT NOT NULL,
  priority INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  started_at INTEGER,
  ended_at INTEGER,
  fence INTEGER NOT NULL DEFAULT 0,
  header TEXT NOT NULL
);
CREATE UNIQUE INDEX runs_trigger ON runs (trigger) WHERE trigger IS NOT NULL;
CREATE INDEX runs_created_at ON runs (created_at, run_id);
CREATE TABLE definitions (hash TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE leases (
  name TEXT PRIMARY KEY,
  run INTEGER,
  fence INTEGER NOT NULL,
  holder TEXT,
  expires_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE workflows (name TEXT PRIMARY KEY, file TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE items (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
`;
