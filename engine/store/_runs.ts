import type { SQLInputValue } from "node:sqlite";
import type { Status } from "../core/span.ts";
import type { RunHeader, RunQuery, RunSummary, Store } from "../core/store.ts";
import type { Connection } from "./_connection.ts";
import { leaseState } from "./_leases.ts";
import { fromColumn, toColumn } from "./_text.ts";

interface RunRow {
  readonly run_id: string;
  readonly status: Status;
  readonly created_at: bigint;
  readonly started_at: bigint | null;
  readonly ended_at: bigint | null;
  readonly header: string;
  // Of its lease; null without one.
  readonly fence: bigint | null;
  readonly holder: string | null;
  readonly expires_at: bigint | null;
}

const SELECT = `SELECT r.run_id, r.status, r.created_at, r.started_at, r.ended_at, r.header,
  l.fence, l.holder, l.expires_at
  FROM runs r LEFT JOIN leases l ON l.name = 'run:' || r.run_id AND r.ended_at IS NULL`;

/** The list of runs, and the queues of their concurrency groups (A1). */
export class Runs {
  readonly #db: Connection;

  /** Works on a connection. */
  constructor(db: Connection) {
    this.#db = db;
  }

  /** As Store.run. */
  get(runId: string): RunSummary | undefined {
    const row = this.#db.read(() => this.#db.exact(`${SELECT} WHERE r.run_id = ?`).get(runId)) as
      | RunRow
      | undefined;
    return row === undefined ? undefined : summary(row);
  }

  /** As Store.runs. */
  list(query: RunQuery): RunSummary[] {
    const conditions: string[] = [];
    const values: SQLInputValue[] = [];
    const where = (condition: string, ...given: SQLInputValue[]) => {
      conditions.push(condition);
      values.push(...given);
    };
    if (query.workflow !== undefined) where("r.workflow = ?", toColumn(query.workflow));
    if (query.group !== undefined) where("r.group_name = ?", toColumn(query.group));
    if (query.before !== undefined) where("r.created_at < ?", query.before);
    if (query.prefix !== undefined && query.prefix !== "") {
      where("r.run_id >= ? AND substr(r.run_id, 1, length(?)) = ?", ...repeat(query.prefix, 3));
    }
    if (query.statuses !== undefined) {
      where(`r.status IN (${query.statuses.map(() => "?").join()})`, ...query.statuses);
      // Says so in the words of the index of unfinished runs.
      if (query.statuses.every(isUnfinished)) where("r.ended_at IS NULL");
    }
    const filter = conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`;
    const rows = this.#db.read(() =>
      this.#db.exact(`${SELECT}${filter} ORDER BY r.created_at DESC, r.run_id DESC LIMIT ?`)
        .all(...values, Math.max(0, query.limit ?? 100))
    ) as unknown as RunRow[];
    return rows.map(summary);
  }

  /** As Store.definition. */
  definition(hash: string): string | undefined {
    const row = this.#db.read(() =>
      this.#db.statement("SELECT text FROM definitions WHERE hash = ?").get(toColumn(hash))
    ) as { text: string } | undefined;
    return row === undefined ? undefined : fromColumn(row.text);
  }

  /** As Store.claim. */
  claim(runId: string, request: Parameters<Store["claim"]>[1]): boolean {
    this.#prioritise(runId, request.priority);
    // Most polls find the group busy; those need no write lock.
    if (!this.#db.read(() => this.#isFirst(runId, request))) return false;
    return this.#db.write(() => {
      if (!this.#isFirst(runId, request)) return false;
      this.#db.statement(
        "UPDATE runs SET status = 'running', started_at = coalesce(started_at, ?) WHERE run_id = ?",
      ).run(request.now, runId);
      return true;
    });
  }

  #prioritise(runId: string, priority: number | undefined): void {
    if (priority === undefined) return;
    const row = this.#db.read(() =>
      this.#db.statement("SELECT priority FROM runs WHERE run_id = ? AND status = 'queued'")
        .get(runId)
    ) as { priority: number } | undefined;
    if (row === undefined || row.priority === priority) return;
    this.#db.write(() =>
      this.#db.statement("UPDATE runs SET priority = ? WHERE run_id = ? AND status = 'queued'")
        .run(priority, runId)
    );
  }

  #isFirst(runId: string, request: Parameters<Store["claim"]>[1]): boolean {
    const run = this.#db.statement("SELECT status, group_name FROM runs WHERE run_id = ?")
      .get(runId) as { status: Status; group_name: string | null } | undefined;
    if (run?.status !== "queued") return false;
    if (run.group_name === null) return true;
    const running = this.#db.statement(
      "SELECT 1 FROM runs WHERE group_name = ? AND status = 'running' AND ended_at IS NULL",
    ).get(run.group_name);
    if (running !== undefined) return false;
    // Ids alone: the queue is sorted at each poll, and headers are large.
    const queue = this.#db.exact(
      `SELECT run_id FROM runs WHERE group_name = ? AND status = 'queued' AND ended_at IS NULL
       ORDER BY priority + max(0, ? - created_at) / ? DESC, created_at, run_id`,
    ).iterate(run.group_name, request.now, request.agingNs) as IterableIterator<unknown>;
    for (const row of queue as IterableIterator<{ run_id: string }>) {
      if (row.run_id === runId) return true;
      if (this.#isWaiting(row.run_id, request)) return false;
    }
    return false;
  }

  #isWaiting(runId: string, request: Parameters<Store["claim"]>[1]): boolean {
    const lease = this.#db.exact("SELECT holder, expires_at FROM leases WHERE name = ?")
      .get(`run:${runId}`) as { holder: string | null; expires_at: bigint } | undefined;
    // Nobody will ever claim for a process that is gone; its run waits for a resume.
    if (lease === undefined || lease.holder === null) return false;
    if (lease.expires_at <= request.now) return false;
    return request.isDead === undefined || !request.isDead(JSON.parse(lease.holder));
  }

  /** The runs that prune may delete: ended, created before, and needed by no unfinished one. */
  prunable(before: bigint): { id: number; runId: string }[] {
    const unfinished = new Set<string>();
    const sources: string[] = [];
    for (const { header } of this.#headers("ended_at IS NULL")) {
      unfinished.add(header.runId);
      if (header.rerun !== undefined) sources.push(header.rerun.runId);
    }
    // A rerun reads the outcomes that it reuses from the run before, which may itself be a rerun (R5).
    const reused = new Set<string>();
    for (let source = sources.pop(); source !== undefined; source = sources.pop()) {
      if (reused.has(source)) continue;
      reused.add(source);
      const [run] = this.#headers("run_id = ?", source);
      if (run?.header.rerun !== undefined) sources.push(run.header.rerun.runId);
    }
    return [...this.#headers("ended_at IS NOT NULL AND created_at < ?", before)]
      .filter(({ header }) =>
        !reused.has(header.runId) &&
        // An unfinished run that resumes looks its sub-workflow's outcome up (S6).
        !(header.parent !== undefined && unfinished.has(header.parent.runId))
      )
      .map(({ id, header }) => ({ id, runId: header.runId }));
  }

  /** The definitions that runs name. */
  definitions(): Set<string> {
    return new Set(Array.from(this.#headers("TRUE"), ({ header }) => header.definition));
  }

  /** The versions of the tuned values that runs began with, by workflow (P3). */
  pinned(): Map<string, Set<number>> {
    const pinned = new Map<string, Set<number>>();
    for (const { header: { workflow, snapshot } } of this.#headers("TRUE")) {
      if (snapshot === undefined) continue;
      const versions = pinned.get(workflow) ?? new Set();
      pinned.set(workflow, versions.add(snapshot));
    }
    return pinned;
  }

  *#headers(
    condition: string,
    ...values: SQLInputValue[]
  ): Iterable<{ id: number; header: RunHeader }> {
    const rows = this.#db.statement(`SELECT id, header FROM runs WHERE ${condition}`)
      .iterate(...values) as IterableIterator<unknown>;
    for (const row of rows as IterableIterator<{ id: number; header: string }>) {
      yield { id: row.id, header: JSON.parse(row.header) };
    }
  }
}

function isUnfinished(status: Status): boolean {
  return status === "queued" || status === "running";
}

function repeat(value: string, times: number): string[] {
  return Array.from({ length: times }, () => value);
}

function summary(row: RunRow): RunSummary {
  const header: RunHeader = JSON.parse(row.header);
  const { fence, holder, expires_at } = row;
  const lease = fence === null || expires_at === null
    ? {}
    : { lease: leaseState(`run:${row.run_id}`, { fence, holder, expires_at }) };
  return {
    ...header,
    createdAt: row.created_at,
    status: row.status,
    ...(row.started_at === null ? {} : { startedAt: row.started_at }),
    ...(row.ended_at === null ? {} : { endedAt: row.ended_at }),
    ...lease,
  };
}
