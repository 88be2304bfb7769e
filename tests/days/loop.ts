import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import type { LedgerEntry } from "../../engine/engine.ts";
import { type Seeded, seeded } from "../../engine/core/seeded_test.ts";
import { LocalEngine } from "../../engine/local_engine.ts";
import { locateStore } from "../../engine/locate_store.ts";
import { SimulatedClock } from "./clock.ts";
import { type Nature, World } from "./world.ts";

/** Milliseconds between two changes, as the workflow below says. */
export const COOLDOWN = 3_600_000;
/** The parameters' bounds, as the workflow below says. */
export const BOUNDS: Readonly<Record<string, readonly [number, number]>> = {
  batch: [1, 400],
  workers: [1, 12],
};
/** How many times as much or as little a change may make of a value, as the workflow below says. */
export const MAX_STEP = 4;
/** The defaults, as the workflow below says. */
export const DEFAULTS: Readonly<Record<string, number>> = { batch: 10, workers: 2 };
/** How long runs are kept. */
export const RETENTION_DAYS = 30;
/** Items of a run. */
export const ITEMS = 600;
/** The guard, as the workflow below says. */
export const GUARD = 0.02;

const DAY = 86_400_000;
const FIRST: Nature = { overhead: 60, item: 1, wall: 500 };
// Batches cost more, and fewer items at once are borne.
const THEN: Nature = { overhead: 150, item: 2, wall: 200 };

const LIST = Array.from({ length: ITEMS }, (_, i) => i).join(", ");
const WORKFLOW = `
name: days
params:
  batch:
    type: integer
    default: 10
    tune: { min: 1, max: 400, scale: log, max_step: 4x, apply: live, mode: auto }
  workers:
    type: integer
    default: 2
    tune: { min: 1, max: 12, scale: log, max_step: 4x, apply: live, mode: auto }
tune:
  objective: { minimize: duration / items, of: load }
  guards: [{ metric: error_rate, of: load, below: 0.02 }]
  cooldown: 1h
max_concurrency: 16
plugins:
  - use: optimizer
steps:
  - id: load
    for_each:
      list: [${LIST}]
      batch: \${{ params.batch }}
      concurrency: \${{ params.workers }}
      on_item_error: continue
    uses: script
    with:
      module: ${new URL("./load.ts", import.meta.url).pathname}
      workers: \${{ params.workers }}
`;

/** What there is at the end of a day. */
export interface Day {
  /** Which, from 1. */
  readonly day: number;
  /** The values that rule. */
  readonly values: Readonly<Record<string, number>>;
  /** How many times as much an item costs with them as with the best that keep the guard. */
  readonly regret: number;
  /** The share of items that fail with them, in truth. */
  readonly failing: number;
  /** The share of the day's items that failed. */
  readonly failed: number;
  /** Runs that are kept. */
  readonly runs: number;
  /** Bytes of the store's file that are used. */
  readonly stored: number;
  /** Bytes of what is kept beside runs and the ledger: plugins' state and the like. */
  readonly items: number;
  /** Entries of the ledger that are kept. */
  readonly entries: number;
  /** Bytes of the heap after a collection; 0 where none can be asked for. */
  readonly heap: number;
}

/** What came of the days. */
export interface Days {
  /** Each of them. */
  readonly days: readonly Day[];
  /** All changes and decisions, oldest first. */
  readonly entries: readonly LedgerEntry[];
  /** Warnings and errors that the engine logged. */
  readonly log: readonly string[];
}

/**
 * Leaves the loop alone for so many days of so many runs: the real engine, store, plugins and experiments, with a clock
 * of its own. Half-way the world changes.
 */
export async function leaveAlone(options: {
  readonly days: number;
  readonly runsADay: number;
  readonly onSeed?: (seed: number) => void;
  readonly onDay?: (day: Day) => void;
}): Promise<Days> {
  const random = seeded("days");
  options.onSeed?.(random.seed);
  const folder = await Deno.makeTempDir({ prefix: "spanloop-days-" });
  try {
    const alone = new Alone(folder, random);
    await alone.begin();
    const days: Day[] = [];
    for (let day = 1; day <= options.days; day++) {
      alone.world.nature = day <= Math.floor(options.days / 2) ? FIRST : THEN;
      days.push(await alone.day(day, options.runsADay));
      options.onDay?.(days[days.length - 1]);
    }
    const { log } = alone;
    return { days, entries: await alone.end(), log };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

class Alone {
  readonly world: World;
  readonly log: string[] = [];
  readonly #folder: string;
  readonly #file: string;
  readonly #random: Seeded;
  readonly #clock: SimulatedClock;
  readonly #began = Date.UTC(2026, 0, 5);
  // By their numbers, as old ones are pruned.
  readonly #entries = new Map<number, LedgerEntry>();
  #engine: LocalEngine | undefined;

  constructor(folder: string, random: Seeded) {
    this.#folder = folder;
    this.#file = join(folder, "days.yaml");
    this.#random = random;
    this.#clock = new SimulatedClock(this.#began);
    this.world = new World(this.#clock, random, FIRST);
  }

  async begin(): Promise<void> {
    await Deno.writeTextFile(this.#file, WORKFLOW);
    Reflect.set(globalThis, Symbol.for("spanloop.tests.days.world"), this.world);
    const store = `sqlite:${this.#folder}/store.db`;
    const place = await locateStore(this.#folder, { store, durability: "normal" });
    const [clock, random] = [this.#clock, this.#random];
    this.#engine = new LocalEngine(place, { near: this.#folder, clock, random });
    this.#engine.onLog(({ severity, body, time }) => {
      const at = new Date(Number(time / 1_000_000n)).toISOString();
      this.log.push(`${at} ${severity}: ${body}`);
    }, "warn");
  }

  async day(day: number, runs: number): Promise<Day> {
    const engine = this.#engine!;
    const { items, failed } = this.world;
    // Modules are loaded while the first ones run.
    const pace = day === 1 ? 5 : 0;
    for (let run = 0; run < runs; run++) {
      this.#clock.jump(this.#began + (day - 1 + run / runs) * DAY);
      const { status, error } = await this.#clock.drive(engine.run(this.#file), pace);
      if (status !== "succeeded") throw new Error(`A run ${status}: ${error?.message}`);
      // Plugins hear of it, and of what they make of it.
      await this.#clock.drive(
        new Promise<void>((resolve) => this.#clock.after(5_000, resolve)),
        pace,
      );
    }
    await this.#note();
    await engine.prune(RETENTION_DAYS * DAY);
    const share = (this.world.failed - failed) / (this.world.items - items);
    return await this.#look(day, share);
  }

  async end(): Promise<readonly LedgerEntry[]> {
    await this.#note();
    await this.#clock.drive(this.#engine!.close());
    return [...this.#entries.values()].sort((a, b) => a.number - b.number);
  }

  async #note(): Promise<void> {
    const entries = await this.#engine!.tuning.history(this.#file, { limit: 1_000_000 });
    for (const entry of entries) this.#entries.set(entry.number, entry);
  }

  async #look(day: number, failed: number): Promise<Day> {
    const { parameters } = await this.#engine!.tuning.list(this.#file);
    const values = Object.fromEntries(
      parameters.map(({ parameter: { name }, value }) => [name, Number(value)]),
    );
    const { batch, workers } = values;
    const db = new DatabaseSync(`${this.#folder}/store.db`, { readOnly: true });
    const one = (sql: string) => Number(Object.values(db.prepare(sql).get() ?? {})[0]);
    const pages = one("PRAGMA page_count") - one("PRAGMA freelist_count");
    const stored = pages * one("PRAGMA page_size");
    const items = one("SELECT sum(length(key) + length(value)) FROM items");
    const [runs, entries] = ["runs", "ledger"].map((table) => one(`SELECT count(*) FROM ${table}`));
    db.close();
    const collect = Reflect.get(globalThis, "gc") as (() => void) | undefined;
    collect?.();
    const heap = collect === undefined ? 0 : Deno.memoryUsage().heapUsed;
    return {
      day,
      values,
      regret: this.world.cost(batch, workers) / this.#best(),
      failing: this.world.failing(batch, workers),
      failed,
      runs,
      stored,
      items,
      entries,
      heap,
    };
  }

  // The least that an item can cost.
  #best(): number {
    let least = Infinity;
    const [[low, high], [few, many]] = [BOUNDS.batch, BOUNDS.workers];
    for (let workers = few; workers <= many; workers++) {
      for (let batch = low; batch <= high; batch++) {
        if (this.world.failing(batch, workers) >= GUARD) continue;
        least = Math.min(least, this.world.cost(batch, workers));
      }
    }
    return least;
  }
}
