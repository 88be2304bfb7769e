import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Clock } from "../core/clock.ts";
import { isObject, type JsonObject } from "../core/json.ts";
import { denoArguments, fetchArguments, registryVariables } from "../sandbox/deno.ts";
import { SandboxError } from "../sandbox/error.ts";
import { findConfig, importMap, importsOf } from "../sandbox/modules.ts";
import { permissionFlags, refuseLinksOut } from "../sandbox/permissions.ts";
import { PLUGIN } from "./_said.ts";
import { SandboxProcess } from "./_sandbox_process.ts";
import { PluginError } from "./plugin_error.ts";
import type { Channel } from "./protocol.ts";

/** A plugin to start in a sandbox, and what that needs from outside. */
export interface SandboxOptions {
  /** Tells it from all others: what it keeps by localStorage, and what is fetched for it, is its own. */
  readonly id: string;
  /** The module's absolute path, or `npm:package@version`. */
  readonly module: string;
  /** The Deno permissions that it was granted. */
  readonly permissions: JsonObject;
  /** The folder that their paths are relative to, absolute. */
  readonly folder: string;
  /** How much memory it may take. */
  readonly memory?: SandboxMemory;
  /** Time, for limits. */
  readonly clock: Clock;
  /** The absolute path of the Deno executable. */
  readonly deno: string;
  /** The file URL of mod.ts, which `spanloop` stands for in plugins. */
  readonly library: string;
  /** The engine's own environment; a plugin gets of it what it was granted. */
  readonly environment: Readonly<Record<string, string>>;
  /** The operating system as `Deno.build.os` has it. */
  readonly platform: string;
  /** The engine's folder of caches, absolute; each plugin has one of its own in it, which it cannot reach. */
  readonly cacheFolder: string;
  /** Absolute paths of the store, which plugins neither read nor write whatever they are granted. */
  readonly store: readonly string[];
}

/** How much memory a sandbox may take, megabytes. */
export interface SandboxMemory {
  /** Its heap. */
  readonly heap: number;
  /** Its process in all: a bare one takes 60. */
  readonly process: number;
}

/** What holds unless a test makes it less. */
export const SANDBOX_MEMORY: SandboxMemory = { heap: 256, process: 512 };

const BOOTSTRAP = fileURLToPath(new URL("./program.ts", import.meta.url));

/**
 * Starts a Deno process for a plugin, with the permissions that it was granted and that to read its own folder, and
 * nothing else of the engine's (I2); packages of npm that it names are fetched first, once. Rejects with PluginError
 * `plugin.import` when it cannot be started as it is.
 */
export async function sandbox(options: SandboxOptions): Promise<Channel> {
  const name = createHash("sha256").update(options.id).digest("hex").slice(0, 32);
  const cache = join(options.cacheFolder, "plugins", name);
  const { map, packages, granted } = prepared(options);
  if (packages.length > 0) await fetchPackages(options, { cache, map, packages });
  const { heap, process } = options.memory ?? SANDBOX_MEMORY;
  const flags = denoArguments({
    map,
    granted: granted.flags,
    denied: [...options.store, options.cacheFolder],
    more: [
      `--v8-flags=--max-old-space-size=${heap}`,
      ...packages.length === 0 ? ["--no-npm"] : [],
    ],
  });
  try {
    return new SandboxProcess(options.clock, {
      command: options.deno,
      args: [...flags, BOOTSTRAP],
      env: {
        ...packages.length === 0 ? {} : registryVariables(options.environment),
        ...granted.env,
        DENO_DIR: cache,
        DENO_NO_UPDATE_CHECK: "1",
        NO_COLOR: "1",
      },
      cwd: isPackage(options.module) ? options.folder : dirname(options.module),
      limits: options.platform === "linux" ? { memory: process * 1024 * 1024 } : undefined,
    });
  } catch (error) {
    throw cannotStart(`its process cannot be started: ${(error as Error).message}`, error);
  }
}

function prepared(options: SandboxOptions) {
  const { module, permissions, folder } = options;
  try {
    const own = isPackage(module) ? [] : ownFolder(module);
    const granted = permissionFlags(permissions, PLUGIN, {
      folder,
      always: own,
      environment: options.environment,
    });
    if (own.length > 0) {
      const { cacheFolder: skip, store } = options;
      const readable = permissions.read === true || granted.read;
      refuseLinksOut(own[0], { readable, denied: [...store, skip], skip }, PLUGIN);
    }
    if (isPackage(module)) {
      return { granted, map: importMap(undefined, options.library), packages: [module] };
    }
    const map = importMap(findConfig(module), options.library, { bare: true });
    return { granted, map, packages: packagesOf(module, map) };
  } catch (error) {
    if (!(error instanceof SandboxError)) throw error;
    throw cannotStart(error.message, error);
  }
}

function isPackage(module: string): boolean {
  return module.startsWith("npm:");
}

// As it is named, and as the system knows it: Deno asks for both.
function ownFolder(module: string): string[] {
  const folder = dirname(module);
  try {
    return [...new Set([folder, Deno.realPathSync(folder)])];
  } catch (error) {
    throw cannotStart(`${folder} cannot be read: ${(error as Error).message}`, error);
  }
}

// The packages that a deno.json or package.json near the module names and the module imports: naming them there is
// what grants them. What is only in the code is not fetched.
function packagesOf(module: string, map: string): string[] {
  const { imports } = JSON.parse(decodeURIComponent(map.slice(map.indexOf(",") + 1)));
  if (!isObject(imports)) return [];
  const named = importsOf(module).flatMap((specifier) => {
    const name = Object.keys(imports).filter((key) =>
      specifier === key || (key.endsWith("/") && specifier.startsWith(key))
    ).sort((a, b) =>
      b.length - a.length
    )[0];
    const to = name === undefined ? undefined : imports[name];
    return typeof to === "string" && to.startsWith("npm:")
      ? [to + specifier.slice(name.length)]
      : [];
  });
  return [...new Set(named)];
}

// The list of what was fetched, in the plugin's own cache, so that a start asks no registry.
const FETCHED = "fetched.json";

// A process of its own fetches, with the engine's environment (proxies, certificates), and runs nothing.
async function fetchPackages(
  { deno, environment }: SandboxOptions,
  { cache, map, packages }: { cache: string; map: string; packages: readonly string[] },
): Promise<void> {
  const list = join(cache, FETCHED);
  const wanted = JSON.stringify(packages);
  if (await readText(list) === wanted) return;
  await Deno.mkdir(cache, { recursive: true });
  const { success, stderr } = await new Deno.Command(deno, {
    args: fetchArguments(map, packages),
    clearEnv: true,
    env: { ...environment, DENO_DIR: cache, NO_COLOR: "1" },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) {
    const why = new TextDecoder().decode(stderr).trim().split("\n").slice(0, 3).join(" ").slice(
      0,
      500,
    );
    throw cannotStart(
      `its packages ${packages.join(", ")} cannot be fetched: ${why}; is the registry reachable?`,
    );
  }
  await Deno.writeTextFile(list, wanted);
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function cannotStart(why: string, cause?: unknown): PluginError {
  return new PluginError("plugin.import", `The plugin cannot be started: ${why}`, { cause });
}
