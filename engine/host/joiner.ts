import { CICD_PIPELINE_NAME, SPANLOOP_REACTION_DEPTH } from "../../semconv/attributes.ts";
import type { JournalRecord, StartEntry, StoreRecord } from "../core/span.ts";
import type { Store } from "../core/store.ts";
import type { Heard } from "./heard.ts";

// More runs than ever are under way at once: what is forgotten is read again.
const MOST_RUNS = 10_000;

interface Run {
  readonly workflow: string;
  readonly depth: number;
  readonly open: Map<string, StartEntry>;
}

/** Puts together what the store's records say of a span: an end with its start, and with its run's workflow. */
export class Joiner {
  readonly #store: Pick<Store, "run" | "read">;
  readonly #runs = new Map<string, Run>();

  /** Asks `store` for what it has not seen itself. */
  constructor(store: Pick<Store, "run" | "read">) {
    this.#store = store;
  }

  /** The event that a record tells of, if that can be said without the store; `start`: that of an end, if known. */
  join(record: StoreRecord, start?: StartEntry): Heard | undefined {
    const { position } = record;
    if (record.type === "received") {
      return {
        kind: "received",
        position,
        event: "ended",
        at: record.span.endTime,
        span: record.span,
      };
    }
    if (record.type === "emitted") {
      return { kind: "emitted", position, event: "ended", at: record.span.time, span: record.span };
    }
    const run = this.#runOf(record);
    if (run === undefined) return undefined;
    const { workflow, depth, open } = run;
    if (record.type === "start") {
      open.set(record.span.spanId, record);
      const at = record.span.startTime;
      return { kind: "journal", position, event: "started", at, workflow, depth, start: record };
    }
    const begun = open.get(record.spanId) ?? start;
    if (begun === undefined) return undefined;
    open.delete(record.spanId);
    if (record.role === "run") this.#runs.delete(record.runId);
    const at = record.end.endTime;
    return {
      kind: "journal",
      position,
      event: "ended",
      at,
      workflow,
      depth,
      start: begun,
      end: record,
    };
  }

  /** The event that a record tells of; undefined when its run has just been deleted. */
  async find(record: StoreRecord): Promise<Heard | undefined> {
    const heard = this.join(record);
    if (heard !== undefined || record.type === "received" || record.type === "emitted") {
      return heard;
    }
    const header = await this.#store.run(record.runId);
    if (header === undefined) return undefined;
    const run = this.#keep(record.runId, header.workflow, header.reactionDepth ?? 0);
    for await (const earlier of this.#store.read(record.runId)) {
      if (earlier.position >= record.position) break;
      if (earlier.type === "start") run.open.set(earlier.span.spanId, earlier);
      else run.open.delete(earlier.spanId);
    }
    return this.join(record);
  }

  #runOf(record: JournalRecord): Run | undefined {
    const known = this.#runs.get(record.runId);
    if (known !== undefined || record.type !== "start" || record.role !== "run") return known;
    const { attributes } = record.span;
    return this.#keep(
      record.runId,
      String(attributes[CICD_PIPELINE_NAME]),
      Number(attributes[SPANLOOP_REACTION_DEPTH] ?? 0),
    );
  }

  #keep(runId: string, workflow: string, depth: number): Run {
    if (this.#runs.size >= MOST_RUNS) this.#runs.clear();
    const run = { workflow, depth, open: new Map<string, StartEntry>() };
    this.#runs.set(runId, run);
    return run;
  }
}
