/**
 * The process of a script step that runs with permissions of its own. Reads its task from stdin, imports
 * the module by its computed path, so that the read permission holds for it and for all it imports
 * (what a bootstrap imports statically is not asked for), and answers with one frame on
 * stdout; what else it writes there are log lines.
 */
import { resolve } from "node:path";

/** What the engine writes to the process's stdin, as JSON. */
export interface ScriptTask {
  /** The module's file URL. */
  readonly url: string;
  /** What opens the answer. */
  readonly frame: string;
  /** The plain part of the StepContext (S5). */
  readonly context: {
    readonly items: readonly unknown[];
    readonly with: unknown;
    readonly params: unknown;
    readonly attempt: number;
    readonly idempotencyKey: string;
    readonly cwd: string;
  };
}

/** What the process answers. */
export type ScriptAnswer =
  | { readonly outputs: unknown }
  | {
    /** `import`: the module could not be loaded; `run`: its function threw. */
    readonly failed: "import" | "run";
    /** The error's name. */
    readonly name: string;
    /** Its message. */
    readonly message: string;
    /** Its stack, for the place in the module. */
    readonly stack: string;
    /** Whether it asks for another try. */
    readonly transient: boolean;
  }
  /** What was returned is nothing that JSON can carry. */
  | { readonly returned: string };

if (import.meta.main) {
  const task: ScriptTask = JSON.parse(await new Response(Deno.stdin.readable).text());
  const answer = `${task.frame}${JSON.stringify(await answerTo(task))}\n`;
  const bytes = new TextEncoder().encode(answer);
  for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
  // The script's own timers and sockets do not keep its step alive.
  Deno.exit(0);
}

async function answerTo(task: ScriptTask): Promise<ScriptAnswer> {
  const controller = new AbortController();
  Deno.addSignalListener("SIGTERM", () => controller.abort(new Error("The step was ended")));
  let module: { readonly default?: unknown };
  try {
    module = await import(task.url);
  } catch (error) {
    return failure("import", error);
  }
  if (typeof module.default !== "function") return { returned: "no default export" };
  try {
    return describe(
      await module.default({
        ...task.context,
        signal: controller.signal,
        log: (line: unknown) => console.log(String(line)),
        path: (path: string) => resolve(task.context.cwd, path),
      }),
    );
  } catch (error) {
    return failure("run", error);
  }
}

function describe(outputs: unknown): ScriptAnswer {
  try {
    JSON.stringify(outputs);
  } catch (error) {
    return { returned: String((error as Error).message) };
  }
  return { outputs };
}

function failure(failed: "import" | "run", thrown: unknown): ScriptAnswer {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  return {
    failed,
    name: error.name,
    message: error.message,
    stack: error.stack ?? "",
    transient: error.name === "TransientError" ||
      (error as { errorClass?: unknown }).errorClass === "transient",
  };
}
