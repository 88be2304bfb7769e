import type { Holder, Lease, LeaseState, Store } from "../core/store.ts";
import type { Connection } from "./_connection.ts";
import { toColumn } from "./_text.ts";

/** A lease as its row has it. */
export interface LeaseRow {
  readonly fence: bigint;
  readonly holder: string | null;
  readonly expires_at: bigint;
}

/** A lease's state from its row. */
export function leaseState(name: string, row: LeaseRow): LeaseState {
  return {
    name,
    fence: Number(row.fence),
    ...(row.holder === null ? {} : { holder: JSON.parse(row.holder) as Holder }),
    expiresAt: row.expires_at,
  };
}

/** Leases: who may write a run, keep the schedules, host the plugins. R7: a name's fence only grows. */
export class Leases {
  readonly #db: Connection;

  /** Works on a connection. */
  constructor(db: Connection) {
    this.#db = db;
  }

  /** As Store.acquire. */
  acquire(
    name: string,
    request: Parameters<Store["acquire"]>[1],
  ): { acquired: Lease } | { held: LeaseState } {
    const key = toColumn(name);
    return this.#db.write(() => {
      const row = this.#db.exact("SELECT fence, holder, expires_at FROM leases WHERE name = ?")
        .get(key) as LeaseRow | undefined;
      if (row !== undefined && row.holder !== null && row.expires_at > request.now) {
        const held = leaseState(name, row);
        if (!request.isDead(held.holder!)) return { held };
      }
      const run = name.startsWith("run:") ? this.#run(name.slice("run:".length)) : undefined;
      const fence = (row === undefined ? run?.fence ?? 0 : Number(row.fence)) + 1;
      this.#db.statement(
        "INSERT OR REPLACE INTO leases (name, run, fence, holder, expires_at) " +
          "VALUES (?, ?, ?, ?, ?)",
      ).run(key, run?.id ?? null, fence, JSON.stringify(request.holder), request.expiresAt);
      return { acquired: { name, fence } };
    });
  }

  #run(runId: string): { id: number; fence: number } | undefined {
    return this.#db.statement("SELECT id, fence FROM runs WHERE run_id = ?").get(runId) as
      | { id: number; fence: number }
      | undefined;
  }

  /** As Store.renew. */
  renew(leases: readonly Lease[], expiresAt: bigint): string[] {
    if (leases.length === 0) return [];
    const update = this.#db.statement(
      "UPDATE leases SET expires_at = ? WHERE name = ? AND fence = ? AND holder IS NOT NULL",
    );
    return this.#db.write(() =>
      leases.filter(({ name, fence }) =>
        Number(update.run(expiresAt, toColumn(name), fence).changes) === 0
      ).map(({ name }) => name)
    );
  }

  /** As Store.release. The row stays, for its fence. */
  release(leases: readonly Lease[]): void {
    if (leases.length === 0) return;
    const update = this.#db.statement(
      "UPDATE leases SET holder = NULL WHERE name = ? AND fence = ?",
    );
    this.#db.write(() => {
      for (const { name, fence } of leases) update.run(toColumn(name), fence);
    });
  }

  /** Whether the lease is still that of whoever was given this fence; call it inside a transaction. */
  isCurrent(lease: Lease): boolean {
    return this.#db.statement(
      "SELECT 1 FROM leases WHERE name = ? AND fence = ? AND holder IS NOT NULL",
    ).get(toColumn(lease.name), lease.fence) !== undefined;
  }
}
