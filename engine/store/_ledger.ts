import type { SQLInputValue } from "node:sqlite";
import { messageOf, StoreError } from "../core/errors.ts";
import type { LedgerEntry, Snapshot } from "../core/proposal.ts";
import type { LedgerQuery } from "../core/store.ts";
import type { Connection } from "./_connection.ts";
import {
  checkDecision,
  type DecideArguments,
  type Decided,
  END_OF_TIME,
  unchanged,
} from "./_decide.ts";
import { type Aging, agingOf, outdated } from "./_outdated.ts";
import { fromColumn, toColumn } from "./_text.ts";

interface EntryRow {
  readonly number: number;
  readonly at: string;
  readonly data: string;
}

const SELECT = "SELECT l.number, l.at, l.data FROM ledger l";

/** Proposals with their decisions, and the versions of the tuned values that they made (P2). */
export class Ledger {
  readonly #db: Connection;

  /** Works on a connection. */
  constructor(db: Connection) {
    this.#db = db;
  }

  /** As Store.snapshot. */
  snapshot(workflow: string, version?: number): Snapshot | undefined {
    return this.#db.read(() => this.#snapshot(workflow, version));
  }

  #snapshot(workflow: string): Snapshot;
  #snapshot(workflow: string, version?: number): Snapshot | undefined;
  #snapshot(workflow: string, version?: number): Snapshot | undefined {
    if (version === 0) return unchanged(workflow);
    const name = toColumn(workflow);
    const row = version === undefined
      ? this.#db.statement(
        "SELECT data FROM snapshots WHERE workflow = ? ORDER BY version DESC LIMIT 1",
      ).get(name)
      : this.#db.statement("SELECT data FROM snapshots WHERE workflow = ? AND version = ?")
        .get(name, version);
    if (row !== undefined) return fromSnapshotData((row as { data: string }).data);
    return version === undefined ? unchanged(workflow) : undefined;
  }

  /** As Store.decide. */
  decide(...[entry, change]: DecideArguments): Decided {
    // Asked again, it needs no write lock, and changes no version for others to look at.
    const known = this.#db.read(() => this.#known(entry.proposal.id));
    if (known !== undefined) return { entry: known, repeated: true };
    checkDecision(entry, change);
    const data = toEntryData(entry);
    const snapshot = change.snapshot === undefined ? undefined : toSnapshotData(change.snapshot);
    return this.#db.write(() => {
      const known = this.#known(entry.proposal.id);
      if (known !== undefined) return { entry: known, repeated: true };
      const current = this.#snapshot(entry.proposal.workflow);
      if (current.version !== change.expected) return { stale: current };
      const number = this.#insert(entry, data);
      if (snapshot !== undefined) {
        this.#db.statement("INSERT INTO snapshots (workflow, version, data) VALUES (?, ?, ?)")
          .run(toColumn(entry.proposal.workflow), current.version + 1, snapshot);
      }
      return { entry: fromRow({ number, at: toTime(entry.proposal.at), data }), repeated: false };
    });
  }

  #known(proposal: string): LedgerEntry | undefined {
    const row = this.#db.statement(`${SELECT} WHERE l.proposal = ?`).get(toColumn(proposal));
    return row === undefined ? undefined : fromRow(row as unknown as EntryRow);
  }

  #insert({ proposal, decision }: Omit<LedgerEntry, "number">, data: string): number {
    const { lastInsertRowid } = this.#db.statement(
      "INSERT INTO ledger (proposal, workflow, at, outcome, data) VALUES (?, ?, ?, ?, ?)",
    ).run(
      toColumn(proposal.id),
      toColumn(proposal.workflow),
      toTime(proposal.at),
      decision.outcome,
      data,
    );
    const number = Number(lastInsertRowid);
    const name = this.#db.statement(
      "INSERT INTO ledger_parameters (parameter, number) VALUES (?, ?)",
    );
    for (const parameter of Object.keys(proposal.changes)) name.run(toColumn(parameter), number);
    return number;
  }

  /** As Store.ledger. */
  list(query: LedgerQuery): LedgerEntry[] {
    const conditions: string[] = [];
    const values: SQLInputValue[] = [];
    const where = (condition: string, value: SQLInputValue) => {
      conditions.push(condition);
      values.push(value);
    };
    if (query.workflow !== undefined) where("l.workflow = ?", toColumn(query.workflow));
    if (query.number !== undefined) where("l.number = ?", query.number);
    if (query.proposal !== undefined) where("l.proposal = ?", toColumn(query.proposal));
    if (query.outcome !== undefined) where("l.outcome = ?", query.outcome);
    if (query.since !== undefined) where("l.at >= ?", toTime(query.since));
    if (query.parameter !== undefined) {
      where(
        "EXISTS (SELECT 1 FROM ledger_parameters p WHERE p.parameter = ? AND p.number = l.number)",
        toColumn(query.parameter),
      );
    }
    const filter = conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`;
    const rows = this.#db.read(() =>
      this.#db.statement(`${SELECT}${filter} ORDER BY l.number DESC LIMIT ?`)
        .all(...values, Math.max(0, query.limit ?? 100))
    ) as unknown as EntryRow[];
    return rows.map(fromRow);
  }

  /** As Store.prune, within a write; `pinned` gives the versions that runs began with, by workflow. */
  prune(before: bigint, pinned: ReadonlyMap<string, ReadonlySet<number>>): number {
    const entries: Aging[] = [];
    const made = new Map<number, string>();
    const tried = new Map<string, string | undefined>();
    // One at a time: together they may be more than there is memory for.
    const rows = this.#db.statement(`${SELECT} ORDER BY l.number`).iterate();
    for (const row of rows as Iterable<unknown> as Iterable<EntryRow>) {
      const entry = fromRow(row);
      const { number, version, proposal: { workflow } } = entry;
      if (!tried.has(workflow)) tried.set(workflow, this.#snapshot(workflow).experiment?.id);
      entries.push(agingOf(entry, before, tried.get(workflow)));
      if (version !== undefined) made.set(number, versionKey(workflow, version));
    }
    const gone = outdated(entries);
    for (const number of gone) {
      this.#db.statement("DELETE FROM ledger WHERE number = ?").run(number);
      made.delete(number);
    }
    // No index finds them by their numbers.
    this.#db.statement(
      "DELETE FROM ledger_parameters WHERE number NOT IN (SELECT number FROM ledger)",
    ).run();
    this.#pruneSnapshots(new Set(made.values()), pinned);
    return gone.size;
  }

  // Keeps what entries made, what runs began with, and what is there now.
  #pruneSnapshots(
    made: ReadonlySet<string>,
    pinned: ReadonlyMap<string, ReadonlySet<number>>,
  ): void {
    const all = this.#db.statement(
      "SELECT workflow, version, version = (SELECT max(version) FROM snapshots l " +
        "WHERE l.workflow = s.workflow) AS newest FROM snapshots s",
    ).all() as unknown as { workflow: string; version: number; newest: number }[];
    for (const { workflow, version, newest } of all) {
      const name = fromColumn(workflow);
      if (newest === 1 || made.has(versionKey(name, version))) continue;
      if (pinned.get(name)?.has(version)) continue;
      this.#db.statement("DELETE FROM snapshots WHERE workflow = ? AND version = ?")
        .run(workflow, version);
    }
  }
}

function versionKey(workflow: string, version: number): string {
  return `${version} ${workflow}`;
}

// Times as the column has them. Those that nothing can be proposed at, in a query, sort before or after all.
function toTime(at: bigint): string {
  if (at < 0n) return "";
  return at < END_OF_TIME ? at.toString().padStart(20, "0") : "later";
}

function toEntryData(entry: Omit<LedgerEntry, "number">): string {
  return toJson({ ...entry, proposal: { ...entry.proposal, at: undefined } }, entry.proposal.id);
}

function fromRow({ number, at, data }: EntryRow): LedgerEntry {
  const entry = JSON.parse(data);
  entry.number = number;
  entry.proposal.at = BigInt(at);
  return entry;
}

function toSnapshotData({ experiment, ...snapshot }: Snapshot): string {
  return toJson({
    ...snapshot,
    at: snapshot.at.toString(),
    ...experiment && { experiment: { ...experiment, since: experiment.since.toString() } },
  }, snapshot.workflow);
}

function fromSnapshotData(data: string): Snapshot {
  const snapshot = JSON.parse(data);
  snapshot.at = BigInt(snapshot.at);
  if (snapshot.experiment) snapshot.experiment.since = BigInt(snapshot.experiment.since);
  return snapshot;
}

function toJson(value: unknown, of: string): string {
  try {
    return JSON.stringify(value);
  } catch (thrown) {
    if (!(thrown instanceof TypeError || thrown instanceof RangeError)) throw thrown;
    throw new StoreError(
      "store.invalid",
      `Cannot store the change ${of}: it is not JSON (${messageOf(thrown)})`,
      { cause: thrown },
    );
  }
}
