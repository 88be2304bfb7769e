import type { ReadableSpan } from "@opentelemetry/sdk-trace-base";
import {
  CICD_PIPELINE_RUN_ID,
  SPANLOOP_PLUGIN_NAME,
  SPANLOOP_TRIGGER_TYPE,
  SPANLOOP_TRIGGER_TYPE_VALUE_WORKFLOW,
} from "../../../semconv/attributes.ts";

// What is held at most; a trace that never ends, or is larger, is shown in pieces.
const MOST_SPANS = 10_000;
// What is deeper is drawn at this depth: no screen is wider.
const DEEPEST = 30;
const LONGEST_PREFIX = DEEPEST * "│  ".length;

/** A line of a tree: a span, and what stands before it, such as `│  ├─ `. */
export interface Branch {
  /** The span. */
  readonly span: ReadableSpan;
  /** The lines that join it to its parent. */
  readonly prefix: string;
}

/** Holds the spans of each trace until its root has ended. Memory is bounded: see MOST_SPANS. */
export class TraceTrees {
  readonly #traces = new Map<string, ReadableSpan[]>();
  #held = 0;

  /** Adds a span that ended; gives back the trace that is to be shown now, if one is. */
  add(span: ReadableSpan): readonly Branch[] | undefined {
    const { traceId } = span.spanContext();
    const spans = this.#traces.get(traceId) ?? [];
    if (spans.push(span) === 1) this.#traces.set(traceId, spans);
    this.#held++;
    // What a plugin says of a trace that was shown already waits for nothing.
    const late = spans.length === 1 && span.attributes[SPANLOOP_PLUGIN_NAME] !== undefined;
    if (late || isRoot(span)) return this.#take(traceId);
    // The trace that began first has waited longest.
    return this.#held >= MOST_SPANS ? this.#take(this.#traces.keys().next().value!) : undefined;
  }

  /** Gives back what is held, one trace after the other. */
  *rest(): Iterable<readonly Branch[]> {
    for (const traceId of [...this.#traces.keys()]) yield this.#take(traceId);
  }

  #take(traceId: string): readonly Branch[] {
    const spans = this.#traces.get(traceId)!;
    this.#traces.delete(traceId);
    this.#held -= spans.length;
    return branches(spans);
  }
}

// A run whose parent is in another process is a root here, too; a sub-workflow's run is none.
function isRoot({ parentSpanContext, attributes }: ReadableSpan): boolean {
  if (parentSpanContext === undefined || parentSpanContext.isRemote === true) return true;
  const trigger = attributes[SPANLOOP_TRIGGER_TYPE];
  return attributes[CICD_PIPELINE_RUN_ID] !== undefined && trigger !== undefined &&
    trigger !== SPANLOOP_TRIGGER_TYPE_VALUE_WORKFLOW;
}

function branches(spans: readonly ReadableSpan[]): readonly Branch[] {
  const ids = new Set(spans.map((span) => span.spanContext().spanId));
  const children = new Map<string | undefined, ReadableSpan[]>();
  for (const span of spans) {
    const parent = span.parentSpanContext?.spanId;
    const key = parent !== undefined && ids.has(parent) ? parent : undefined;
    const siblings = children.get(key) ?? [];
    if (siblings.push(span) === 1) children.set(key, siblings);
  }
  for (const siblings of children.values()) siblings.sort(byStart);
  const lines: Branch[] = [];
  // A stack of its own: a chain of spans may be longer than the call stack.
  const stack = (children.get(undefined) ?? []).map((span) => ({ span, prefix: "", below: "" }))
    .reverse();
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { span, prefix, below } = next;
    lines.push({ span, prefix });
    const nested = children.get(span.spanContext().spanId) ?? [];
    for (let index = nested.length - 1; index >= 0; index--) {
      const last = index === nested.length - 1;
      stack.push({
        span: nested[index],
        prefix: `${below}${last ? "└─ " : "├─ "}`,
        below: below.length < LONGEST_PREFIX ? `${below}${last ? "   " : "│  "}` : below,
      });
    }
  }
  return lines;
}

function byStart({ startTime: [a, b] }: ReadableSpan, { startTime: [c, d] }: ReadableSpan): number {
  return a - c || b - d;
}
