import { join, resolve } from "node:path";
import type { Json, JsonObject } from "../core/json.ts";
import { pathList } from "./deno.ts";
import { SandboxError, type Whose } from "./error.ts";

const KINDS = ["read", "write", "net", "env", "run", "sys", "ffi"];

/** Permissions as Deno takes them. */
export interface Granted {
  /** Flags of `deno run`. */
  readonly flags: string[];
  /** The environment: the variables that `env` lists, and PATH. */
  readonly env: Record<string, string>;
  /** What may be read, absolute. */
  readonly read: readonly string[];
}

/**
 * Reads `permissions:`: per kind `true` or a list. Paths are relative to `folder`; `always` is readable in any case.
 * Throws SandboxError `sandbox.input` that names the permission at fault.
 */
export function permissionFlags(
  permissions: JsonObject,
  whose: Whose,
  given: {
    readonly folder: string;
    readonly always: readonly string[];
    readonly environment: Readonly<Record<string, string>>;
  },
): Granted {
  const flags: string[] = [];
  // Without PATH a program that may not be run is not even found. Reading it takes a permission still.
  const env: Record<string, string> = {};
  copyTo(env, given.environment, ["PATH"]);
  const readable: string[] = [];
  // Read is asked for in any case: the module itself must be readable.
  for (const [kind, value] of Object.entries({ read: false, ...permissions })) {
    if (!KINDS.includes(kind)) {
      throw new SandboxError(
        "sandbox.input",
        `There is no permission \`${kind}\`; there are ${KINDS.join(", ")}`,
      );
    }
    const list = listOf(kind, value, whose);
    if (list === true) {
      // With both in full, links could be made, and a denial does not hold for what a link points to.
      flags.push(kind === "write" ? "--allow-write=/" : `--allow-${kind}`);
      if (kind === "env") Object.assign(env, given.environment);
    } else {
      const values = kind === "read" || kind === "write"
        ? list.map((path) => resolve(given.folder, path))
        : list;
      if (kind === "read") {
        values.push(...given.always);
        readable.push(...values);
      }
      if (kind === "env") copyTo(env, given.environment, values);
      if (values.length > 0) flags.push(`--allow-${kind}=${pathList(values)}`);
    }
  }
  return { flags, env, read: readable };
}

// More than a folder of scripts and their data holds.
const MOST_ENTRIES = 50_000;

/** Where links of a folder may lead to. */
export interface LinkTargets {
  /** What may be read, absolute; true: everything. */
  readonly readable: readonly string[] | true;
  /** What may not be, whatever is granted. */
  readonly denied: readonly string[];
  /** A folder that is not looked at: the engine's own caches. */
  readonly skip: string;
}

/**
 * Deno's permissions go by path and follow links, so a link in a folder that is readable as a matter of
 * course would open whatever it points to. Throws SandboxError `sandbox.permission` when one leads out of what may be
 * read.
 */
export function refuseLinksOut(
  folder: string,
  { readable, denied, skip }: LinkTargets,
  { noun, key }: Whose,
): void {
  const real = (paths: readonly string[]) =>
    paths.map(realPath).filter((path) => path !== undefined);
  const roots = readable === true ? ["/"] : real(readable);
  const closed = real(denied);
  const folders = [folder];
  let entries = 0;
  for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
    for (const entry of Deno.readDirSync(next)) {
      if (++entries > MOST_ENTRIES) {
        throw new SandboxError(
          "sandbox.permission",
          `${folder} holds too many files to look for links that lead out of it; put the ${noun} in a ` +
            "folder of its own",
        );
      }
      const path = join(next, entry.name);
      if (entry.isDirectory && path !== skip) folders.push(path);
      if (!entry.isSymlink) continue;
      const target = realPath(path);
      if (target === undefined) continue; // it leads nowhere
      if (closed.some((path) => liesIn(target, path))) {
        throw new SandboxError(
          "sandbox.permission",
          `${path} is a link to ${target}, which belongs to the engine; remove the link`,
        );
      }
      if (roots.some((root) => liesIn(target, root))) continue;
      throw new SandboxError(
        "sandbox.permission",
        `${path} is a link to ${target}, which the ${noun} may not read; if it should, add ` +
          `\`read: [${target}]\` under \`${key}:\`, otherwise remove the link`,
      );
    }
  }
}

function liesIn(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith("/") ? folder : `${folder}/`);
}

function realPath(path: string): string | undefined {
  try {
    return Deno.realPathSync(path);
  } catch {
    return undefined; // not there
  }
}

function listOf(kind: string, value: Json, whose: Whose): true | string[] {
  if (value === true) return true;
  if (value === false || value === null) return [];
  const list = Array.isArray(value) ? value : [value];
  if (list.every((item) => typeof item === "string" && item !== "")) return list as string[];
  throw new SandboxError(
    "sandbox.input",
    `\`${whose.key}.${kind}\` must be true or a list of texts, not ${JSON.stringify(value)}`,
  );
}

function copyTo(
  into: Record<string, string>,
  from: Readonly<Record<string, string>>,
  names: readonly string[],
): void {
  for (const name of names) if (from[name] !== undefined) into[name] = from[name];
}
