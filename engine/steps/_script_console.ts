import { AsyncLocalStorage } from "node:async_hooks";
import { format } from "node:util";

/** Where a script's lines go. */
export interface LineWriter {
  /** Takes a line without its line end. */
  write(stream: "stdout" | "stderr", line: string): void;
}

const STREAMS = [
  ["stdout", ["log", "info", "debug"]],
  ["stderr", ["warn", "error"]],
] as const;

/**
 * What scripts in the engine's process print by `console`: lines of their step's output, masked like any
 * other (V4), and never on the engine's own stdout, which is for results.
 */
export class ScriptConsole {
  readonly #current = new AsyncLocalStorage<LineWriter>();

  /** Takes over `console`; what is printed outside a script goes where it went before. */
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

  /** Calls `script`; what it prints, also after it has returned, goes to `writer`. */
  run<T>(writer: LineWriter, script: () => T): T {
    return this.#current.run(writer, script);
  }
}
