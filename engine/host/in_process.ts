import { CapturedConsole } from "../sandbox/captured_console.ts";
import { contain } from "./_containment.ts";
import type { Channel, FromPlugin, Gone, ToPlugin } from "./protocol.ts";
import { PluginProgram } from "./program.ts";

/** What a plugin in the engine's own process needs. */
export interface InProcessOptions {
  /** A monotonic clock in milliseconds. */
  readonly monotonic: () => number;
  /** Gives the module of a URL; absent: it is imported. */
  readonly load?: (url: string) => Promise<{ readonly default?: unknown }>;
}

/**
 * A way to a plugin in this process: messages are plain calls, so a handler that returns at once has answered when
 * `send` returns. Such a plugin is trusted (I1): one that spins or exits takes the engine along, and closing the channel
 * only stops listening to it. What it prints, and what it throws where nobody waits, are lines of its log.
 */
export function inProcess(options: InProcessOptions): Channel {
  return new InProcessChannel(options);
}

// One for the process: its console is one.
let printed: CapturedConsole | undefined;

class InProcessChannel implements Channel {
  onMessage: (message: FromPlugin) => void = () => {};
  onGone: (why: Gone) => void = () => {};
  readonly #program: PluginProgram;
  readonly #console = printed ??= new CapturedConsole(console);
  readonly #writer = { write: (_stream: string, line: string) => this.#log(line) };
  #closed = false;

  constructor({ monotonic, load }: InProcessOptions) {
    this.#program = new PluginProgram((message) => this.#say(message), monotonic, load);
  }

  send(message: ToPlugin): void {
    if (this.#closed) return;
    if (message.type === "load") contain(message.url, (line) => this.#log(line));
    this.#console.run(this.#writer, () => this.#program.receive(message));
  }

  close(): Promise<void> {
    this.#closed = true;
    return Promise.resolve();
  }

  // The engine's own console is as it was while it does something about what it hears. An answer is only noted, and
  // whoever waits for it has a console of his own.
  #say(message: FromPlugin): void {
    if (this.#closed) return;
    if (message.type === "handled") this.onMessage(message);
    else this.#console.run(undefined, () => this.onMessage(message));
  }

  #log(line: string): void {
    this.#say({ type: "log", line });
  }
}
