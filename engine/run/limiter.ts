/** Bounds how many attempts are under way at once in one run; first come, first served (F1). */
export class Limiter {
  readonly #limit: () => number;
  readonly #waiting: (() => void)[] = [];
  #head = 0;
  #used = 0;

  /** `limit` is asked at each hand-out, at least 1. */
  constructor(limit: () => number) {
    this.#limit = limit;
  }

  /** The bound as it is now. */
  get limit(): number {
    return Math.max(1, this.#limit());
  }

  /** How many wait for a slot. */
  get waiting(): number {
    return this.#waiting.length - this.#head;
  }

  /** Takes a slot: undefined when one was free, otherwise a promise of one. */
  acquire(): Promise<void> | undefined {
    if (this.#used < this.limit && this.#head === this.#waiting.length) {
      this.#used++;
      return undefined;
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Gives a slot back. */
  release(): void {
    this.#used--;
    this.refill();
  }

  /** Hands out the slots that are free; to be called when the bound may have grown. */
  refill(): void {
    while (this.#used < this.limit && this.#head < this.#waiting.length) {
      this.#used++;
      this.#waiting[this.#head++]();
    }
    // A queue of an array and a head: shift() would be linear in 10,000 waiting steps.
    if (this.#head > 1024 && this.#head * 2 > this.#waiting.length) {
      this.#waiting.splice(0, this.#head);
      this.#head = 0;
    }
  }
}
