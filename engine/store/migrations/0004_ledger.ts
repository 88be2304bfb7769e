/**
 * Version 4: what was proposed, what became of it, and the tuned values that it made.
 *
 * - `ledger.at` is when it was proposed, nanoseconds since the epoch as 20 digits: a received span's time, and so
 *   a proposal's, may need all 64 bits without a sign, which an INTEGER has not. As text they sort alike.
 *   `data` is the rest of the entry as JSON.
 * - `ledger_parameters` finds the entries that name a parameter; SQLite's JSON functions would do it, were it not
 *   that they give up at 1,000 levels.
 * - `snapshots` keeps versions that are over: a run reads the one that it started with for as long as it lasts (P3).
 */
export const ledger = `
CREATE TABLE ledger (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  proposal TEXT NOT NULL UNIQUE,
  workflow TEXT NOT NULL,
  at TEXT NOT NULL,
  outcome TEXT NOT NULL,
  data TEXT NOT NULL
);
CREATE INDEX ledger_workflow ON ledger (workflow, number);
CREATE TABLE ledger_parameters (
  parameter TEXT NOT NULL,
  number INTEGER NOT NULL,
  PRIMARY KEY (parameter, number)
) WITHOUT ROWID;
CREATE TABLE snapshots (
  workflow TEXT NOT NULL,
  version INTEGER NOT NULL,
  data TEXT NOT NULL,
  PRIMARY KEY (workflow, version)
) WITHOUT ROWID;
`;
