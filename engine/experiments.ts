import type { PluginUse } from "./core/plugin_use.ts";
import type { Store } from "./core/store.ts";
import { matches } from "./core/wildcard.ts";
import type { Workflow } from "./core/workflow.ts";
import type { Measured } from "./host/measured.ts";

/** How the engine's own plugin that measures experiments is named where it is used. */
export const EXPERIMENTS = "spanloop:experiments";

/** What `PluginUse.with` of the engine's own plugin holds. */
export function measuredOf(use: PluginUse): Measured {
  return use.with as unknown as Measured;
}

/**
 * The plugins of a workflow: those that its file names, and with an objective the one that measures, wherever any
 * plugin is used for it. `isWatched`: whether it is measured in any case, since one of its experiments is open or another
 * workflow's plugin reaches it.
 */
export function usesOf(
  workflow: Workflow,
  forAll: readonly PluginUse[],
  isWatched: boolean,
): readonly PluginUse[] {
  const { plugins } = workflow;
  const measured = plugins.length + forAll.length > 0 || isWatched
    ? measuredBy(workflow)
    : undefined;
  return measured === undefined ? plugins : [...plugins, useOf(workflow, measured)];
}

/** Whether the plugin of another workflow reaches a workflow of that name. */
export function isReached(
  name: string,
  others: Iterable<Pick<Workflow, "name" | "plugins">>,
): boolean {
  for (const other of others) {
    if (other.name === name) continue;
    const granted = other.plugins.flatMap(({ grant }) => grant?.workflows ?? []);
    if (granted.some((pattern) => matches(pattern, name))) return true;
  }
  return false;
}

/** Whether an experiment of the workflow is open; of one without an objective none is. Throws StoreError. */
export async function isTested(
  store: Pick<Store, "snapshot">,
  { name, tune }: Workflow,
): Promise<boolean> {
  return tune?.objective !== undefined && (await store.snapshot(name)).experiment !== undefined;
}

function measuredBy({ tune, params, steps, onFailure, finally: last }: Workflow):
  | Measured
  | undefined {
  const of = tune?.objective?.of;
  const parameters = [...params.values()].filter((one) => one.tune !== undefined);
  if (of === undefined || parameters.length === 0) return undefined;
  const guarded = new Set([of, ...tune!.guards.map((guard) => guard.of)]);
  const tries = [...steps, ...onFailure, ...last].filter(({ id }) => guarded.has(id))
    .map(({ id, retry }) => [id, retry?.attempts ?? 1]);
  return {
    of,
    tries: Object.fromEntries(tries),
    parameters: parameters.map(({ name }) => name),
  };
}

function useOf({ name: workflow, folder, file }: Workflow, measured: Measured): PluginUse {
  return {
    name: "experiments",
    use: EXPERIMENTS,
    workflow,
    folder,
    file,
    line: 1,
    trust: true,
    with: { ...measured },
  };
}
