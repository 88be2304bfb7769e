import { isObject, type Json } from "../core/json.ts";
import type { Store } from "../core/store.ts";
import type { PluginRole } from "../core/plugin.ts";
import type { PluginReport, Refusal } from "../core/plugin_report.ts";
import type { Bucket } from "./judge.ts";

/** What is kept of an instance under `plugin/INSTANCE/`. */
export interface InstanceRecord {
  /** How far it has heard; absent for one that is new. */
  readonly cursor?: number;
  /** Its state, if it is of `stateVersion`. */
  readonly state: Readonly<Record<string, Json>>;
  /** The version of what its state holds. */
  readonly stateVersion: number;
  /** The last tick of each schedule, nanoseconds since the epoch, by the schedule's text. */
  readonly ticks: Readonly<Record<string, bigint>>;
  /** What was left of its rate; absent: all. */
  readonly bucket?: Bucket;
  /** What is told of it. */
  readonly report?: StoredReport;
  /** Why it was set aside, and what it was then: of another fingerprint it is tried again. */
  readonly aside?: { readonly why: string; readonly fingerprint: string };
}

/** What is told of an instance when nobody hosts it. */
export interface StoredReport extends Omit<PluginReport, "lag" | "state" | "why" | "role"> {
  /** As in PluginReport. */
  readonly role: PluginRole | null;
  /** Why it cannot be loaded, or was set aside; null when it works. */
  readonly why: string | null;
}

const PREFIX = "plugin/";
const REPORT_KEY = /^plugin\/([^/]+)\/report$/;

/** The keys under which an instance's values are kept. */
export const keys = {
  cursor: (id: string): string => `${PREFIX}${id}/cursor`,
  ticks: (id: string): string => `${PREFIX}${id}/ticks`,
  bucket: (id: string): string => `${PREFIX}${id}/bucket`,
  report: (id: string): string => `${PREFIX}${id}/report`,
  aside: (id: string): string => `${PREFIX}${id}/aside`,
  stateVersion: (id: string): string => `${PREFIX}${id}/state_version`,
  retry: (id: string): string => `${PREFIX}${id}/retry`,
  state: (id: string, key: string): string => `${PREFIX}${id}/state/${key}`,
};

/** Reads what is kept of an instance. Throws StoreError. */
export async function readRecord(store: Pick<Store, "items">, id: string): Promise<InstanceRecord> {
  const items = await store.items(`${PREFIX}${id}/`);
  const state: [string, Json][] = [];
  const prefix = keys.state(id, "");
  for (const [key, value] of items) {
    if (key.startsWith(prefix)) state.push([key.slice(prefix.length), JSON.parse(value)]);
  }
  const cursor = items.get(keys.cursor(id));
  const aside = items.get(keys.aside(id));
  const report = items.get(keys.report(id));
  const bucket = items.get(keys.bucket(id));
  const ticks: Record<string, string> = JSON.parse(items.get(keys.ticks(id)) ?? "{}");
  return {
    ...cursor === undefined ? {} : { cursor: Number(cursor) },
    // A key may be any text, `__proto__` among them.
    state: Object.fromEntries(state),
    stateVersion: Number(items.get(keys.stateVersion(id)) ?? 1),
    ticks: Object.fromEntries(Object.entries(ticks).map(([text, at]) => [text, BigInt(at)])),
    ...bucket === undefined ? {} : { bucket: readBucket(bucket) },
    ...report === undefined ? {} : { report: JSON.parse(report) },
    ...aside === undefined ? {} : { aside: JSON.parse(aside) },
  };
}

/** A bucket as it is stored. */
export function bucketText({ tokens, filled }: Bucket): string {
  return JSON.stringify([tokens, filled === undefined ? null : String(filled)]);
}

function readBucket(text: string): Bucket {
  const [tokens, filled]: [number, string | null] = JSON.parse(text);
  return { tokens, filled: filled === null ? undefined : BigInt(filled) };
}

/** The reports and the cursors of all instances that a store knows of, by instance. */
export async function readReports(
  store: Pick<Store, "items">,
): Promise<
  ReadonlyMap<
    string,
    { readonly report: StoredReport; readonly cursor: number; readonly aside: boolean }
  >
> {
  const items = await store.items(PREFIX);
  const found = new Map<
    string,
    { readonly report: StoredReport; readonly cursor: number; readonly aside: boolean }
  >();
  for (const [key, value] of items) {
    // A key of a plugin's state may end alike.
    const id = REPORT_KEY.exec(key)?.[1];
    if (id === undefined) continue;
    const report: unknown = JSON.parse(value);
    if (!isObject(report)) continue;
    found.set(id, {
      report: report as unknown as StoredReport,
      cursor: Number(items.get(keys.cursor(id)) ?? 0),
      // One that cannot be loaded hears nothing either.
      aside: items.has(keys.aside(id)) || report.why !== null,
    });
  }
  return found;
}

/** Counts of an instance since it was first used. */
export interface Counts {
  /** Events that it has handled. */
  handled: number;
  /** Actions that were carried out. */
  actions: number;
  /** Actions that were refused, by why. */
  readonly refused: Partial<Record<Refusal, number>>;
}

/** An instance's id: the plugin's name, and the workflow that uses it. */
export function instanceId(name: string, workflow: string | undefined): string {
  return workflow === undefined ? name : `${name}@${workflow}`;
}
