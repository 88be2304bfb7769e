import type { PluginReport } from "./core/plugin_report.ts";
import type { PluginUse } from "./core/plugin_use.ts";
import type { Store } from "./core/store.ts";
import type { Workflow } from "./core/workflow.ts";
import { EXPERIMENTS, isTested, usesOf } from "./experiments.ts";
import { effectiveGrant } from "./host/grant.ts";
import { HOST_KEY } from "./host/host.ts";
import { instanceId, keys, readReports } from "./host/record.ts";
import { findPlugin } from "./plugin_places.ts";
import { isDead } from "./system.ts";

/**
 * The plugins that `forAll` and a workflow use, and those that the store knows of; of the workflow alone when there is
 * one. Throws StoreError.
 */
export async function listPlugins(
  store: Store | undefined,
  forAll: readonly PluginUse[],
  workflow: Workflow | undefined,
): Promise<readonly PluginReport[]> {
  const known = store === undefined ? new Map() : await readReports(store);
  const last = await store?.last() ?? 0;
  const hosted = store !== undefined && await isHosted(store);
  const reports = new Map<string, PluginReport>();
  const own = workflow === undefined
    ? []
    : usesOf(workflow, forAll, store !== undefined && await isTested(store, workflow));
  for (const use of [...forAll, ...own]) {
    const id = instanceId(use.name, use.workflow);
    if (!known.has(id)) reports.set(id, unheard(use));
  }
  for (const [id, { report, cursor, aside }] of known) {
    if (workflow !== undefined && report.workflow !== null && report.workflow !== workflow.name) {
      continue;
    }
    reports.set(id, {
      ...report,
      state: aside ? "set_aside" : hosted ? "active" : "waiting",
      lag: Math.max(0, last - cursor),
    });
  }
  return [...reports].sort(([a], [b]) => a < b ? -1 : 1).map(([, report]) => report);
}

/** Takes the mark off of plugins that were set aside; gives how many. Throws StoreError. */
export async function retryPlugin(store: Store, name: string): Promise<number> {
  let count = 0;
  for (const [id, { report, aside }] of await readReports(store)) {
    if (!aside || report.name !== name) continue;
    await store.setItem(keys.retry(id), "1");
    count++;
  }
  return count;
}

async function isHosted(store: Store): Promise<boolean> {
  const holder = await store.getItem(HOST_KEY);
  return holder !== undefined && holder !== "" && !isDead(JSON.parse(holder));
}

function unheard(use: PluginUse): PluginReport {
  const isEngine = use.use === EXPERIMENTS;
  const place = isEngine ? { own: true, trusted: true } : findPlugin(use);
  const trusted = "trusted" in place && place.trusted;
  return {
    name: use.name,
    workflow: use.workflow ?? null,
    use: use.use,
    role: null,
    version: null,
    isolation: trusted ? "in process" : "sandbox",
    state: "waiting",
    why: "missing" in place ? place.missing : null,
    lag: 0,
    handled: 0,
    actions: 0,
    refused: {},
    grant: effectiveGrant(use, "own" in place && place.own, { actions: [] }),
  };
}
