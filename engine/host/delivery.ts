import type { Clock } from "../core/clock.ts";
import { callOf, type Item } from "./item.ts";
import type { PluginLink } from "./link.ts";
import { PluginError } from "./plugin_error.ts";
import type { Handled } from "./protocol.ts";

/** What handing items to a plugin needs. */
export interface DeliveryPorts {
  /** Time. */
  readonly clock: Clock;
  /** The way to the plugin, if it is there. */
  readonly link: () => PluginLink | undefined;
  /** Opens the plugin again, which is gone. */
  readonly open: () => Promise<PluginLink>;
  /** Whether nothing is to be handed over any more. */
  readonly isOver: () => boolean;
  /** The first `handled.count` of these were handled; what comes after waits for the promise, if there is one. */
  readonly onHandled: (items: readonly Item[], handled: Handled) => Promise<void> | undefined;
  /**
   * The plugin failed: for the `tries`-th time in a row about one item, or, with 0, while several were under way. What
   * comes after waits.
   */
  readonly onFailed: (thrown: unknown, tries: number) => Promise<void>;
  /**
   * The plugin could not handle an item for now, and says so; resolves when it is to be handed over again, with false if
   * that is a failure like any other.
   */
  readonly onTransient: (message: string) => Promise<boolean>;
  /** Hears how long a batch took, seconds. */
  readonly onTook: (seconds: number) => void;
}

// Batches that are handed over before the first of them is answered: both sides work then, and an engine that is too
// busy to read an answer does not keep from the plugin what happens.
const MOST_AHEAD = 4;
// Calls to a batch: it grows while they are fast, so that a slow plugin is not stopped for many short calls.
const FEWEST_CALLS = 16;
const MOST_CALLS = 1_024;
const FAST_MS = 20;
const SLOW_MS = 500;
// What a plugin in this process does takes its time from whoever works here. After an answer that took longer than this
// it rests for so many times as long, so that it takes about a fiftieth of the time, and then gets all that has happened
// meanwhile at once: to handle that takes little longer than to handle the first of it alone.
const QUICK_MS = 0.1;
const REST = 49;
const LONGEST_REST_MS = 50;

// Items that were handed over together.
interface Batch {
  readonly items: readonly Item[];
  readonly began: number;
  readonly answer: Handled | Promise<Handled>;
}

/**
 * Hands items to a plugin in batches, in order, and each again until it was handled.
 *
 * Invariants: J4 (in order; nothing is passed over that was not handled), H1 (of a batch in which the plugin was lost
 * each item goes by itself, so that the one at fault is known).
 */
export class Delivery {
  /** Whether one item at a time goes: each then finds decided what the one before it asked for, as in a replay (T4). */
  oneByOne = false;
  readonly #ports: DeliveryPorts;
  // What is to be handed over, and how much of it are events; then what was handed over, in order, until it is settled.
  #queue: Item[] = [];
  #events = 0;
  #sent: Batch[] = [];
  // Grows with each time that something is taken back.
  #round = 0;
  // When the last batch was settled.
  #settledAt = 0;
  #running = false;
  #tries = 0;
  #calls = FEWEST_CALLS;
  // What the last answer took of this process, how long the plugin is to rest after it, both in milliseconds, and what
  // ends the rest early.
  #took = 0;
  #rest = 0;
  #endRest: () => void = () => {};
  // Items that go one by one, after a batch in which the plugin was lost.
  #singly = 0;

  /** Has nothing to hand over yet. */
  constructor(ports: DeliveryPorts) {
    this.#ports = ports;
  }

  /** Events that wait to be handed over. */
  get events(): number {
    return this.#events;
  }

  /** Whether anything waits to be handed over. */
  get waits(): boolean {
    return this.#queue.length > 0;
  }

  /** Whether `run` is under way: one in process may have handled everything when `run` returns. */
  get running(): boolean {
    return this.#running;
  }

  /** Queues an item. */
  push(item: Item): void {
    this.#queue.push(item);
    if ("heard" in item) this.#events++;
  }

  /** Hands over what was queued while something else is under way. */
  goOn(): void {
    const link = this.#ports.link();
    if (this.#sent.length > 0 && link !== undefined) this.#send(link);
  }

  /** Forgets the events that were not handed over yet. */
  dropEvents(): void {
    this.#queue = this.#queue.filter((item) => "tick" in item);
    this.#events = 0;
  }

  /** Forgets all that was not handed over yet. */
  clear(): void {
    this.#queue = [];
    this.#events = 0;
  }

  /** Hands over without a rest what waits for its end: somebody waits for that. */
  hurry(): void {
    this.#rest = 0;
    this.#endRest();
  }

  /** Has handled what is queued. Where the plugin is in this process and does it at once, so when this returns. */
  async run(): Promise<void> {
    this.#running = true;
    if (this.#rest > 0) await this.#resting();
    while (this.#queue.length > 0 || this.#sent.length > 0) {
      if (this.#ports.isOver()) return;
      let handled: Handled;
      try {
        if (this.#sent.length === 0) this.#send(this.#ports.link() ?? await this.#ports.open());
        const { answer } = this.#sent[0];
        handled = answer instanceof Promise ? await answer : answer;
      } catch (thrown) {
        if (this.#ports.isOver()) return;
        const lost = this.#takeBack();
        if (lost > 1) this.#singly = lost;
        await this.#ports.onFailed(thrown, lost > 1 ? 0 : ++this.#tries);
        continue;
      }
      const [batch] = this.#sent;
      const { items } = batch;
      const settling = this.#ports.onHandled(items, handled);
      if (settling !== undefined) await settling;
      this.#pace(batch, handled.count);
      this.#sent.shift();
      if (handled.count < items.length) {
        // What was handed over after them comes back with nothing handled.
        const others = this.#sent.map(({ answer }) => answer);
        this.#takeBack(items.slice(handled.count));
        await Promise.allSettled(others);
      }
      const { failure } = handled;
      if (failure === undefined) continue;
      if (failure.transient && await this.#ports.onTransient(failure.message)) continue;
      const place = failure.place === undefined ? "" : ` (${failure.place})`;
      const why = `it threw: ${failure.message || failure.name}${place}`;
      await this.#ports.onFailed(new PluginError("plugin.threw", why), ++this.#tries);
    }
    this.#running = false;
  }

  // One that is handed one event at a time would not get the others at once all the same.
  async #resting(): Promise<void> {
    const left = this.#settledAt + this.#rest - this.#ports.clock.monotonic();
    this.#rest = 0;
    if (left <= 0 || this.oneByOne || this.#singly > 0) return;
    await new Promise<void>((resolve) => {
      const cancel = this.#ports.clock.after(left, resolve);
      this.#endRest = () => {
        cancel();
        resolve();
      };
    });
  }

  // Hands over what is queued, as far ahead as may be.
  #send(link: PluginLink): void {
    const [ahead, calls] = this.oneByOne || this.#singly > 0 ? [1, 1] : [MOST_AHEAD, this.#calls];
    while (this.#queue.length > 0 && this.#sent.length < ahead) {
      const items = this.#queue.splice(0, calls);
      for (const item of items) if ("heard" in item) this.#events--;
      const began = this.#ports.clock.monotonic();
      const answer = link.handOver(items.map(callOf), this.#round);
      this.#sent.push({ items, began, answer });
      if (!(answer instanceof Promise)) return;
      // One before it may be told of first, and then this one never is.
      answer.catch(() => {});
    }
  }

  // Queues again what was handed over, after `first`; gives how many they are.
  #takeBack(first: readonly Item[] = []): number {
    const items = [...first, ...this.#sent.flatMap(({ items }) => items)];
    this.#sent = [];
    this.#round++;
    this.#queue = [...items, ...this.#queue];
    for (const item of items) if ("heard" in item) this.#events++;
    return items.length;
  }

  // From its turn on: the ones before it took their own time.
  #pace({ items, began, answer }: Batch, count: number): void {
    const now = this.#ports.clock.monotonic();
    const ms = now - Math.max(began, this.#settledAt);
    this.#settledAt = now;
    this.#ports.onTook(ms / 1_000);
    const calls = items.length;
    if (ms > SLOW_MS) this.#calls = Math.max(1, this.#calls >> 1);
    else if (ms < FAST_MS && calls === this.#calls) this.#calls = Math.min(MOST_CALLS, calls * 2);
    // The quicker of two: one that took long may have been kept waiting by the machine.
    const took = answer instanceof Promise ? 0 : ms;
    const typical = Math.min(took, this.#took);
    this.#took = took;
    this.#rest = typical > QUICK_MS ? Math.min(LONGEST_REST_MS, typical * REST) : 0;
    if (count > 0) this.#tries = 0;
    this.#singly = Math.max(0, this.#singly - count);
  }
}
