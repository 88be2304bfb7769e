import assert from "node:assert/strict";
import type { JsonObject } from "../../engine/core/json.ts";
import type { Arm, Experiment } from "../../engine/core/proposal.ts";
import type { Store } from "../../engine/core/store.ts";
import { HOST_LEASE } from "../../engine/host/host.ts";
import { openStore } from "../../engine/store/open.ts";
import { thisHolder } from "../../engine/system.ts";
import type { Scene } from "../chaos/scene.ts";
import { spansOf } from "../chaos/snapshot.ts";
import { change } from "../contract/store_entries.ts";

async function withStore<T>(scene: Scene, use: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore(`sqlite:${scene.store}`, { durability: "normal" });
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

/**
 * Makes the next version of a workflow's tuned values; `experiment` is open in it. This process takes the lease of the
 * store's plugins, so that nobody but the test begins and ends experiments.
 */
export function next(
  scene: Scene,
  workflow: string,
  { experiment, values }: {
    readonly experiment?: Pick<Experiment, "id" | "values" | "exposure">;
    readonly values?: JsonObject;
  },
): Promise<number> {
  return withStore(scene, async (store) => {
    const now = BigInt(Date.now()) * 1_000_000n;
    await store.acquire(HOST_LEASE, {
      holder: thisHolder(),
      now,
      expiresAt: now + 3_600_000_000_000n,
      isDead: () => false,
    });
    const { version, values: before } = await store.snapshot(workflow);
    const [entry, { expected, snapshot }] = change(`${workflow}/${version}`, version, {
      workflow,
      changes: values ?? experiment?.values ?? {},
    });
    const decided = await store.decide(entry, {
      expected,
      snapshot: {
        ...snapshot,
        values: values ?? before,
        ...experiment && { experiment: { ...experiment, incumbent: {}, since: now } },
      },
    });
    assert.ok("entry" in decided);
    return version + 1;
  });
}

/** A try at a batch, as a reader of the journal sees it. */
export interface Try {
  /** Its items. */
  readonly from: number;
  /** One past them. */
  readonly to: number;
  /** How it ended. */
  readonly outcome: string | undefined;
  /** The version of the tuned values that ruled it, unless those of the run's start did. */
  readonly version: unknown;
  /** The values that ruled it. */
  readonly params: JsonObject;
  /** The experiment that it has a part in. */
  readonly experiment?: unknown;
  /** Whose values ruled. */
  readonly arm?: Arm;
  /** As on its span. */
  readonly pair?: number;
  /** Its slice's items. */
  readonly slice?: readonly [from: number, to: number];
  /** The place of its start in the journal. */
  readonly began: number;
  /** The place of its end. */
  readonly ended: number;
}

/** All tries at batches of a workflow's newest run, in the order of their starts. */
export async function tries(scene: Scene, workflow: string): Promise<readonly Try[]> {
  const { runs } = await scene.state();
  const run = runs.findLast(({ summary }) => summary.workflow === workflow);
  if (run === undefined) return []; // it has not begun
  const places = new Map<string, number>();
  for (const record of run.records) {
    if (record.type === "end") places.set(record.spanId, record.position);
  }
  return spansOf(run.records).flatMap(({ start, end }) => {
    if (start.range === undefined) return [];
    const { attributes } = start.span;
    const of = (name: string) => attributes[`spanloop.experiment.${name}`];
    const prefix = "spanloop.parameter.";
    return [{
      from: start.range.from,
      to: start.range.to,
      outcome: end?.outcome,
      version: attributes["spanloop.parameters.version"],
      params: Object.fromEntries(
        Object.entries(attributes).flatMap(([key, value]) =>
          key.startsWith(prefix) ? [[key.slice(prefix.length), value as number]] : []
        ),
      ),
      ...of("id") === undefined ? {} : {
        experiment: of("id"),
        arm: of("arm") as Arm,
        pair: of("pair") as number,
        ...of("slice.from") === undefined
          ? {}
          : { slice: [of("slice.from") as number, of("slice.to") as number] as const },
      },
      began: "position" in start ? start.position as number : 0,
      ended: places.get(start.span.spanId) ?? Infinity,
    }];
  });
}
