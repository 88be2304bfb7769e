import type { Clock } from "../core/clock.ts";
import { messageOf } from "../core/errors.ts";
import type { LogConsumer, Logger, LogRecord, Severity } from "../core/log.ts";

const RANKS: Readonly<Record<Severity, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

interface Consumer {
  readonly hear: LogConsumer;
  readonly least: number;
  busy: boolean;
  failed: boolean;
}

/**
 * The engine's log: hands each record to those who want it, at once.
 *
 * Invariants:
 * - J5: what a consumer throws reaches neither the writer nor the other consumers; those hear of it once.
 * - A consumer never hears what it wrote itself while it heard a record: a log cannot feed itself.
 */
export class EngineLog implements Logger {
  readonly #clock: Pick<Clock, "now">;
  #consumers: readonly Consumer[] = [];
  #least = Infinity;

  /** Takes the time of records from `clock`. */
  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
  }

  /** Adds a consumer of records that are at least so grave; the returned function removes it. */
  addConsumer(hear: LogConsumer, least: Severity = "debug"): () => void {
    const consumer: Consumer = { hear, least: RANKS[least], busy: false, failed: false };
    this.#set([...this.#consumers, consumer]);
    return () => this.#set(this.#consumers.filter((other) => other !== consumer));
  }

  /** See Logger. */
  enabled(severity: Severity): boolean {
    return RANKS[severity] >= this.#least;
  }

  /** See Logger. */
  log(record: Omit<LogRecord, "time"> & { readonly time?: bigint }): void {
    const rank = RANKS[record.severity];
    if (rank < this.#least) return;
    const timed = { ...record, time: record.time ?? this.#clock.now() };
    for (const consumer of this.#consumers) {
      if (rank >= consumer.least && !consumer.busy) this.#tell(consumer, timed);
    }
  }

  #tell(consumer: Consumer, record: LogRecord): void {
    consumer.busy = true;
    try {
      consumer.hear(record);
    } catch (thrown) {
      const first = !consumer.failed;
      consumer.failed = true;
      if (first) {
        this.log({ severity: "warn", body: `a log consumer failed: ${messageOf(thrown)}` });
      }
    } finally {
      consumer.busy = false;
    }
  }

  #set(consumers: readonly Consumer[]): void {
    this.#consumers = consumers;
    this.#least = Math.min(...consumers.map(({ least }) => least)); // Infinity for none
  }
}
