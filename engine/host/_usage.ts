/**
 * What a process takes, as Linux tells it. A heap's flag bounds the heap alone: array buffers, WebAssembly and workers
 * are outside it (I2).
 */
import type { Clock } from "../core/clock.ts";

/** What a process may take. */
export interface UsageLimits {
  /** Resident memory, bytes. */
  readonly memory: number;
}

// Memory may grow by some hundred megabytes in between; reading it takes 10 us.
const EVERY_MS = 50;
// Processor time is looked at once in so many readings.
const READINGS_A_SECOND = 1_000 / EVERY_MS;
// Seconds of processor time that may add up while nothing is asked, beyond a tenth of each second: garbage that is
// collected afterwards takes less.
const MOST_UNASKED = 3;
const FREE = 0.1;
// Linux counts processor time in hundredths of a second for all programs.
const TICKS_A_SECOND = 100;

/** Watches a process until it is told to stop. */
export class UsageWatch {
  readonly #clock: Clock;
  readonly #pid: number;
  readonly #limits: UsageLimits;
  readonly #exceed: (code: "plugin.memory" | "plugin.time", message: string) => void;
  readonly #pageSize = pageSize();
  #cancel: () => void = () => {};
  #readings = 0;
  #processor = 0;
  #unasked = 0;
  // What is asked of it, since when, and for how long in this second.
  #open = 0;
  #openSince = 0;
  #asked = 0;

  /** Tells `exceed`, once at most, what the process takes too much of. */
  constructor(
    clock: Clock,
    pid: number,
    limits: UsageLimits,
    exceed: (code: "plugin.memory" | "plugin.time", message: string) => void,
  ) {
    this.#clock = clock;
    this.#pid = pid;
    this.#limits = limits;
    this.#exceed = exceed;
    this.#next();
  }

  /** Something is asked of it: until it has answered it may compute. */
  ask(): void {
    if (this.#open++ === 0) this.#openSince = this.#clock.monotonic();
  }

  /** It has answered one of the things that were asked. */
  answered(): void {
    if (this.#open > 0 && --this.#open === 0) {
      this.#asked += this.#clock.monotonic() - this.#openSince;
    }
  }

  /** Looks no more. */
  stop(): void {
    this.#cancel();
    this.#cancel = () => {};
  }

  #next(): void {
    this.#cancel = this.#clock.after(EVERY_MS, () => {
      if (this.#look()) this.#next();
    });
  }

  #look(): boolean {
    let memory: number;
    try {
      memory = Number(Deno.readTextFileSync(`/proc/${this.#pid}/statm`).split(" ")[1]) *
        this.#pageSize;
      if (++this.#readings % READINGS_A_SECOND === 0) this.#lookAtProcessor();
    } catch {
      return false; // it has ended; whoever waits for it says so
    }
    if (memory > this.#limits.memory) {
      this.#exceed(
        "plugin.memory",
        `The plugin's process took ${megabytes(memory)} MB of memory, may take ` +
          `${megabytes(this.#limits.memory)} MB, and was stopped; see what it keeps`,
      );
      return false;
    }
    if (this.#unasked < MOST_UNASKED) return true;
    this.#exceed(
      "plugin.time",
      `The plugin's process computed for ${MOST_UNASKED} s while nothing was asked of it, and was ` +
        "stopped; it should work only in its handlers and steps, without workers and timers",
    );
    return false;
  }

  #lookAtProcessor(): void {
    const stat = Deno.readTextFileSync(`/proc/${this.#pid}/stat`);
    // The name, in parentheses, may hold anything; from the state on, the 12th and 13th are the times.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const processor = (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
    const used = processor - this.#processor;
    this.#processor = processor;
    let asked = this.#asked;
    this.#asked = 0;
    if (this.#open > 0) {
      const now = this.#clock.monotonic();
      asked += now - this.#openSince;
      this.#openSince = now;
    }
    // While it is asked, V8's own threads compute beside the plugin's.
    this.#unasked = Math.max(0, this.#unasked + used - 2 * asked / 1_000 - FREE);
  }
}

// From the auxiliary vector: pairs of a key and a value, of which the page size has key 6.
function pageSize(): number {
  try {
    const words = new BigUint64Array(Deno.readFileSync("/proc/self/auxv").slice().buffer);
    for (let i = 0; i + 1 < words.length; i += 2) if (words[i] === 6n) return Number(words[i + 1]);
  } catch {
    // Not readable here: then it is taken for what most machines have.
  }
  return 4096;
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1024 / 1024);
}
