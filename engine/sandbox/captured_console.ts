import { AsyncLocalStorage } from "node:async_hooks";
import { format } from "node:util";

/** Where lines go that were printed. */
export interface LineWriter {
  /** Takes a line without its line end. */
  write(stream: "stdout" | "stderr", line: string): void;
}

const STREAMS = [
  ["stdout", ["log", "info", "debug"]],
  ["stderr", ["warn", "error"]],
] as const;

/**
 * What scripts and plugins in the engine's process print by `console`: lines of their step's output, masked like any
 * other (V4), or of their log, and never on the engine's own stdout, which is for results.
 */
export class CapturedConsole {
  readonly #current = new AsyncLocalStorage<LineWriter | undefined>();

  /** Takes over `console`; what is printed outside of `run` goes where it went before. */
  constructor(console: Console) {
    for (const [stream, names] of STREAMS) {
      for (const name of names) {
        const before = console[name].bind(console);
        console[name] = (...values: unknown[]) => {
          const writer = this.#current.getStore();
          if (writer === undefined) return before(...values);
          for (const line of format(...values).split("\n")) writer.write(stream, line);
        };
      }
    }
  }

  /** Calls `code`; what it prints, also after it has returned, goes to `writer`; without one, where it went before. */
  run<T>(writer: LineWriter | undefined, code: () => T): T {
    return this.#current.run(writer, code);
  }
}
