import { SpanloopError } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import type { LedgerEntry, Proposal, Snapshot } from "../core/proposal.ts";
import type { Store } from "../core/store.ts";
import type { Circumstances } from "./policy.ts";
import { type Change, following } from "./reconcile.ts";

/** What the ledger needs. */
export interface LedgerPorts {
  /** Where entries and snapshots are kept. */
  readonly store: Pick<Store, "snapshot" | "decide" | "ledger">;
  /** The zone of blackout windows that name none. */
  readonly machineZone: string;
  /** Hears of each snapshot that is made here. */
  readonly onChange?: (snapshot: Snapshot) => void;
}

/** What became of a proposal or an order. */
export interface Entered {
  /** Its entry in the ledger. */
  readonly entry: LedgerEntry;
  /** Whether a proposal of that id was there already, and is given back as it is (P2). */
  readonly repeated: boolean;
  /** The snapshot after it. */
  readonly snapshot: Snapshot;
}

/** The parts of a workflow that say what may change. */
export type Contract = Circumstances["workflow"];

/** An entry that is to be written. */
export type Judged = Pick<LedgerEntry, "proposal" | "decision" | "answers" | "verdict"> & {
  /** What it makes of the snapshot; absent: nothing. */
  readonly change?: Change;
};

// Each try loses against a change that was made meanwhile: so many in a row are no coincidence.
const MOST_TRIES = 20;
// Whoever answers takes the newest; what is older than so many is as good as forgotten.
const MOST_PENDING = 200;

/**
 * The entries of a ledger, in a store that other processes change as well.
 *
 * Invariant: P2 (an entry is written with the snapshot that it makes, against the version that it was judged by, or is
 * judged anew).
 *
 * Errors: StoreError; SpanloopError `params.busy`.
 */
export class Entries {
  readonly #ports: Pick<LedgerPorts, "store" | "onChange">;

  /** Works on a store. */
  constructor(ports: Pick<LedgerPorts, "store" | "onChange">) {
    this.#ports = ports;
  }

  /** Writes what `judge` makes of the snapshot that is there; undefined: nothing. */
  enter(
    workflow: Contract,
    judge: (snapshot: Snapshot) => Judged | Promise<Judged>,
  ): Promise<Entered>;
  /** Writes what `judge` makes of the snapshot that is there; undefined: nothing. */
  enter(
    workflow: Contract,
    judge: (snapshot: Snapshot) => Judged | undefined | Promise<Judged | undefined>,
  ): Promise<Entered | undefined>;
  async enter(
    workflow: Contract,
    judge: (snapshot: Snapshot) => Judged | undefined | Promise<Judged | undefined>,
  ): Promise<Entered | undefined> {
    const { store } = this.#ports;
    let snapshot = await store.snapshot(workflow.name);
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const judged = await judge(snapshot);
      if (judged === undefined) return undefined;
      const { change, ...entry } = judged;
      const next = change === undefined
        ? undefined
        : following(snapshot, workflow, change, entry.proposal.at);
      const decided = await store.decide({
        ...entry,
        before: beforeOf(entry.proposal, snapshot),
        ...next === undefined ? {} : { version: next.version },
      }, { expected: snapshot.version, snapshot: next });
      if ("stale" in decided) {
        snapshot = decided.stale;
        continue;
      }
      if (decided.repeated) return { ...decided, snapshot: await store.snapshot(workflow.name) };
      if (next !== undefined) this.#ports.onChange?.(next);
      return { ...decided, snapshot: next ?? snapshot };
    }
    throw new SpanloopError(
      "params.busy",
      `Cannot change parameters of ${workflow.name}: something else changes them all the time; try again`,
    );
  }

  /** Entries with this outcome that nothing has answered yet, newest first. */
  async pending(
    { name: workflow }: Pick<Contract, "name">,
    outcome: "held" | "waiting",
  ): Promise<readonly LedgerEntry[]> {
    const { store } = this.#ports;
    const entries = await store.ledger({ workflow, outcome, limit: MOST_PENDING });
    const open: LedgerEntry[] = [];
    for (const entry of entries) {
      const answer = await store.ledger({ proposal: answerId(entry.number), limit: 1 });
      if (answer.length === 0) open.push(entry);
    }
    return open;
  }
}

/** The id of what answers an entry: it is answered once (P2). */
export function answerId(number: number): string {
  return `answer/${number}`;
}

/** The tuned value of a parameter; null: the default. */
export function tunedValue({ values }: Snapshot, name: string): Json {
  return Object.hasOwn(values, name) ? values[name] : null;
}

function beforeOf({ changes }: Proposal, snapshot: Snapshot): LedgerEntry["before"] {
  return Object.fromEntries(
    Object.keys(changes).map((name) => [name, tunedValue(snapshot, name)]),
  );
}
