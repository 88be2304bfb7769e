import { type Clock, sleep } from "./core/clock.ts";
import type { ImproveEvent, Measurement } from "./core/improve.ts";
import { isRollBack, type LedgerEntry } from "./core/proposal.ts";
import type { RunReport } from "./core/report.ts";
import type { Store } from "./core/store.ts";
import { MEASURED, measurementOf } from "./measurements.ts";

/** How often it is looked for what other processes have decided, milliseconds (R8). */
export const POLL_MS = 500;

// What is new is read so many at a time.
const MANY = 200;

/** What happens while a workflow is improved, told in order and kept for the report. */
export class News {
  /** What was measured, in order. */
  readonly measurements: Measurement[] = [];
  /** The verdicts, in order. */
  readonly verdicts: LedgerEntry[] = [];
  /** What took back what had been kept, in order. */
  readonly rollBacks: LedgerEntry[] = [];
  readonly #store: Store;
  readonly #workflow: string;
  readonly #tell: (event: ImproveEvent) => void;
  readonly #indexes = new Map<string, number>();
  #index = 0;
  #position: number;
  #number: number;
  #reading: Promise<void> = Promise.resolve();

  private constructor(
    store: Store,
    workflow: string,
    tell: (event: ImproveEvent) => void,
    { position, number }: { readonly position: number; readonly number: number },
  ) {
    this.#store = store;
    this.#workflow = workflow;
    this.#tell = tell;
    this.#position = position;
    this.#number = number;
  }

  /** Tells what comes after what is in the store now. */
  static async begin(
    store: Store,
    workflow: string,
    tell: (event: ImproveEvent) => void,
  ): Promise<News> {
    const [newest] = await store.ledger({ workflow, limit: 1 });
    const position = await store.last();
    return new News(store, workflow, tell, { position, number: newest?.number ?? 0 });
  }

  /** A run begins. */
  started(index: number): void {
    this.#index = index;
    this.#tell({ type: "started", index });
  }

  /** Something happened in it. */
  run(event: Extract<ImproveEvent, { type: "run" }>["event"]): void {
    if (event.type === "run") this.#indexes.set(event.runId, this.#index);
    this.#tell({ type: "run", index: this.#index, event });
  }

  /** It is over. */
  ended(report: RunReport): void {
    this.#tell({ type: "ended", index: this.#index, report });
  }

  /** Tells what is measured and decided, as it comes, until the signal aborts. */
  async watch(clock: Clock, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(clock, POLL_MS, signal).catch(() => {}); // it is over sooner then
      // A store that cannot be read ends the run, which says so.
      if (!signal.aborted) await this.read().catch(() => {});
    }
  }

  /** Tells what was measured and decided since the last time. Throws StoreError. */
  read(): Promise<void> {
    const reading = this.#reading.then(() => this.#read());
    this.#reading = reading.catch(() => {}); // whoever asked hears of it
    return reading;
  }

  async #read(): Promise<void> {
    const workflow = this.#workflow;
    const records = await this.#store.emitted({
      ...MEASURED,
      workflow,
      after: this.#position,
      limit: MANY,
    });
    for (const { span, position } of records.toReversed()) {
      this.#position = position;
      const measurement = measurementOf(span);
      // Runs that were not begun here are none of what is told.
      const index = this.#indexes.get(span.runId ?? "");
      if (measurement === undefined || index === undefined) continue;
      this.measurements.push(measurement);
      this.#tell({ type: "measured", index, measurement });
    }
    const entries = await this.#store.ledger({ workflow, limit: MANY });
    for (const entry of entries.toReversed()) {
      if (entry.number <= this.#number) continue;
      this.#number = entry.number;
      if (entry.verdict !== undefined) this.verdicts.push(entry);
      if (isRollBack(entry)) this.rollBacks.push(entry);
      this.#tell({ type: "decided", index: this.#index, entry });
    }
  }
}
