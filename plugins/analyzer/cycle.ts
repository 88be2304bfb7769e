/** A cycle as it is kept. */
export interface KeptCycle {
  /** In how many periods each slot was seen, and how far it was off its period's mean: `[slot, count, off]`. */
  readonly known: readonly (readonly [slot: number, count: number, off: number])[];
  /** The period that is under way, by number; -1 before the first. */
  readonly period: number;
  /** What was seen in it. */
  readonly seen: readonly (readonly [slot: number, value: number])[];
  /** Whether the level has changed in it. */
  readonly disturbed: boolean;
  /** What is left of the squared deviations within a period once the cycle is taken away, as a share, of late. */
  readonly left: number;
}

// Old periods count less: a slot follows what has changed within about so many of them.
const MEMORY = 8;
// Of fewer slots a period tells nothing.
const FEWEST = 4;
// A cycle that leaves more than this is none.
const MOST_LEFT = 0.7;
const RECENT = 0.5;

/**
 * Something that recurs, such as what the hours of a day do to a cost: how far each slot is off the mean of its period.
 * It is used once it has foretold whole periods: of chance, the past says nothing of the next period. Since each period
 * has its own mean, a level that changes is no cycle, and blurs the one period in which it does.
 */
export class Cycle {
  readonly #slots: number;
  readonly #known: Map<number, readonly [count: number, off: number]>;
  #period: number;
  #seen: (readonly [slot: number, value: number])[];
  #disturbed: boolean;
  #left: number;
  // What was kept last, while nothing was learned since.
  #written: KeptCycle | undefined;

  /** Of so many slots a period; takes up what was kept. */
  constructor(
    slots: number,
    kept: KeptCycle = { known: [], period: -1, seen: [], disturbed: false, left: 1 },
  ) {
    this.#slots = slots;
    this.#known = new Map(kept.known.map(([slot, count, off]) => [slot, [count, off]]));
    this.#period = kept.period;
    this.#seen = [...kept.seen];
    this.#disturbed = kept.disturbed;
    this.#left = kept.left;
  }

  /** How far slot `at`, counted from the first period's first, is expected to be off; 0 while there is no cycle. */
  expected(at: number): number {
    return this.#isProven ? this.#known.get(at % this.#slots)?.[1] ?? 0 : 0;
  }

  /** Slot `at` was so much; slots come in order, each once. */
  learn(at: number, value: number): void {
    this.#written = undefined;
    const period = Math.floor(at / this.#slots);
    if (period !== this.#period) {
      this.#end();
      this.#period = period;
    }
    this.#seen.push([at % this.#slots, value]);
  }

  /** The level has changed: a cycle that is known learns nothing from this period. */
  disturb(): void {
    this.#written = undefined;
    this.#disturbed = true;
  }

  /** What to keep. */
  write(): KeptCycle {
    return this.#written ??= {
      known: [...this.#known].map(([slot, [count, off]]) => [slot, count, short(off)]),
      period: this.#period,
      seen: this.#seen.map(([slot, value]) => [slot, short(value)]),
      disturbed: this.#disturbed,
      left: short(this.#left),
    };
  }

  get #isProven(): boolean {
    return this.#left < MOST_LEFT;
  }

  #end(): void {
    const seen = this.#seen;
    this.#seen = [];
    const isDisturbed = this.#disturbed && this.#isProven;
    this.#disturbed = false;
    if (isDisturbed || seen.length < FEWEST) return;
    const mean = meanOf(seen.map(([, value]) => value));
    const offs = seen.map(([slot, value]): [number, number] => [slot, value - mean]);
    this.#prove(offs.filter(([slot]) => this.#known.has(slot)));
    for (const [slot, off] of offs) {
      const [count, before] = this.#known.get(slot) ?? [0, 0];
      const now = Math.min(MEMORY, count + 1);
      this.#known.set(slot, [now, before + (off - before) / now]);
    }
  }

  #prove(offs: readonly (readonly [slot: number, off: number])[]): void {
    if (offs.length < FEWEST) return;
    const values = offs.map(([, off]) => off);
    const foretold = offs.map(([slot]) => this.#known.get(slot)![1]);
    const [mean, meanForetold] = [meanOf(values), meanOf(foretold)];
    let [all, left] = [0, 0];
    values.forEach((value, i) => {
      all += (value - mean) ** 2;
      left += (value - mean - (foretold[i] - meanForetold)) ** 2;
    });
    if (all > 0) this.#left += RECENT * (Math.min(2, left / all) - this.#left);
  }
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function short(value: number): number {
  return Number(value.toFixed(3));
}
