/**
 * Version 3: received spans, in one order with the journal.
 *
 * - A received span is a row of `journal` whose `run` is the negative number of its origin; `at` is its start
 *   as a signed integer, `data` its ids as 48 hex digits and the rest as JSON.
 * - `origins` has what the spans of one program and library share: resource and scope.
 * - `journal_received` finds what is sent twice: the same ids and start. By start first, so that an insert
 *   goes where the last ones went, and not to a page of its own (measured: five times as many a second).
 * - `receipts` has one row for what was received at once: which positions, when, and of which origins.
 * - `runs_trace` finds the runs of a trace (T2). The first such text in a header is its own trace id: quotes
 *   within texts are escaped there, and what stands before it has no member of that name.
 */
export const received = `
CREATE TABLE origins (id INTEGER PRIMARY KEY AUTOINCREMENT, data TEXT NOT NULL UNIQUE);
CREATE TABLE receipts (
  last INTEGER PRIMARY KEY,
  first INTEGER NOT NULL,
  at INTEGER NOT NULL,
  origins TEXT NOT NULL
);
CREATE UNIQUE INDEX journal_received ON journal (at, substr(data, 1, 48)) WHERE run < 0;
CREATE INDEX runs_trace ON runs (substr(header, instr(header, '"traceId":"') + 11, 32));
`;
