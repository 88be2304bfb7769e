import type { Seeded } from "../../engine/core/seeded_test.ts";
import type { SimulatedClock } from "./clock.ts";

/** What work costs at a time, and how much of it fails. */
export interface Nature {
  /** Of each batch, milliseconds. */
  readonly overhead: number;
  /** Of each item, milliseconds. */
  readonly item: number;
  /** So many items at once and it begins to fail. */
  readonly wall: number;
}

// What the work waits for has so many of these.
const SERVERS = 4;

/**
 * The world that the simulated workflow works in: each batch costs something, workers at once share what there is, and too
 * many items at once make items fail.
 */
export class World {
  readonly #clock: SimulatedClock;
  readonly #random: Seeded;
  /** How it is now. */
  nature: Nature;
  /** Items so far. */
  items = 0;
  /** Those of them that failed. */
  failed = 0;

  /** A world in which it is as late as the clock says. */
  constructor(clock: SimulatedClock, random: Seeded, nature: Nature) {
    this.#clock = clock;
    this.#random = random;
    this.nature = nature;
  }

  /** Does a batch; gives the counts. */
  async work(items: number, workers: number): Promise<{ processed: number; failed: number }> {
    // Lognormal, with a Pareto tail now and then.
    const tail = this.#random.next() < 0.01 ? 1 + this.#random.next() ** -0.5 : 1;
    const ms = this.batchMs(items, workers) * Math.exp(0.12 * this.#normal()) *
      Math.min(tail, 8);
    await new Promise<void>((resolve) => this.#clock.after(ms, resolve));
    const share = this.failing(items, workers);
    let failed = 0;
    for (let i = 0; i < items; i++) if (this.#random.next() < share) failed++;
    this.items += items;
    this.failed += failed;
    return { processed: items - failed, failed };
  }

  // Box and Muller, 1958.
  #normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.#random.next()));
    return radius * Math.cos(2 * Math.PI * this.#random.next());
  }

  /** How long a batch takes without noise, milliseconds. */
  batchMs(items: number, workers: number): number {
    const { overhead, item } = this.nature;
    return overhead + items * item * Math.max(1, workers / SERVERS);
  }

  /** The share of items that fail. */
  failing(items: number, workers: number): number {
    return 0.001 + 0.3 / (1 + Math.exp(-8 * Math.log(items * workers / this.nature.wall)));
  }

  /** Milliseconds an item, without noise: the objective in truth. */
  cost(items: number, workers: number): number {
    return this.batchMs(items, workers) / items / workers;
  }
}
