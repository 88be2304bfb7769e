import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { InvalidError, messageOf } from "./core/errors.ts";
import type { PluginUse } from "./core/plugin_use.ts";
import type { Settings } from "./spec/settings.ts";

/** Where the store is, how durable, and what the project around it uses. */
export interface StorePlace {
  /** `sqlite:/absolute/path.db` or `memory:`. */
  readonly location: string;
  /** See EngineOptions. */
  readonly durability: "full" | "normal";
  /** The plugins that spanloop.yaml uses for all workflows, in its order. */
  readonly plugins: readonly PluginUse[];
}

/**
 * Finds the store (R3): what was asked for, else what the nearest spanloop.yaml above `near` says, else
 * `.spanloop/store.db` beside that file, else beside the nearest deno.json, else beside the nearest
 * `.spanloop`, else in the workflow's own folder. Throws InvalidError for a spanloop.yaml that does not hold.
 */
export async function locateStore(
  near: string,
  asked: { readonly store?: string; readonly durability?: "full" | "normal" },
): Promise<StorePlace> {
  const folder = folderOf(near);
  const settings = await readSettings(folder);
  const beside = projectFolder(folder) ?? nearestWith(folder, ".spanloop") ?? folder;
  return {
    location: asked.store ?? settings.store ?? `sqlite:${resolve(beside, ".spanloop/store.db")}`,
    durability: asked.durability ?? settings.durability ?? "full",
    plugins: settings.plugins,
  };
}

/** The folder of the nearest spanloop.yaml at or above `folder`, else of the nearest deno.json (R3). */
export function projectFolder(folder: string): string | undefined {
  return nearestWith(folder, "spanloop.yaml") ?? nearestWith(folder, "deno.json");
}

function folderOf(near: string): string {
  try {
    return statSync(near).isDirectory() ? near : dirname(near);
  } catch {
    return dirname(near); // a file that is not there is reported by whoever reads it
  }
}

function nearestWith(folder: string, name: string): string | undefined {
  for (let at = folder;; at = dirname(at)) {
    if (existsSync(resolve(at, name))) return at;
    if (at === dirname(at)) return undefined;
  }
}

async function readSettings(folder: string): Promise<Settings> {
  const project = nearestWith(folder, "spanloop.yaml");
  // Most projects have none, and need not wait for the parser.
  if (project === undefined) return { plugins: [] };
  const file = resolve(project, "spanloop.yaml");
  const { loadSettings } = await import("./spec/settings.ts");
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    throw new InvalidError(`Cannot read ${file}: ${messageOf(cause)}`);
  }
  const { settings, diagnostics } = loadSettings({ bytes, file, display: file });
  if (settings === undefined) throw new InvalidError(`${file} does not hold`, diagnostics);
  const relative = settings.store?.startsWith("sqlite:")
    ? `sqlite:${resolve(project, settings.store.slice("sqlite:".length))}`
    : settings.store;
  return { ...settings, ...(relative === undefined ? {} : { store: relative }) };
}
