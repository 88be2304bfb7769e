import type { Snapshot } from "./proposal.ts";

/**
 * The tuned values of workflows as they are now, for runs that read their `apply: live` parameters anew (A2, P3).
 * A change that this process makes is there at once, one of another process within 500 ms (R8).
 */
export interface LiveValues {
  /** The workflow's snapshot as it was last heard of; undefined unless it is watched. */
  current(workflow: string): Snapshot | undefined;
  /**
   * Keeps `current(workflow)` fresh until the returned function is called; resolves once it is known. `changed`
   * hears of each version that comes. Throws StoreError.
   */
  watch(workflow: string, changed: () => void): Promise<() => void>;
}
