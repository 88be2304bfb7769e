import { messageOf, SpanloopError } from "../core/errors.ts";
import type { LogConsumer } from "../core/log.ts";
import { makeStyle, type Style } from "./style.ts";

/** Who called the command line: folder, environment, streams and their terminals. */
export interface Caller {
  /** The folder that paths on the command line are relative to: INIT_CWD under a task. */
  readonly cwd: string;
  /** A variable of the environment; an empty one counts as absent. */
  env(name: string): string | undefined;
  /** Writes text to stdout. Throws OutputClosed when nobody reads it any more, SpanloopError `output.unwritable`. */
  out(text: string): void;
  /** Writes text to stderr; a stream that is gone is no reason to stop. */
  err(text: string): void;
  /** Writes a log record to stderr; there only when all that goes to stderr is log records, in JSON. */
  readonly log?: LogConsumer;
  /** Colours for stdout. */
  readonly outStyle: Style;
  /** Colours for stderr. */
  readonly errStyle: Style;
  /** Whether stdout is a terminal. */
  readonly outTerminal: boolean;
  /** Whether stderr is a terminal that may be redrawn in place. */
  readonly animated: boolean;
  /** The terminal's size now; 80 x 24 where there is none. COLUMNS overrides the width of what is no terminal. */
  size(): { readonly columns: number; readonly rows: number };
}

/** Nobody reads stdout any more (`| head`): end quietly. */
export class OutputClosed extends Error {}

/** The process's own caller. */
export function processCaller(): Caller {
  const env = (name: string) => Deno.env.get(name) || undefined;
  const outTerminal = Deno.stdout.isTerminal();
  const errTerminal = Deno.stderr.isTerminal();
  const dumb = env("TERM") === "dumb";
  const colours = env("NO_COLOR") === undefined && !dumb;
  let gone = false;
  return {
    cwd: env("INIT_CWD") ?? Deno.cwd(),
    env,
    out: (text) => write(Deno.stdout, text),
    err: (text) => {
      if (gone) return;
      try {
        write(Deno.stderr, text);
      } catch {
        gone = true;
      }
    },
    outStyle: makeStyle(outTerminal && colours),
    errStyle: makeStyle(errTerminal && colours),
    outTerminal,
    animated: errTerminal && !dumb && env("CI") === undefined && !exportsToScreen(env, outTerminal),
    size: () => {
      try {
        const { columns, rows } = Deno.consoleSize();
        if (columns > 0 && rows > 0) return { columns, rows };
      } catch {
        // no terminal on any of the three streams
      }
      const columns = Number(env("COLUMNS"));
      return { columns: Number.isInteger(columns) && columns > 0 ? columns : 80, rows: 24 };
    },
  };
}

/**
 * Whether telemetry is written to the terminal as it comes: what is redrawn in place there would run into it.
 */
export function exportsToScreen(
  env: (name: string) => string | undefined,
  outTerminal: boolean,
): boolean {
  if (env("OTEL_SDK_DISABLED")?.toLowerCase() === "true") return false;
  const writers = ["console", "logging", ...(outTerminal ? ["otlp/stdout"] : [])];
  return ["TRACES", "METRICS", "LOGS"].some((signal) =>
    (env(`OTEL_${signal}_EXPORTER`) ?? "").toLowerCase().split(",")
      .some((word) => writers.includes(word.trim()))
  );
}

const encoder = new TextEncoder();

function write(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  let bytes = encoder.encode(text);
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(stream.writeSync(bytes));
    } catch (error) {
      if (error instanceof Deno.errors.BrokenPipe) {
        throw new OutputClosed("closed", { cause: error });
      }
      if (!(error instanceof Deno.errors.WouldBlock)) {
        const message = `Cannot write what there is to say: ${messageOf(error)}`;
        throw new SpanloopError("output.unwritable", message, { cause: error });
      }
      // A pipe that another process made non-blocking is full: let its reader catch up.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

/** `path` as the caller means it, absolute and without dots. */
export function absolute(caller: Pick<Caller, "cwd">, path: string): string {
  const parts: string[] = [];
  for (const part of (path.startsWith("/") ? path : `${caller.cwd}/${path}`).split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

/** An absolute path as the caller would write it: relative when it is below the caller's folder. */
export function display(caller: Pick<Caller, "cwd">, path: string): string {
  const folder = caller.cwd.endsWith("/") ? caller.cwd : `${caller.cwd}/`;
  return path.startsWith(folder) ? path.slice(folder.length) : path;
}
