import { derivedSpanId } from "../core/ids.ts";
import type {
  BusEvent,
  EmittedSpan,
  SpanReference,
  StartEntry,
  TraceSettings,
} from "../core/span.ts";
import type { Sampled } from "./sampler.ts";

/** Where a span stands in what is exported. */
export interface Placement extends SpanReference {
  /** Whether the span is exported; otherwise trace and span id are those of the nearest one around it that is. */
  readonly exported: boolean;
  /** The exported span around it. */
  readonly parentSpanId?: string;
  /** Whether its run was sampled. */
  readonly sampled: boolean;
  /** For a batch that is a trace of its own: its step's span. */
  readonly linkedTo?: SpanReference;
}

interface Run {
  readonly trace: TraceSettings;
  readonly span: string;
}

/** What stands when a workflow says nothing: a for_each of many batches must not flood a trace. */
const DEFAULT: TraceSettings = { mode: "single", detail: "steps" };

// Spans that have ended, twice so many: what answers them comes after their end.
const REMEMBERED = 4_096;

/**
 * Finds each open span's place in the exported traces, by its run's `trace` settings (T1): which spans are
 * exported, under which trace id, below which span. The journal's ids stay as they are; a span keeps its own
 * id, and only a linked batch and what is below it have another trace id.
 */
export class Placements {
  readonly #runs = new Map<string, Run>();
  readonly #spans = new Map<string, Placement>();
  readonly #sampled: Sampled;
  // Those that have ended, newest and older ones.
  #ended = new Map<string, Placement>();
  #older = new Map<string, Placement>();

  /** `sampled` decides for each run. */
  constructor(sampled: Sampled) {
    this.#sampled = sampled;
  }

  /** The place of an open span; undefined: it is not open, or nobody told of it. */
  of(spanId: string): Placement | undefined {
    return this.#spans.get(spanId);
  }

  /** Learns of a span's start. */
  opened(start: StartEntry): void {
    if (start.role === "run") {
      this.#runs.set(start.runId, { trace: start.trace ?? DEFAULT, span: start.span.spanId });
    }
    this.#spans.set(start.span.spanId, this.#place(start));
  }

  /**
   * The place of a span that a plugin emitted: below the one that it answers, or the nearest exported one around that.
   * No `trace.detail` hides it. Of a span that another process has exported, or that ended long ago, the trace id alone
   * decides whether it is sampled.
   */
  emitted({ traceId, spanId, parentSpanId }: EmittedSpan): Placement {
    const around = parentSpanId === undefined ? undefined : this.known(parentSpanId);
    const place = {
      traceId: around?.traceId ?? traceId,
      spanId,
      exported: true,
      parentSpanId: around?.spanId ?? parentSpanId,
      sampled: around?.sampled ?? this.#sampled(traceId),
    };
    this.#remember(spanId, place);
    return place;
  }

  /** The place of a span that is open or ended not long ago. */
  known(spanId: string): Placement | undefined {
    return this.#spans.get(spanId) ?? this.#ended.get(spanId) ?? this.#older.get(spanId);
  }

  #remember(spanId: string, place: Placement): void {
    if (this.#ended.size >= REMEMBERED) {
      this.#older = this.#ended;
      this.#ended = new Map();
    }
    this.#ended.set(spanId, place);
  }

  /** Takes a span for ended. */
  closed({ role, runId, span }: StartEntry): void {
    const place = this.#spans.get(span.spanId);
    if (place !== undefined) this.#remember(span.spanId, place);
    this.#spans.delete(span.spanId);
    if (role === "run") this.#runs.delete(runId);
  }

  /** Learns from the bus; an ended span is `closed` once whoever exports it is done. */
  hear(event: BusEvent): void {
    if (event.event === "started") this.opened(event.record);
    else if (event.event === "adopted") this.opened(event.start);
    else if (event.event === "lost") event.open.forEach((start) => this.closed(start));
  }

  #place({ role, runId, range, span }: StartEntry): Placement {
    const parent = span.parentSpanId === undefined ? undefined : this.#spans.get(span.parentSpanId);
    const self = { traceId: parent?.traceId ?? span.traceId, spanId: span.spanId };
    if (role === "run") {
      const sampled = parent?.sampled ?? this.#sampled(span.traceId, span.traceFlags);
      // A calling attempt that is not exported hands its parent on; a caller of another process stays.
      const parentSpanId = parent?.spanId ?? span.parentSpanId;
      return { ...self, exported: true, parentSpanId, sampled };
    }
    const { trace } = this.#runs.get(runId) ?? { trace: DEFAULT };
    const around = parent ?? { ...self, exported: true, sampled: true };
    const fine = range !== undefined ? "batches" : "steps";
    const exported = around.exported && (trace.detail === "batches" || trace.detail === fine);
    if (!exported) return { ...around, exported: false };
    if (range !== undefined && trace.mode === "linked") {
      return {
        traceId: linkedTraceId(span.spanId),
        spanId: span.spanId,
        exported: true,
        sampled: around.sampled,
        linkedTo: { traceId: around.traceId, spanId: around.spanId },
      };
    }
    return { ...self, exported: true, parentSpanId: around.spanId, sampled: around.sampled };
  }
}

/** The trace id of a batch that is a trace of its own: derived from its span's id, so that links find it. */
export function linkedTraceId(spanId: string): string {
  return derivedSpanId(spanId, -4) + spanId;
}
