/**
 * Runs one process for an attempt and ends all that belongs to it (R6).
 *
 * The step ends when its process has ended and its pipes are closed. What then still holds a pipe, such as
 * `sleep 100 &`, is given `LINGER_MS` and ended, as CI runners do: nothing that writes to a step outlives
 * it. A process that has let go of both pipes (`daemon >log 2>&1 &`) was detached on purpose and lives on;
 * looking for it would cost every step a walk through all processes. Cancel and timeout end those too.
 */
import { StepError } from "../core/errors.ts";
import type { AttemptContext } from "../core/step.ts";
import { ended, isForced } from "./_ended.ts";
import { endProcesses } from "./_process.ts";
import type { StepPorts } from "./ports.ts";

/** How long after the process's end its pipes may stay open, milliseconds. */
export const LINGER_MS = 1_000;

const SMALL_BUFFER = 16 * 1024;
const LARGE_BUFFER = 256 * 1024;

/** A process to run. */
export interface ChildRequest {
  /** The executable. */
  readonly command: string;
  /** Its arguments. */
  readonly args: string[];
  /** Its whole environment, with the marker. */
  readonly env: Record<string, string>;
  /** Its working directory, absolute. */
  readonly cwd: string;
  /** What it reads; nothing when absent. */
  readonly stdin?: Uint8Array;
  /** Takes what it writes to stdout, as it comes. The bytes are only valid during the call. */
  stdout(bytes: Uint8Array): void;
  /** Takes what it writes to stderr, likewise. */
  stderr(bytes: Uint8Array): void;
}

/** An environment with what `Propagation.environment` gives put in, or taken out. */
export function withContext(
  environment: Readonly<Record<string, string>>,
  carried: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const env = { ...environment };
  for (const [name, value] of Object.entries(carried)) {
    if (value === undefined) delete env[name];
    else env[name] = value;
  }
  return env;
}

/** How a process ended. */
export interface ChildEnd {
  /** Its end. */
  readonly status: Deno.CommandStatus;
  /** How many processes it left behind that had to be ended. */
  readonly leftovers: number;
}

/**
 * Runs a process to its end. When the attempt is aborted, everything that carries its marker is ended
 * first, then this rejects with `step.ended`. Rejects with `process.start` when it cannot be started.
 */
export async function runChild(
  ports: StepPorts,
  context: AttemptContext,
  request: ChildRequest,
): Promise<ChildEnd> {
  const { signal } = context;
  if (signal.aborted) throw ended(signal);
  const grouped = ports.platform !== "linux";
  const child = start(request, grouped);
  const out = child.stdout.getReader({ mode: "byob" });
  const err = child.stderr.getReader({ mode: "byob" });
  const drained = Promise.all([drain(out, request.stdout), drain(err, request.stderr)]);
  let open = true;
  const closed = drained.then(() => void (open = false));
  closed.catch(() => {
    // Not lost: `closed` is awaited below, but perhaps only after the process's end.
  });
  const stopFeeding = request.stdin === undefined ? undefined : feed(child.stdin, request.stdin);
  const endAll = (force: () => boolean) =>
    endProcesses(ports, {
      spanId: context.span.spanId,
      group: grouped ? child.pid : undefined,
      isForced: force,
    });

  let ending: ReturnType<typeof endAll> | undefined;
  const onAbort = () => {
    ending = endAll(() => isForced(signal));
  };
  signal.addEventListener("abort", onAbort);
  try {
    const status = await child.status;
    let leftovers = 0;
    if (open) await within(ports, closed, LINGER_MS, signal);
    if (ending !== undefined) await ending;
    else if (open) leftovers = (await endAll(() => isForced(signal))).found;
    if (open) await within(ports, closed, LINGER_MS);
    // Only a process that hides its environment can still hold a pipe: it is left to itself.
    if (open) await Promise.allSettled([out.cancel(), err.cancel()]);
    await closed;
    if (signal.aborted) throw ended(signal);
    return { status, leftovers };
  } finally {
    signal.removeEventListener("abort", onAbort);
    stopFeeding?.();
  }
}

function start(request: ChildRequest, detached: boolean): Deno.ChildProcess {
  try {
    return new Deno.Command(request.command, {
      args: request.args,
      cwd: request.cwd,
      clearEnv: true,
      env: request.env,
      stdin: request.stdin === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
      detached,
    }).spawn();
  } catch (error) {
    throw startError(request, error as Error);
  }
}

function startError(request: ChildRequest, error: Error): StepError {
  const { command, cwd } = request;
  let hint = error.message;
  let errorClass: "transient" | "error" = "error";
  if (/os error 7\b/.test(hint)) {
    hint = "its text and environment are longer than the system allows; hand data on in a file";
  } else if (/os error (11|12|23|24)\b/.test(hint)) {
    hint = `the system has no room for another process (${hint})`;
    errorClass = "transient";
  } else if (/nul byte/i.test(hint)) {
    hint =
      "its text or an environment variable holds a NUL character, which no process can be given";
  } else if (!isFolder(cwd)) {
    hint = `its working directory ${cwd} is not a folder`;
  }
  return new StepError("process.start", `Cannot start ${command}: ${hint}`, {
    errorClass,
    cause: error,
  });
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

async function drain(
  reader: ReadableStreamBYOBReader,
  take: (bytes: Uint8Array) => void,
): Promise<void> {
  let buffer = new Uint8Array(SMALL_BUFFER);
  for (;;) {
    const { done, value } = await reader.read(buffer);
    if (done) return;
    take(value);
    // A quiet process's buffer stays small; much output is read in larger pieces.
    const whole = value.buffer;
    const grow = value.length === whole.byteLength && whole.byteLength < LARGE_BUFFER;
    buffer = new Uint8Array(grow ? new ArrayBuffer(LARGE_BUFFER) : whole);
  }
}

// Writes while the output is read, so that neither waits for the other. A process may well not read it.
function feed(stdin: WritableStream<Uint8Array>, bytes: Uint8Array): () => void {
  const writer = stdin.getWriter();
  let done = false;
  const giveUp = () =>
    writer.abort().catch(() => {
      // The pipe is broken: a process that did not read its items is none the worse for it.
    });
  writer.write(bytes).then(() => writer.close()).then(() => void (done = true), () => {
    done = true;
    return giveUp();
  });
  return () => void (done || giveUp());
}

// Waits for `done` at most `ms` milliseconds, or until the signal aborts.
function within(
  ports: StepPorts,
  done: Promise<void>,
  ms: number,
  signal?: AbortSignal,
): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      cancel();
      signal?.removeEventListener("abort", settle);
      resolve();
    };
    const cancel = ports.clock.after(ms, settle);
    signal?.addEventListener("abort", settle);
    if (signal?.aborted) return settle();
    done.then(settle, settle);
  });
}
