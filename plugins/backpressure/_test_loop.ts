/** The plugin beside a loop that calls a server, as a for_each step would, but without an engine around it. */
import assert from "node:assert/strict";
import type { ProposeAction } from "spanloop";
import { type OpenedPlugin, openPlugin } from "spanloop/testing";
import plugin from "./plugin.ts";

/** What became of one attempt at an item. */
export interface Attempt {
  /** By the clock of `performance`, milliseconds. */
  readonly began: number;
  /** Likewise. */
  readonly ended: number;
  /** The concurrency that ruled it. */
  readonly value: number;
  /** Whether the server did it. */
  readonly succeeded: boolean;
}

/** The most that the plugin may ask for. */
export const MOST = 64;

/**
 * Processes items at the concurrency of the moment, each until it has succeeded; resolves to the seconds that it took.
 * `left` says how many there are still to do once so many are done.
 */
export async function drive(
  url: string,
  left: (done: number) => number,
  concurrency: () => number,
  onAttempt: (attempt: Attempt) => void = () => {},
): Promise<number> {
  const began = performance.now();
  let done = 0;
  let active = 0;
  await new Promise<void>((resolve, reject) => {
    const hand = () => {
      for (; active < concurrency() && left(done) > active; active++) {
        void attempt(concurrency()).catch(reject);
      }
      if (left(done) <= 0 && active === 0) resolve();
    };
    const attempt = async (value: number) => {
      const began = performance.now();
      const response = await fetch(url);
      await response.text();
      active--;
      const succeeded = response.ok;
      if (succeeded) done++;
      onAttempt({ began, ended: performance.now(), value, succeeded });
      hand();
    };
    hand();
  });
  return (performance.now() - began) / 1000;
}

/** The plugin in its loop: each attempt is a span, and what it proposes rules at once. */
export class Loop {
  /** The concurrency of the moment. */
  value = 1;
  /** What it has proposed, in order. */
  readonly proposals: ProposeAction[] = [];
  readonly #plugin: Promise<OpenedPlugin>;
  #told: Promise<unknown> = Promise.resolve();

  /** Opens the plugin. */
  constructor() {
    this.#plugin = openPlugin(plugin, {
      config: { step: "call" },
      parameters: () => ({ concurrency: { value: this.value, min: 1, max: MOST, apply: "live" } }),
    });
  }

  /** Tells the plugin of an attempt. */
  hear({ began, ended, value, succeeded }: Attempt): void {
    const span = {
      name: "call",
      startTime: (performance.timeOrigin + began) / 1000,
      endTime: (performance.timeOrigin + ended) / 1000,
      attributes: { "spanloop.parameter.concurrency": value },
      ...succeeded ? {} : { outcome: "failed" as const, error: "http.status" },
    };
    this.#told = this.#told.then(async () => {
      for (const action of await (await this.#plugin).span(span)) {
        assert.ok(action.type === "propose");
        this.value = Number(action.changes.concurrency);
        this.proposals.push(action);
      }
    });
  }

  /** Lets the plugin hear what it was told, and closes it. */
  async close(): Promise<void> {
    await this.#told;
    await (await this.#plugin).close();
  }
}
