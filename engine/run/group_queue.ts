import type { Clock } from "../core/clock.ts";
import type { Holder, RunHeader, Store } from "../core/store.ts";
import type { Overlap } from "../core/workflow.ts";

/** Waiting raises a run one level every 10 minutes (A1). */
const AGING_NS = 600_000_000_000n;

const CLAIM_MS = 200;

/** What waiting for a group needs. */
export interface QueuePorts {
  /** Where the group's runs are. */
  readonly store: Store;
  /** Time. */
  readonly clock: Clock;
  /** Whether a holder's process is gone. */
  readonly isDead: (holder: Holder) => boolean;
}

/**
 * Waits until a queued run has its concurrency group: `begun` when it may start, `skipped` when its overlap
 * says so, `cancelled` when it was told to stop meanwhile. `notice` hears what it waits for.
 */
export async function leaveQueue(
  ports: QueuePorts,
  header: RunHeader,
  overlap: Overlap,
  run: {
    /** Whether it was told to stop. */
    readonly isStopped: () => boolean;
    /** How urgent it is now (A1). */
    readonly priority: () => number;
  },
  notice: (message: string) => void,
): Promise<"begun" | "skipped" | "cancelled"> {
  const { store, clock, isDead } = ports;
  let told = false;
  for (;;) {
    if (run.isStopped()) return "cancelled";
    const priority = run.priority();
    const now = clock.now();
    if (await store.claim(header.runId, { now, agingNs: AGING_NS, priority, isDead })) {
      return "begun";
    }
    if (overlap === "skip") {
      notice(`skipped: ${await inGroup(ports, header)}`);
      return "skipped";
    }
    if (!told) {
      told = true;
      if (overlap === "cancel") await cancelGroup(ports, header);
      notice(`waiting for its turn in group ${header.group}: ${await inGroup(ports, header)}`);
    }
    await new Promise<void>((resolve) => clock.after(CLAIM_MS, resolve));
  }
}

// Which run has the group; one whose engine died keeps it, for its processes may be alive.
async function inGroup({ store, isDead }: QueuePorts, { group }: RunHeader): Promise<string> {
  const [run] = await store.runs({ group, statuses: ["running"], limit: 1 });
  if (run === undefined) return `others of group ${group} are before it`;
  const holder = run.lease?.holder;
  if (holder !== undefined && !isDead(holder)) return `run ${run.runId} is under way in it`;
  return `run ${run.runId} died in it; resume that run to let it end`;
}

async function cancelGroup({ store, clock }: QueuePorts, header: RunHeader): Promise<void> {
  const others = await store.runs({
    group: header.group,
    statuses: ["queued", "running"],
    limit: 1_000,
  });
  for (const other of others) {
    if (other.runId === header.runId) continue;
    await store.signal(other.runId, "cancel", { by: header.runId }, clock.now());
  }
}
