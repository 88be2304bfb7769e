/** Loads the modules of scripts that run in the engine's process. */
import { pathToFileURL } from "node:url";
import { StepError } from "../core/errors.ts";
import type { Script } from "../core/step.ts";
import type { Clock } from "../core/clock.ts";
import { importScript } from "./script_import.ts";
import { importError, readThrown } from "./_script_error.ts";

// Runs follow one another quickly; a file is looked at again at most so often, milliseconds.
const CHECK_MS = 100;

/** A script's function, with what tells whether its file has changed. */
export interface LoadedScript {
  /** The default export. */
  readonly script: Script;
  /** The run for which the file was last looked at. */
  checkedFor: string;
  /** When it was, by the monotonic clock. */
  checkedAt: number;
  /** The file's state then. */
  readonly state: string;
}

/**
 * Scripts by path, each imported once. A file that changed is imported anew by the next run, so that a
 * server does not go on with old code; what the file itself imports stays as it was.
 */
export class ScriptModules {
  readonly #clock: Clock;
  readonly #loaded = new Map<string, LoadedScript>();
  readonly #firstState = new Map<string, string>();

  /** Uses `clock` to look at files not too often. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The script that is loaded already and good for this run; otherwise undefined. */
  get(path: string, runId: string): Script | undefined {
    const loaded = this.#loaded.get(path);
    if (loaded === undefined) return undefined;
    if (loaded.checkedFor === runId) return loaded.script;
    const now = this.#clock.monotonic();
    if (now - loaded.checkedAt >= CHECK_MS) {
      if (stateOf(path) !== loaded.state) return undefined;
      loaded.checkedAt = now;
    }
    loaded.checkedFor = runId;
    return loaded.script;
  }

  /** Imports the script. Throws StepError that says what is wrong with the file. */
  async load(path: string, runId: string, folder: string): Promise<Script> {
    const state = stateOf(path);
    // The first import is by the plain URL, so that other modules that import it get the same instance.
    const first = this.#firstState.get(path) ?? state;
    this.#firstState.set(path, first);
    const url = pathToFileURL(path).href + (state === first ? "" : `?spanloop=${state}`);
    let module: { readonly default?: unknown };
    try {
      module = await importScript(url);
    } catch (error) {
      throw importError(path, readThrown(error), folder, error);
    }
    const script = module.default;
    if (typeof script !== "function") throw noDefaultExport(path);
    this.#loaded.set(path, {
      script: script as Script,
      state,
      checkedFor: runId,
      checkedAt: this.#clock.monotonic(),
    });
    return script as Script;
  }
}

/** The failure of a module that exports no function. */
export function noDefaultExport(path: string): StepError {
  return new StepError(
    "script.import",
    `The script ${path} has no function as its default export; write ` +
      "`export default (context) => ({ ... })` in it",
  );
}

/** Throws StepError unless there is a file at `path`; gives its state, which changes with its content. */
export function stateOf(path: string): string {
  let info: Deno.FileInfo;
  try {
    info = Deno.statSync(path);
  } catch (error) {
    const why = error instanceof Deno.errors.NotFound
      ? "there is no such file; `module` is relative to the workflow's folder"
      : (error as Error).message;
    throw new StepError("script.import", `Cannot load the script ${path}: ${why}`, {
      cause: error,
    });
  }
  if (!info.isFile) {
    throw new StepError("script.import", `Cannot load the script ${path}: it is not a file`);
  }
  return `${info.mtime?.getTime() ?? 0}.${info.size}.${info.ino ?? 0}`;
}
