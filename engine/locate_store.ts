import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { InvalidError, messageOf } from "./core/errors.ts";
import { isObject } from "./core/json.ts";

/** Where the store is, and how durable. */
export interface StorePlace {
  /** `sqlite:/absolute/path.db` or `memory:`. */
  readonly location: string;
  /** See EngineOptions. */
  readonly durability: "full" | "normal";
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
  const project = nearestWith(folder, "spanloop.yaml");
  const settings = project === undefined
    ? {}
    : await readSettings(resolve(project, "spanloop.yaml"));
  const beside = project ?? nearestWith(folder, "deno.json") ?? nearestWith(folder, ".spanloop") ??
    folder;
  return {
    location: asked.store ?? settings.store ?? `sqlite:${resolve(beside, ".spanloop/store.db")}`,
    durability: asked.durability ?? settings.durability ?? "full",
  };
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

async function readSettings(file: string): Promise<Partial<StorePlace> & { store?: string }> {
  const { parse } = await import("yaml");
  let value: unknown;
  try {
    value = parse(readFileSync(file, "utf8")) ?? {};
  } catch (cause) {
    throw new InvalidError(`Cannot read ${file}: ${messageOf(cause)}`);
  }
  if (!isObject(value)) throw new InvalidError(`${file} must be a mapping`);
  const { store, durability, ...rest } = value;
  const unknown = Object.keys(rest)[0];
  if (unknown !== undefined) {
    throw new InvalidError(`${file}: unknown key ${unknown}; known are store and durability`);
  }
  if (durability !== undefined && durability !== "full" && durability !== "normal") {
    throw new InvalidError(`${file}: durability must be full or normal`);
  }
  if (store !== undefined && typeof store !== "string") {
    throw new InvalidError(`${file}: store must be sqlite:FILE or memory:`);
  }
  const relative = store?.startsWith("sqlite:")
    ? `sqlite:${resolve(dirname(file), store.slice("sqlite:".length))}`
    : store;
  return {
    ...(relative === undefined ? {} : { store: relative }),
    ...(durability === undefined ? {} : { durability }),
  };
}
