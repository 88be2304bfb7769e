import { type Clock, sleep } from "../core/clock.ts";
import type { TailedSpan, TailOptions } from "../core/received.ts";
import type {
  EndRecord,
  ReceivedAttributes,
  ReceivedSpan,
  ReceivedValue,
  SpanEnd,
  SpanStart,
} from "../core/span.ts";
import type { Store } from "../core/store.ts";
import * as keys from "../../semconv/attributes.ts";
import { emittedEnd, emittedStart } from "./emitted.ts";
import { requestJson } from "./otlp/span_json.ts";

const POLL_MS = 250;
const RECORDS_AT_ONCE = 1_000;

/** Spans as they end, of runs, received and emitted ones, by polling the store: other processes may write to it. */
export async function* tailSpans(
  store: Pick<Store, "since" | "last" | "version" | "read">,
  clock: Clock,
  { from, follow, signal }: TailOptions,
): AsyncIterable<TailedSpan> {
  let position = from === "now" ? await store.last() : 0;
  const starts = new OpenStarts(store);
  while (!signal.aborted) {
    // Before the records are read: what comes in between is then looked for again, and not missed.
    const version = await store.version();
    const records = await store.since(position, RECORDS_AT_ONCE);
    for (const record of records) {
      position = record.position;
      if (record.type === "start") starts.add(record.runId, record.span);
      else if (record.type === "received") {
        if (isWithin(record.span, from)) yield tailed(record.span);
      } else if (record.type === "emitted") {
        const span = ownSpan(emittedStart(record.span), emittedEnd(record.span));
        if (isWithin(span, from)) yield tailed(span, record.span.runId);
      } else {
        const start = await starts.take(record);
        if (start === undefined) continue;
        const span = ownSpan(start, record.end);
        if (isWithin(span, from)) yield tailed(span, record.runId);
      }
      if (signal.aborted) return;
    }
    if (records.length === RECORDS_AT_ONCE) continue;
    if (!follow) return;
    try {
      do await sleep(clock, POLL_MS, signal); while (await store.version() === version);
    } catch (thrown) {
      if (signal.aborted) return;
      throw thrown;
    }
  }
}

/** A span with what can be told of it. */
export function tailed(span: ReceivedSpan, runId?: string): TailedSpan {
  return {
    span,
    ...serviceOf(span.resource),
    ...runId === undefined ? {} : { runId },
    otlp: () => requestJson(span),
  };
}

/** The program that something is of, where it says so. */
export function serviceOf(resource: ReceivedAttributes): { readonly service?: ReceivedValue } {
  const service = resource[keys.SERVICE_NAME];
  return service === undefined ? {} : { service };
}

/** A run's or a plugin's span as if another program had sent it. */
function ownSpan(start: SpanStart, end: SpanEnd): ReceivedSpan {
  return {
    ...start,
    links: (start.links ?? []).map((link) => ({ ...link, attributes: link.attributes ?? {} })),
    endTime: end.endTime,
    status: end.error ? "error" : "unset",
    ...end.message === undefined ? {} : { message: end.message },
    attributes: { ...start.attributes, ...end.attributes },
    events: [],
    // The journal does not say which process it was.
    resource: { [keys.SERVICE_NAME]: "spanloop" },
    scope: { name: "spanloop" },
  };
}

function isWithin(span: ReceivedSpan, from: TailOptions["from"]): boolean {
  return typeof from !== "bigint" || span.endTime >= from;
}

/** Starts whose ends were not read yet. */
class OpenStarts {
  readonly #store: Pick<Store, "read">;
  readonly #runs = new Map<string, Map<string, SpanStart>>();

  constructor(store: Pick<Store, "read">) {
    this.#store = store;
  }

  add(runId: string, span: SpanStart): void {
    let run = this.#runs.get(runId);
    if (run === undefined) this.#runs.set(runId, run = new Map());
    run.set(span.spanId, span);
  }

  async take({ runId, spanId }: EndRecord): Promise<SpanStart | undefined> {
    // Reading began after the start: the run's journal has it, and the run's others that are open.
    if (this.#runs.get(runId)?.has(spanId) !== true) await this.#readRun(runId);
    const run = this.#runs.get(runId);
    const start = run?.get(spanId);
    run?.delete(spanId);
    if (run?.size === 0) this.#runs.delete(runId);
    return start;
  }

  async #readRun(runId: string): Promise<void> {
    for await (const record of this.#store.read(runId)) {
      if (record.type === "start") this.add(runId, record.span);
    }
  }
}
