/** What a module imports, and where packages near it are named. */
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { isObject, type JsonObject } from "../core/json.ts";
import { SandboxError } from "./error.ts";

const ROOT = dirname(fileURLToPath(new URL("../../mod.ts", import.meta.url)));

// How many files are looked into; a larger one names its packages early enough.
const MOST_FILES = 100;

// `import`, `export from` and dynamic imports with a literal. A match in a comment or a text does no harm:
// it costs a process.
const SPECIFIER = /(?:\bfrom\s*|\bimport\s*\(?\s*)(?:"([^"\n]+)"|'([^'\n]+)')/g;

/** The specifiers that a module and its relative imports name, other than `import type` ones. */
export function importsOf(path: string): string[] {
  const specifiers = new Set<string>();
  const files = [path];
  for (let i = 0; i < files.length && i < MOST_FILES; i++) {
    let text: string;
    try {
      text = Deno.readTextFileSync(files[i]);
    } catch {
      continue; // the import itself will say so, and better
    }
    for (const match of text.replace(/\bimport\s+type\b[^;]*?from/g, "").matchAll(SPECIFIER)) {
      const specifier = match[1] ?? match[2];
      specifiers.add(specifier);
      if (!/^\.{1,2}\//.test(specifier)) continue;
      const file = join(dirname(files[i]), specifier);
      if (!files.includes(file)) files.push(file);
    }
  }
  return [...specifiers];
}

/**
 * Whether a module imports packages by itself, which the engine's own lock file and import map do not
 * hold. Files of the engine's own project are the exception: its configuration is theirs.
 */
export function needsOwnPackages(path: string): boolean {
  const foreign = importsOf(path).some((specifier) =>
    !/^(\.{0,2}\/|file:|node:|data:)/.test(specifier) && specifier !== "spanloop"
  );
  const config = foreign ? findConfig(path) : undefined;
  return foreign && (config === undefined || dirname(config) !== ROOT);
}

/** The nearest deno.json, deno.jsonc or package.json in the module's folder or above it. */
export function findConfig(path: string): string | undefined {
  for (let folder = dirname(path);; folder = dirname(folder)) {
    for (const name of ["deno.json", "deno.jsonc", "package.json"]) {
      const file = join(folder, name);
      try {
        if (Deno.statSync(file).isFile) return file;
      } catch {
        // not this one
      }
    }
    if (folder === dirname(folder)) return undefined;
  }
}

/**
 * An import map, as a data: URL, of what a deno.json names and `spanloop`. A map given to Deno replaces
 * that of deno.json, so both must be in one; `spanloop` is a file URL. With `bare`, names that are URLs or paths are left
 * out: they would stand for modules of the bootstrap too, whose imports no permission is asked for. Throws SandboxError `sandbox.import` when the file cannot be read.
 */
export function importMap(
  config: string | undefined,
  spanloop: string,
  { bare = false } = {},
): string {
  const { imports, scopes } = config === undefined ? {} : readConfig(config);
  const base = config === undefined ? undefined : pathToFileURL(config);
  const absolute = (map: JsonObject) =>
    Object.fromEntries(
      Object.entries(map).filter(([name]) => !bare || isBare(name)).map(([name, to]) => [
        /^\.{0,2}\//.test(name) ? new URL(name, base).href : name,
        typeof to === "string" && /^\.{0,2}\//.test(to) ? new URL(to, base).href : to,
      ]),
    );
  const map = {
    imports: {
      ...(isObject(imports) ? packages(absolute(imports)) : {}),
      spanloop,
    },
    scopes: isObject(scopes)
      ? Object.fromEntries(
        Object.entries(scopes).map(([scope, of]) => [
          new URL(scope, base).href,
          isObject(of) ? absolute(of) : {},
        ]),
      )
      : {},
  };
  return `data:application/json,${encodeURIComponent(JSON.stringify(map))}`;
}

function isBare(name: string): boolean {
  return !/^(\.{0,2}\/|[a-z][a-z0-9+.-]*:)/i.test(name);
}

// deno.json lets `ms` stand for `ms/sub` too when it is a package; an import map wants both spelled out.
function packages(imports: JsonObject): JsonObject {
  const all: Record<string, JsonObject[string]> = { ...imports };
  for (const [name, to] of Object.entries(imports)) {
    const [, scheme, rest] = typeof to === "string" ? /^(npm|jsr):\/?(.+)$/.exec(to) ?? [] : [];
    if (scheme && !name.endsWith("/") && !(`${name}/` in all)) {
      all[`${name}/`] = `${scheme}:/${rest}/`;
    }
  }
  return all;
}

function dependenciesOf(manifest: JsonObject): JsonObject {
  const { dependencies } = manifest;
  const ranges = isObject(dependencies) ? Object.entries(dependencies) : [];
  return Object.fromEntries(
    ranges.flatMap(([name, range]) =>
      // Links to other folders, such as file: and workspace:, are not Deno's.
      /^[\w.^~<>=*| -]+$/.test(String(range)) ? [[name, `npm:${name}@${range}`]] : []
    ),
  );
}

function readConfig(file: string): JsonObject {
  // JSON with comments and trailing commas, as Deno reads it; texts are left alone.
  const text = Deno.readTextFileSync(file)
    .replace(/("(?:\\.|[^"\\])*")|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, "$1")
    .replace(/("(?:\\.|[^"\\])*")|,(?=\s*[}\]])/g, "$1");
  try {
    const config: unknown = JSON.parse(text);
    if (!isObject(config)) return {};
    return file.endsWith("package.json") ? { imports: dependenciesOf(config) } : config;
  } catch (error) {
    throw new SandboxError("sandbox.import", `Cannot read ${file}: it is no valid JSON`, {
      cause: error,
    });
  }
}
