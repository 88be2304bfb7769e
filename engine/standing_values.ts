import type { Json } from "./core/json.ts";
import type { Snapshot } from "./core/proposal.ts";
import type { Workflow } from "./core/workflow.ts";
import type { Parts } from "./assembly.ts";
import type { ParameterLedger } from "./parameters/ledger.ts";

/** A workflow's tuned values, as far as they are of its file as it is now (A5). */
export interface StandingValues {
  /** The snapshot that is in the store. */
  readonly snapshot: Snapshot;
  /** Its values, without those that the file's author has retired, clamped to the file's bounds. */
  readonly values: Readonly<Record<string, Json>>;
  /** Whether they are others than the snapshot's, and the ledger does not say so yet. */
  readonly edited: boolean;
}

/** What is tuned of a workflow, held against its file; writes nothing. */
export async function standingValues(
  { store }: Pick<Parts, "store">,
  workflow: Workflow,
): Promise<StandingValues> {
  const snapshot = await store.snapshot(workflow.name);
  const standing = { snapshot, values: snapshot.values, edited: false };
  // Most workflows have nothing tuned: what knows of it is not loaded then.
  if (Object.keys(snapshot.values).length === 0 && snapshot.experiment === undefined) {
    return standing;
  }
  const { following, reconcile } = await import("./parameters/reconcile.ts");
  const found = reconcile(workflow, snapshot);
  if (found === undefined) return standing;
  return {
    snapshot,
    values: following(snapshot, workflow, found, snapshot.at).values,
    edited: true,
  };
}

/** The ledger of a store in this process; runs under way here, if any, hear of its changes (A2). */
export async function openLedger(
  { store, live }: Pick<Parts, "store"> & Partial<Pick<Parts, "live">>,
): Promise<ParameterLedger> {
  const { ParameterLedger } = await import("./parameters/ledger.ts");
  return new ParameterLedger({
    store,
    machineZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    onChange: (snapshot) => live?.take(snapshot),
  });
}
