import type { RunReport } from "../../engine/core/report.ts";

/** A driver's process. */
export interface EngineProcess {
  /** Its id. */
  readonly pid: number;
  /** How it ended. */
  readonly end: Promise<EngineEnd>;
}

/** How a driver's process ended. */
export interface EngineEnd {
  /** Its exit code; 137 for SIGKILL. */
  readonly code: number;
  /** The run's report, if it came that far. */
  readonly report?: RunReport;
  /** The error, if it ended with one that the engine has a name for. */
  readonly error?: { readonly code: string; readonly message: string };
  /** What it wrote to stderr. */
  readonly stderr: string;
}

const DRIVER = new URL("driver.ts", import.meta.url).pathname;

/** Starts an engine in a process of its own; see driver.ts for `args` and `kill`. */
export function startEngine(
  args: readonly string[],
  options: {
    readonly kill?: string;
    /** For `outside:N`: how long after its line it is killed, milliseconds. */
    readonly killAfterMs?: number;
    /** More environment. */
    readonly env?: Readonly<Record<string, string>>;
  } = {},
): EngineProcess {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--no-prompt", DRIVER, ...args],
    env: { ...options.env, SPANLOOP_TEST_KILL: options.kill ?? "" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  return { pid: child.pid, end: follow(child, options.killAfterMs ?? 0) };
}

async function follow(child: Deno.ChildProcess, killAfterMs: number): Promise<EngineEnd> {
  const stderr = new Response(child.stderr).text();
  let out = "";
  let told = false;
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    out += text;
    if (!told && out.includes("kill me\n")) {
      told = true;
      setTimeout(() => kill(child.pid, "SIGKILL"), killAfterMs);
    }
  }
  const { code } = await child.status;
  const last = out.trimEnd().split("\n").at(-1) ?? "";
  const result = last.startsWith("{") ? JSON.parse(last) : {};
  return { code, stderr: await stderr, ...result };
}

/** How a command ended. */
export interface CommandEnd {
  /** Its exit code. */
  readonly code: number;
  /** Its stdout. */
  readonly out: string;
  /** Its stderr. */
  readonly err: string;
}

const COMMAND = new URL("../../engine/cli/main.ts", import.meta.url).pathname;

/** The arguments that make Deno run `spanloop` with `args`. */
export function commandLine(args: readonly string[]): string[] {
  return ["run", "-A", "--no-check", "--no-prompt", COMMAND, ...args];
}

/** Starts `spanloop` with `args` in `folder`. */
export function startCommand(
  folder: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): { readonly pid: number; readonly end: Promise<CommandEnd>; errSoFar(): string } {
  const child = new Deno.Command(Deno.execPath(), {
    args: commandLine(args),
    cwd: folder,
    env: { NO_COLOR: "1", INIT_CWD: "", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let err = "";
  const heard = child.stderr.pipeThrough(new TextDecoderStream())
    .pipeTo(new WritableStream({ write: (text) => void (err += text) }));
  const end = Promise.all([child.status, child.stdout.text(), heard])
    .then(([{ code }, out]) => ({ code, out, err }));
  return { pid: child.pid, end, errSoFar: () => err };
}

/** Sends a signal; a process that has ended is none. */
export function kill(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound) && !(error instanceof TypeError)) throw error;
  }
}
