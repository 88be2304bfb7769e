import { messageOf, StepError } from "../core/errors.ts";
import { missingPermission, plainMessage } from "../sandbox/denial.ts";
import { SandboxError, type Whose } from "../sandbox/error.ts";

/** Whose process a script's is. */
export const SCRIPT: Whose = { noun: "script", key: "permissions" };

/** What is known of an error that a script threw, perhaps in another process. */
export interface Thrown {
  /** Its name. */
  readonly name: string;
  /** Its message. */
  readonly message: string;
  /** Its stack. */
  readonly stack: string;
  /** Whether it asks for another try. */
  readonly transient: boolean;
}

const STEP_CODES = {
  "sandbox.input": "step.input",
  "sandbox.permission": "script.permission",
  "sandbox.import": "script.import",
} as const;

/** Calls `prepare`; what keeps a script from a process of its own becomes its step's failure. */
export function inScriptsWords<T>(prepare: () => T): T {
  try {
    return prepare();
  } catch (error) {
    if (!(error instanceof SandboxError)) throw error;
    throw new StepError(STEP_CODES[error.code], error.message, { cause: error.cause });
  }
}

/** Reads any thrown value; a TransientError is known by name, since a script may have another copy of it. */
export function readThrown(thrown: unknown): Thrown {
  const fields = (typeof thrown === "object" && thrown !== null ? thrown : {}) as {
    name?: unknown;
    stack?: unknown;
    errorClass?: unknown;
  };
  return {
    name: String(fields.name ?? ""),
    message: messageOf(thrown),
    stack: typeof fields.stack === "string" ? fields.stack : "",
    transient: fields.name === "TransientError" || fields.errorClass === "transient",
  };
}

/**
 * The failure of a script whose function threw: its message and where, without a stack. `store` are the paths
 * that no permission opens.
 */
export function threwError(
  thrown: Thrown,
  folder: string,
  cause?: unknown,
  store: readonly string[] = [],
): StepError {
  const missing = missingPermission(thrown.message, SCRIPT, store);
  return new StepError(
    thrown.transient ? "script.transient" : missing ? "script.permission" : "script.threw",
    `${missing ?? (plainMessage(thrown.message) || thrown.name)}${placeIn(thrown.stack, folder)}`,
    { errorClass: thrown.transient ? "transient" : "error", cause },
  );
}

/** The failure of a script whose module could not be loaded, with what to do. */
export function importError(
  path: string,
  thrown: Thrown,
  folder: string,
  cause?: unknown,
): StepError {
  const message = plainMessage(thrown.message);
  const missing = missingPermission(message, SCRIPT, []);
  const hint = /not in import map|not a dependency/.test(message)
    ? "; name the package in a deno.json beside the script"
    : /lockfile is out of date/.test(message)
    ? "; a module that it imports needs a package which this engine does not have: import that package " +
      "in the script's own file too, so that the step gets a process and packages of its own"
    : "";
  const text = /lockfile is out of date/.test(message) ? "the lockfile is out of date" : message;
  return new StepError(
    missing ? "script.permission" : "script.import",
    `Cannot load the script ${path}: ${missing ?? text}${hint}${placeIn(thrown.stack, folder)}`,
    { cause },
  );
}

// The first place in the stack that belongs to the workflow's folder.
function placeIn(stack: string, folder: string): string {
  const prefix = `file://${encodeURI(folder)}/`;
  for (const [, url, line, column] of stack.matchAll(/(file:\/\/[^\s)]+?):(\d+):(\d+)/g)) {
    if (!url.startsWith(prefix)) continue;
    const file = decodeURI(url.slice(prefix.length).replace(/\?.*$/, ""));
    return ` (${file}:${line}:${column})`;
  }
  return "";
}
