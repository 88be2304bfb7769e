import type { LedgerEntry, Snapshot } from "../core/proposal.ts";
import type { LedgerQuery } from "../core/store.ts";
import { copy } from "./_copy.ts";
import { checkDecision, type DecideArguments, type Decided, unchanged } from "./_decide.ts";
import { agingOf, outdated } from "./_outdated.ts";

/** The ledger of the store in memory: a list of entries and one of snapshots (P2). */
export class MemoryLedger {
  #entries: LedgerEntry[] = [];
  #snapshots: Snapshot[] = [];
  #numbers = 0;

  /** As Store.snapshot. */
  snapshot(workflow: string): Snapshot;
  snapshot(workflow: string, version?: number): Snapshot | undefined;
  snapshot(workflow: string, version?: number): Snapshot | undefined {
    const all = [
      unchanged(workflow),
      ...this.#snapshots.filter((one) => one.workflow === workflow),
    ];
    const found = version === undefined ? all.at(-1) : all.find((one) => one.version === version);
    return copy(found);
  }

  /** As Store.decide. */
  decide(...[entry, change]: DecideArguments): Decided {
    const known = this.#entries.find(({ proposal }) => proposal.id === entry.proposal.id);
    if (known !== undefined) return { entry: copy(known), repeated: true };
    checkDecision(entry, change);
    const current = this.snapshot(entry.proposal.workflow);
    if (current.version !== change.expected) return { stale: current };
    const stored: LedgerEntry = copy({ ...entry, number: ++this.#numbers });
    this.#entries.push(stored);
    if (change.snapshot !== undefined) this.#snapshots.push(copy(change.snapshot));
    return { entry: copy(stored), repeated: false };
  }

  /** As Store.prune; `isPinned`: whether a run began with a version. */
  prune(before: bigint, isPinned: (workflow: string, version: number) => boolean): number {
    const gone = outdated(this.#entries.map((entry) => {
      const { experiment } = this.snapshot(entry.proposal.workflow);
      return agingOf(entry, before, experiment?.id);
    }));
    this.#entries = this.#entries.filter(({ number }) => !gone.has(number));
    this.#snapshots = this.#snapshots.filter(({ workflow, version }) =>
      isPinned(workflow, version) || version === this.snapshot(workflow).version ||
      this.#entries.some((one) => one.version === version && one.proposal.workflow === workflow)
    );
    return gone.size;
  }

  /** As Store.ledger. */
  list(query: LedgerQuery): LedgerEntry[] {
    return copy(
      this.#entries.filter(({ number, proposal, decision }) =>
        (query.workflow === undefined || proposal.workflow === query.workflow) &&
        (query.parameter === undefined || Object.hasOwn(proposal.changes, query.parameter)) &&
        (query.number === undefined || number === query.number) &&
        (query.proposal === undefined || proposal.id === query.proposal) &&
        (query.outcome === undefined || decision.outcome === query.outcome) &&
        (query.since === undefined || proposal.at >= query.since)
      ).reverse().slice(0, Math.max(0, query.limit ?? 100)),
    );
  }
}
