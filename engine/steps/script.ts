import { resolve } from "node:path";
import { StepError, TransientError } from "../core/errors.ts";
import type { Json, JsonObject } from "../core/json.ts";
import type { AttemptContext, Script, StepContext, StepResult, StepType } from "../core/step.ts";
import { CapturedConsole, type LineWriter } from "../sandbox/captured_console.ts";
import { needsOwnPackages } from "../sandbox/modules.ts";
import { ended } from "./_ended.ts";
import { endProcesses } from "./_process.ts";
import { readThrown, threwError } from "./_script_error.ts";
import { ScriptModules } from "./_script_modules.ts";
import { scriptResult } from "./_script_outputs.ts";
import { Tail } from "./_stream.ts";
import type { StepPorts } from "./ports.ts";

/**
 * The step type `script`: calls the default export of `module` (relative to the workflow's folder) with a
 * StepContext; the other inputs are its `with` (S5). What it returns are the outputs, `processed` and
 * `failed` among them the batch's counts. A TransientError is class `transient`, any other `error` (F1).
 *
 * It runs in the engine's process, unless the step lists `permissions` or the module imports packages that
 * the engine does not have: then in a Deno process of its own. In the engine's process it is trusted: it
 * can write to the engine's stdout (what it prints by `console` are lines of the step), and one that ignores
 * its signal is abandoned, not stopped.
 */
export function scriptStep(ports: StepPorts): StepType {
  const modules = new ScriptModules(ports.clock);
  const paths = new Map<string, string>();
  const apart = new Set<string>();
  return {
    name: "script",
    interruption: "retry",
    run(context) {
      const module = context.with.module;
      const key = `${context.folder}\n${module}`;
      let path = paths.get(key);
      if (path === undefined) {
        if (typeof module !== "string" || module === "") return Promise.reject(noModule());
        paths.set(key, path = resolve(context.folder, module));
      }
      if (context.with.permissions === undefined && !apart.has(path)) {
        const script = modules.get(path, context.runId);
        if (script !== undefined) return call(script, context);
      }
      return start(ports, path, modules, apart, context);
    },
    async cleanUp(span) {
      if (ports.platform === "linux") await endProcesses(ports, { spanId: span.spanId });
    },
  };
}

function noModule(): StepError {
  return new StepError("step.input", "A script step needs `module`, the path of a TypeScript file");
}

// The slow way: the first use of a module, and every use of one in a process of its own.
async function start(
  ports: StepPorts,
  path: string,
  modules: ScriptModules,
  apart: Set<string>,
  context: AttemptContext,
): Promise<StepResult> {
  if (context.signal.aborted) throw ended(context.signal);
  if (context.with.permissions !== undefined) {
    return (await import("./_script_process.ts")).runWithPermissions(ports, path, context);
  }
  if (apart.has(path) || needsOwnPackages(path)) {
    apart.add(path);
    return (await import("./_script_process.ts")).runWithPackages(ports, path, context);
  }
  return call(await modules.load(path, context.runId, context.folder), context);
}

// One for the process: its console is one.
let scripts: CapturedConsole | undefined;

async function call(script: Script, context: AttemptContext): Promise<StepResult> {
  scripts ??= new CapturedConsole(console);
  const given = new ScriptContext(context);
  let returned: unknown;
  try {
    returned = scripts.run(given, () => script(given));
    // The engine leaves a script behind that does not end when it is told to.
    if (returned instanceof Promise) returned = await returned;
  } catch (error) {
    const failure = context.signal.aborted
      ? ended(context.signal)
      // The engine's own, such as of a row that cannot be read, says where it is itself.
      : error instanceof StepError && !(error instanceof TransientError)
      ? error
      : threwError(readThrown(error), context.folder, error);
    throw new StepError(failure.code, context.mask(failure.message), {
      errorClass: failure.errorClass,
      tail: given.tail(),
      cause: error,
    });
  }
  const result = scriptResult(returned, context.batch?.size);
  const tail = given.tail();
  return tail === undefined ? result : { ...result, tail };
}

// Everything is made when it is asked for: a step that needs nothing costs next to nothing. Functions are
// made by getters, so that a script can take them out of the object.
class ScriptContext implements StepContext, LineWriter {
  readonly #context: AttemptContext;
  #tail: Tail | undefined;

  constructor(context: AttemptContext) {
    this.#context = context;
  }

  get items(): readonly Json[] {
    return this.#context.batch?.items ?? [];
  }

  get with(): JsonObject {
    const { module: _module, permissions: _permissions, ...rest } = this.#context.with;
    return rest;
  }

  get params(): JsonObject {
    return this.#context.params;
  }

  get signal(): AbortSignal {
    return this.#context.signal;
  }

  get attempt(): number {
    return this.#context.attempt;
  }

  get idempotencyKey(): string {
    return this.#context.idempotencyKey;
  }

  get cwd(): string {
    return this.#context.cwd;
  }

  get log(): (line: string) => void {
    return (text) => {
      for (const line of String(text).split("\n")) this.write("stdout", line);
    };
  }

  write(stream: "stdout" | "stderr", line: string): void {
    (this.#tail ??= new Tail()).add(line);
    this.#context.line(stream, line);
  }

  get path(): (path: string) => string {
    return (path) => resolve(this.#context.cwd, path);
  }

  tail(): string | undefined {
    return this.#tail?.text((text) => this.#context.mask(text));
  }
}
