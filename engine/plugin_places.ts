import { realpathSync, statSync } from "node:fs";
import { dirname, resolve, sep } from "node:path";
import { InvalidError } from "./core/errors.ts";
import type { PluginUse } from "./core/plugin_use.ts";
import { projectFolder } from "./locate_store.ts";
import { isPluginName } from "./spec/compile_plugins.ts";

/** Where a plugin's module is, and whether it runs in the engine's process. */
export type PluginPlace =
  | {
    readonly kind: "file";
    /** Its module, absolute. */
    readonly path: string;
    /** The module's folder: what its sandbox may read. */
    readonly folder: string;
    /** Whether it is one of Spanloop's own. */
    readonly own: boolean;
    /** Whether it is one of Spanloop's own, or trusted by `trust: true`. */
    readonly trusted: boolean;
  }
  | {
    readonly kind: "npm";
    /** `npm:PACKAGE@VERSION`. */
    readonly specifier: string;
    /** Whether it is trusted by `trust: true`. */
    readonly trusted: boolean;
  };

// Beside mod.ts; none where Spanloop itself is not on disk.
const OWN = import.meta.dirname === undefined
  ? undefined
  : resolve(import.meta.dirname, "../plugins");

/**
 * Where a plugin's module is: a path is relative to the file that uses it, and that of a folder means its `plugin.ts`;
 * a name is looked up in plugins/ of the project, then of Spanloop (`own`). Whatever lies in Spanloop's own plugins/ is
 * trusted, however it is named. A package of npm is not looked for. Throws InvalidError, a sentence with the places that
 * were looked at.
 */
export function placePlugin(use: PluginUse, own = OWN): PluginPlace {
  const found = findPlugin(use, own);
  if ("missing" in found) throw new InvalidError(`${use.file}:${use.line}: ${found.missing}`);
  return found;
}

/** As `placePlugin`; `missing` says what is not there and where it was looked for. */
export function findPlugin(use: PluginUse, own = OWN): PluginPlace | { readonly missing: string } {
  if (use.use.startsWith("npm:")) {
    return { kind: "npm", specifier: use.use, trusted: use.trust };
  }
  const named = isPluginName(use.use);
  const places = named ? namedPlaces(use, own) : [pathPlace(resolve(use.folder, use.use))];
  const path = places.find((place) => kindOf(place) === "file");
  if (path === undefined) {
    return {
      missing: named
        ? `there is no plugin \`${use.use}\`: looked for ${places.join(" and ")}; ` +
          "put it there, or name it by its path"
        : `there is no plugin ${places[0]}; paths are relative to the file that names them`,
    };
  }
  const isOwn = own !== undefined && liesIn(path, own);
  return { kind: "file", path, folder: dirname(path), own: isOwn, trusted: use.trust || isOwn };
}

function namedPlaces(use: PluginUse, own: string | undefined): readonly string[] {
  const folders = new Set([resolve(projectFolder(use.folder) ?? use.folder, "plugins")]);
  if (own !== undefined) folders.add(own);
  return [...folders].map((folder) => resolve(folder, use.use, "plugin.ts"));
}

function pathPlace(path: string): string {
  return kindOf(path) === "folder" ? resolve(path, "plugin.ts") : path;
}

function kindOf(path: string): "file" | "folder" | undefined {
  try {
    const found = statSync(path);
    return found.isFile() ? "file" : found.isDirectory() ? "folder" : undefined;
  } catch {
    return undefined; // not there
  }
}

// By what links lead to: one that leads out of plugins/ is not Spanloop's own.
function liesIn(path: string, folder: string): boolean {
  try {
    return realpathSync(path).startsWith(realpathSync(folder) + sep);
  } catch {
    return false; // gone since
  }
}
