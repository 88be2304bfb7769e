import type { LiveValues } from "../core/live_values.ts";
import type { Snapshot } from "../core/proposal.ts";
import type { Store } from "../core/store.ts";

interface Watched {
  snapshot: Snapshot | undefined;
  readonly hearers: Set<() => void>;
}

/**
 * The snapshots that this process's runs watch, kept fresh from the store. It has no timer of its own: whoever
 * polls the store's version calls `refresh`, and whoever decides in this process calls `take`.
 *
 * Invariant P3: versions only grow, so that what is handed out later never has older values.
 */
export class LiveSnapshots implements LiveValues {
  readonly #store: Pick<Store, "snapshot">;
  readonly #watched = new Map<string, Watched>();

  /** Reads snapshots from `store`. */
  constructor(store: Pick<Store, "snapshot">) {
    this.#store = store;
  }

  /** See LiveValues. */
  current(workflow: string): Snapshot | undefined {
    return this.#watched.get(workflow)?.snapshot;
  }

  /** See LiveValues. */
  async watch(workflow: string, changed: () => void): Promise<() => void> {
    const watched = this.#watched.get(workflow) ?? { snapshot: undefined, hearers: new Set() };
    this.#watched.set(workflow, watched);
    const hear = () => changed();
    const leave = () => {
      watched.hearers.delete(hear);
      if (watched.hearers.size === 0 && this.#watched.get(workflow) === watched) {
        this.#watched.delete(workflow);
      }
    };
    watched.hearers.add(hear);
    try {
      this.take(await this.#store.snapshot(workflow));
    } catch (thrown) {
      leave();
      throw thrown;
    }
    return leave;
  }

  /** Takes a snapshot that is in the store now, such as one that this process has just made. */
  take(snapshot: Snapshot): void {
    const watched = this.#watched.get(snapshot.workflow);
    if (watched === undefined) return;
    // What was read before a change may arrive after it.
    if (watched.snapshot !== undefined && watched.snapshot.version >= snapshot.version) return;
    watched.snapshot = snapshot;
    for (const hear of [...watched.hearers]) hear();
  }

  /** Reads again what is watched. Throws StoreError. */
  async refresh(): Promise<void> {
    for (const workflow of [...this.#watched.keys()]) {
      this.take(await this.#store.snapshot(workflow));
    }
  }
}
