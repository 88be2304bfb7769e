import { StoreError } from "../core/errors.ts";
import type { Snapshot } from "../core/proposal.ts";
import type { Store } from "../core/store.ts";

/** What `Store.decide` gives. */
export type Decided = Awaited<ReturnType<Store["decide"]>>;

/** What `Store.decide` is given. */
export type DecideArguments = Parameters<Store["decide"]>;

/** The first time that cannot be proposed at: what OTLP's 64 bits cannot say. */
export const END_OF_TIME = 2n ** 64n;

/** A workflow's tuned values before anything has been changed. */
export function unchanged(workflow: string): Snapshot {
  return { workflow, version: 0, values: {}, frozen: [], at: 0n };
}

/** Throws StoreError `store.invalid` for an entry and a snapshot that do not belong together (P2). */
export function checkDecision(...[entry, { expected, snapshot }]: DecideArguments): void {
  const { proposal, version } = entry;
  const refuse = (why: string) => {
    throw new StoreError(
      "store.invalid",
      `Cannot write the decision on the proposal ${proposal.id}: ${why}`,
    );
  };
  if (proposal.at < 0n || proposal.at >= END_OF_TIME) {
    refuse(`its time ${proposal.at} is none; give nanoseconds since the epoch, in 64 bits`);
  }
  if (version !== snapshot?.version) {
    refuse(
      `it says that it makes version ${version ?? "none"}, the snapshot ${
        snapshot?.version ?? "none"
      }; give both the same`,
    );
  }
  if (snapshot === undefined) return;
  if (snapshot.workflow !== proposal.workflow) {
    refuse(`it is for ${proposal.workflow}, the snapshot for ${snapshot.workflow}; give one`);
  }
  if (snapshot.version !== expected + 1) {
    refuse(`version ${snapshot.version} does not follow ${expected}; give the next`);
  }
}
