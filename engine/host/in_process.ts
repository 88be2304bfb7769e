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
 * only stops listening to it.
 */
export function inProcess(options: InProcessOptions): Channel {
  return new InProcessChannel(options);
}

class InProcessChannel implements Channel {
  onMessage: (message: FromPlugin) => void = () => {};
  onGone: (why: Gone) => void = () => {};
  readonly #program: PluginProgram;
  #closed = false;

  constructor({ monotonic, load }: InProcessOptions) {
    this.#program = new PluginProgram(
      (message) => {
        if (!this.#closed) this.onMessage(message);
      },
      monotonic,
      load,
    );
  }

  send(message: ToPlugin): void {
    if (!this.#closed) this.#program.receive(message);
  }

  close(): Promise<void> {
    this.#closed = true;
    return Promise.resolve();
  }
}
