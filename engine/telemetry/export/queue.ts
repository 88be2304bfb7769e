import type { Clock, Random } from "../../core/clock.ts";
import type { BatchSettings } from "../settings.ts";
import type { OnDropped, Sender, Sent } from "./sender.ts";

/** Whether a queue sends: `open` means that it waits after failures, `half_open` that it tries with one batch. */
export type Circuit = "closed" | "open" | "half_open";

/** How a queue is doing. */
export interface QueueStatus {
  /** The sender's name. */
  readonly sender: string;
  /** How many wait, those on their way included. */
  readonly queued: number;
  /** How many arrived. */
  readonly sent: number;
  /** How many were dropped or refused. */
  readonly dropped: number;
  /** Whether it sends. */
  readonly circuit: Circuit;
  /** What the last failure said; absent since a success. */
  readonly lastError?: string;
}

// The first wait after a failure, and the longest; doubled in between, with a fifth of jitter either way.
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;
const JITTER = 0.2;
/** After this many failures in a row shutdown does not wait for an answer any more. */
const FAILURES_TO_OPEN = 3;
/** A send that has been without an answer for so long at shutdown is given up, in milliseconds. */
const HOPELESS_MS = 1_000;

/**
 * Holds what waits to be sent, and sends it in batches, one at a time, in order.
 *
 * Invariants:
 * - J5: `add` never throws and never waits; memory is bounded by the batch settings; nothing rejects.
 * - What was added is sent, waits, or is counted as dropped: each exactly once.
 *
 * A batch that may work later is kept and tried again after a growing wait, as OTLP's specification asks
 * (https://opentelemetry.io/docs/specs/otlp/#failures-1). After three failures in a row the circuit is open: one
 * batch is tried after each wait, and a shutdown no longer waits for the other side.
 */
export class ExportQueue<T> {
  readonly #sender: Sender<T>;
  readonly #settings: BatchSettings;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #onDropped: OnDropped;
  #waiting: T[] = [];
  // On its way, or kept for another try.
  #batch: readonly T[] = [];
  #sending: Promise<void> | undefined;
  #sendingSince = 0;
  // Resolves when the next send begins.
  #tried = Promise.withResolvers<void>();
  #unreachable = false;
  #cancelTimer: (() => void) | undefined;
  #failures = 0;
  #sent = 0;
  #dropped = 0;
  #lastError: string | undefined;
  #closed = false;
  // Dropped because the queue was full, not yet told of.
  #overflow = 0;

  /** Sends through `sender`; `onDropped` hears of what is lost. */
  constructor(ports: {
    readonly sender: Sender<T>;
    readonly settings: BatchSettings;
    readonly clock: Clock;
    readonly random: Random;
    readonly onDropped: OnDropped;
  }) {
    this.#sender = ports.sender;
    this.#settings = ports.settings;
    this.#clock = ports.clock;
    this.#random = ports.random;
    this.#onDropped = ports.onDropped;
  }

  /** Whether `add` would drop: whoever makes the item may save itself the work and call `miss`. */
  get full(): boolean {
    return this.#closed || this.#waiting.length >= this.#settings.maxQueue;
  }

  /** Takes an item to be sent; drops and counts it when too many wait. */
  add(item: T): void {
    if (this.full) return this.miss();
    this.#waiting.push(item);
    if (this.#sending !== undefined || this.#failures > 0) return;
    if (this.#waiting.length >= this.#settings.maxBatch) this.#send();
    else this.#cancelTimer ??= this.#clock.after(this.#settings.delayMs, () => this.#send());
  }

  /** Counts an item that was not made because the queue is full. */
  miss(): void {
    this.#dropped += 1;
    this.#overflow += 1;
    // Told of in one piece, at the next answer: a flood must not make a flood of messages.
    if (this.#overflow === 1) this.#clock.after(0, () => this.#tellOverflow());
  }

  /** How it is doing. */
  status(): QueueStatus {
    return {
      sender: this.#sender.name,
      queued: this.#waiting.length + this.#batch.length,
      sent: this.#sent,
      dropped: this.#dropped,
      circuit: this.#circuit(),
      lastError: this.#lastError,
    };
  }

  /** Sends all that waits, for at most `timeoutMs`. Resolves in any case. */
  async flush(timeoutMs: number): Promise<void> {
    const deadline = this.#clock.monotonic() + timeoutMs;
    while (this.#batch.length + this.#waiting.length > 0) {
      const left = deadline - this.#clock.monotonic();
      if (left <= 0 || this.#hopeless()) return;
      if (this.#failures === 0) this.#send();
      const patience = this.#sending === undefined ? left : this.#patience(left);
      await this.#orLater(this.#sending ?? this.#tried.promise, patience);
      if (patience < left && this.#sending !== undefined) return;
    }
  }

  /**
   * Sends what waits, for at most `timeoutMs`, drops and counts the rest, and closes the sender. What is known
   * to be down is not waited for.
   */
  async shutdown(timeoutMs: number): Promise<void> {
    await this.flush(timeoutMs);
    this.#closed = true;
    this.#cancelTimer?.();
    this.#tellOverflow();
    const left = this.#batch.length + this.#waiting.length;
    this.#batch = [];
    this.#waiting = [];
    this.#drop(left, "shutdown", this.#lastError ?? "There was no answer in time");
    await this.#sender.close();
  }

  #circuit(): Circuit {
    if (this.#failures < FAILURES_TO_OPEN) return "closed";
    return this.#sending === undefined ? "open" : "half_open";
  }

  #hopeless(): boolean {
    return this.#unreachable || this.#failures >= FAILURES_TO_OPEN;
  }

  // How long a flush still waits for the send that is on its way.
  #patience(left: number): number {
    if (this.#failures === 0) return left;
    return Math.min(left, this.#sendingSince + HOPELESS_MS - this.#clock.monotonic());
  }

  #send(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    if (this.#sending !== undefined || this.#closed) return;
    if (this.#batch.length === 0) {
      this.#batch = this.#waiting.splice(0, this.#settings.maxBatch);
    }
    if (this.#batch.length === 0) return;
    this.#sendingSince = this.#clock.monotonic();
    this.#tried.resolve();
    this.#tried = Promise.withResolvers<void>();
    this.#sending = this.#sender.send(this.#batch).then((sent) => {
      this.#sending = undefined;
      if (!this.#closed) this.#settle(sent);
    });
  }

  #settle(sent: Sent): void {
    const { length } = this.#batch;
    this.#unreachable = sent.status === "retry" && sent.unreachable === true;
    if (sent.status === "retry") {
      this.#failures += 1;
      this.#lastError = sent.message;
      // Asked to come at once, or by a date that is past: that is no pace to go on at.
      const wait = sent.afterMs ||
        FIRST_WAIT_MS * 2 ** (this.#failures - 1) * (1 + JITTER * (2 * this.#random.next() - 1));
      this.#cancelTimer = this.#clock.after(Math.min(wait, LONGEST_WAIT_MS), () => this.#send());
      return;
    }
    this.#failures = 0;
    if (sent.status === "too_large" && length > 1) {
      this.#waiting.unshift(...this.#batch.slice(length >> 1));
      this.#batch = this.#batch.slice(0, length >> 1);
      this.#send();
      return;
    }
    this.#batch = [];
    if (sent.status === "failed" || sent.status === "too_large") {
      this.#lastError = sent.message;
      this.#drop(length, "failed", sent.message);
    } else {
      this.#lastError = undefined;
      const rejected = refused(sent.rejected, length);
      this.#sent += length - rejected;
      this.#drop(rejected, "rejected", sent.message ?? "The receiver gave no reason");
    }
    if (this.#waiting.length >= this.#settings.maxBatch) this.#send();
    else if (this.#waiting.length > 0) {
      this.#cancelTimer = this.#clock.after(this.#settings.delayMs, () => this.#send());
    }
  }

  #tellOverflow(): void {
    const count = this.#overflow;
    this.#overflow = 0;
    if (count > 0) {
      this.#tell(count, "queue_full", this.#lastError ?? "More came than could be sent");
    }
  }

  #drop(count: number, reason: "rejected" | "failed" | "shutdown", message: string): void {
    if (count === 0) return;
    this.#dropped += count;
    this.#tell(count, reason, message);
  }

  #tell(count: number, reason: Parameters<OnDropped>[0]["reason"], message: string): void {
    this.#onDropped({
      signal: this.#sender.signal,
      sender: this.#sender.name,
      count,
      reason,
      message,
    });
  }

  async #orLater(done: Promise<void>, ms: number): Promise<void> {
    if (ms <= 0) return;
    const late = Promise.withResolvers<void>();
    const cancel = this.#clock.after(ms, late.resolve);
    await Promise.race([done, late.promise]);
    cancel();
  }
}

// What the other side says may be anything: a count below zero, or no number, would spoil all counts after it.
function refused(said: number | undefined, length: number): number {
  return said !== undefined && said > 0 ? Math.min(Math.floor(said), length) : 0;
}
