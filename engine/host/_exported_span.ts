import type {
  Attributes,
  EndRecord,
  ItemRange,
  Outcome,
  ReceivedAttributes,
  ReceivedSpan,
  SpanRole,
  StartEntry,
} from "../core/span.ts";
import * as keys from "../../semconv/attributes.ts";
import type { Heard } from "./heard.ts";

const SCOPE = "spanloop";

const OUTCOMES: Readonly<Record<string, Outcome>> = {
  __proto__: null as never,
  [keys.CICD_PIPELINE_RESULT_VALUE_SUCCESS]: "succeeded",
  [keys.CICD_PIPELINE_RESULT_VALUE_FAILURE]: "failed",
  [keys.CICD_PIPELINE_RESULT_VALUE_CANCELLATION]: "cancelled",
  [keys.CICD_PIPELINE_RESULT_VALUE_SKIP]: "skipped",
  [keys.CICD_PIPELINE_RESULT_VALUE_TIMEOUT]: "timed_out",
  [keys.CICD_PIPELINE_RESULT_VALUE_ERROR]: "interrupted",
};

type Exported = Heard & { readonly kind: "received" };

/** What of it the engine itself exported becomes what it was: a run's span, or one that a plugin emitted. */
export function heardExports(ended: readonly Heard[]): readonly Heard[] {
  const own = new Map<string, ReceivedSpan>();
  for (const heard of ended) {
    if (heard.kind === "received" && heard.span.scope.name === SCOPE) {
      own.set(heard.span.spanId, heard.span);
    }
  }
  return ended.map((heard) =>
    heard.kind === "received" && own.has(heard.span.spanId) ? ownSpan(heard, own) : heard
  );
}

function ownSpan(heard: Exported, own: ReadonlyMap<string, ReceivedSpan>): Heard {
  const { span } = heard;
  // What an emit step or a plugin emitted says itself of no run: the span around it does.
  const around = own.get(span.parentSpanId ?? "");
  const of = (key: string) =>
    text(span.attributes, key) ?? (around && text(around.attributes, key));
  const workflow = of(keys.CICD_PIPELINE_NAME);
  const runId = of(keys.CICD_PIPELINE_RUN_ID);
  const stepId = of(keys.SPANLOOP_STEP_ID);
  const plugin = text(span.attributes, keys.SPANLOOP_PLUGIN_NAME);
  const place = { event: heard.event, position: heard.position, at: heard.at } as const;
  if (plugin !== undefined) {
    return {
      ...place,
      kind: "emitted",
      span: {
        ...common(span),
        time: span.endTime,
        links: span.links,
        plugin,
        depth: number(span.attributes, keys.SPANLOOP_REACTION_DEPTH) ?? 1,
        ...given({ workflow, runId, stepId }),
      },
    };
  }
  if (workflow === undefined || runId === undefined) return heard;
  const start = startEntry(span, runId, stepId);
  return {
    ...place,
    kind: "journal",
    workflow,
    depth: number(span.attributes, keys.SPANLOOP_REACTION_DEPTH) ?? 0,
    start,
    end: endRecord(span, start),
  };
}

function startEntry(span: ReceivedSpan, runId: string, stepId: string | undefined): StartEntry {
  const { attributes } = span;
  const role = roleOf(span);
  const from = number(attributes, keys.SPANLOOP_BATCH_FROM);
  const to = number(attributes, keys.SPANLOOP_BATCH_TO);
  const range: ItemRange | undefined = from === undefined || to === undefined
    ? undefined
    : { from, to };
  const key = stepId === undefined
    ? role
    : range === undefined
    ? stepId
    : `${stepId}[${range.from},${range.to})`;
  return {
    type: "start",
    runId,
    role,
    key,
    ...given({ stepId, attempt: number(attributes, keys.SPANLOOP_ATTEMPT), range }),
    span: { ...common(span), kind: span.kind, startTime: span.startTime, links: linksOf(span) },
  };
}

function endRecord(span: ReceivedSpan, { runId, role, key, stepId }: StartEntry): EndRecord {
  const { attributes, status, message, endTime, spanId } = span;
  const result = text(attributes, keys.CICD_PIPELINE_TASK_RUN_RESULT) ??
    text(attributes, keys.CICD_PIPELINE_RESULT) ?? "";
  const code = text(attributes, keys.ERROR_TYPE);
  const processed = number(attributes, keys.SPANLOOP_ITEMS_PROCESSED);
  const failed = number(attributes, keys.SPANLOOP_ITEMS_FAILED);
  return {
    type: "end",
    position: 0,
    runId,
    role,
    key,
    spanId,
    outcome: OUTCOMES[result] ?? "succeeded",
    end: { endTime, error: status === "error", ...given({ message }), attributes: {} },
    ...given({
      stepId,
      failure: code === undefined
        ? undefined
        : { code, message: message ?? code, errorClass: "error" as const },
      items: processed === undefined ? undefined : { processed, failed: failed ?? 0 },
    }),
  };
}

function roleOf({ name, attributes }: ReceivedSpan): SpanRole {
  const has = (key: string) => Object.hasOwn(attributes, key);
  if (has(keys.CICD_PIPELINE_ACTION_NAME)) return "run";
  if (!has(keys.SPANLOOP_STEP_TYPE)) {
    return name === "resume" && has(keys.CICD_PIPELINE_RUN_ID) ? "resume" : "emit";
  }
  if (has(keys.SPANLOOP_SKIP_REASON)) return "skip";
  return has(keys.SPANLOOP_ATTEMPT) ? "attempt" : "step";
}

// The engine's own attributes are plain; a file that says otherwise is taken as it is.
function common({ traceId, spanId, parentSpanId, name, attributes }: ReceivedSpan) {
  return {
    traceId,
    spanId,
    ...given({ parentSpanId }),
    name,
    attributes: attributes as Attributes,
  };
}

function linksOf({ links }: ReceivedSpan) {
  return links.map(({ traceId, spanId }) => ({ traceId, spanId }));
}

function text(attributes: ReceivedAttributes, key: string): string | undefined {
  const value = Object.hasOwn(attributes, key) ? attributes[key] : undefined;
  return typeof value === "string" ? value : undefined;
}

function number(attributes: ReceivedAttributes, key: string): number | undefined {
  const value = Object.hasOwn(attributes, key) ? attributes[key] : undefined;
  return typeof value === "number" ? value : undefined;
}

type Given<T> = { readonly [Key in keyof T]?: Exclude<T[Key], undefined> };

// Without what is undefined: absent properties stay absent.
function given<T extends object>(values: T): Given<T> {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined),
  ) as Given<T>;
}
