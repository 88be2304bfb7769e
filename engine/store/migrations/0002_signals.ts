/**
 * Version 2: signals between processes, and an index of unfinished runs alone, so that a group's queue is
 * found without reading every run that ever ended.
 */
export const signals = `
CREATE TABLE signals (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  run_id TEXT NOT NULL,
  name TEXT NOT NULL,
  payload TEXT NOT NULL,
  at INTEGER NOT NULL
);
CREATE INDEX signals_run ON signals (run_id, number);
CREATE INDEX runs_unfinished ON runs (group_name, status) WHERE ended_at IS NULL;
`;
