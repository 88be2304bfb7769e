import assert from "node:assert/strict";
import type { ReadableSpan } from "@opentelemetry/sdk-trace-base";
import { emitted, T0 } from "../../tests/contract/store_entries.ts";
import type { SpanStart } from "../core/span.ts";
import { type SpanProcessor, Tracing } from "./provider.ts";

const SPAN: SpanStart = {
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId: "b7ad6b7169203331",
  parentSpanId: "00f067aa0ba902b7",
  traceState: "a=b",
  name: "load",
  kind: "client",
  startTime: 1_700_000_000_123_456_789n,
  attributes: { text: "x", list: [1, 2] },
  links: [{
    traceId: "1af7651916cd43dd8448eb211c80319c",
    spanId: "c7ad6b7169203331",
    attributes: { why: "retry" },
  }],
};

function processor(more: Partial<SpanProcessor>): SpanProcessor {
  return {
    onStart: () => {},
    onEnd: () => {},
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
    ...more,
  };
}

Deno.test("an SDK span has the journal's ids, parent, links and times to the nanosecond (T1)", () => {
  const ended: ReadableSpan[] = [];
  const tracing = new Tracing([
    processor({ onEnd: (span) => void ended.push(span as ReadableSpan) }),
  ]);
  tracing.end(tracing.start(SPAN), {
    endTime: SPAN.startTime + 1_000_000_001n,
    error: true,
    message: "broke",
    attributes: { more: true },
  });
  const [span] = ended;
  assert.equal(span.spanContext().traceId, SPAN.traceId);
  assert.equal(span.spanContext().spanId, SPAN.spanId);
  assert.equal(span.parentSpanContext?.spanId, SPAN.parentSpanId);
  assert.equal(span.parentSpanContext?.traceState?.serialize(), "a=b");
  assert.deepEqual(span.startTime, [1_700_000_000, 123_456_789]);
  assert.deepEqual(span.endTime, [1_700_000_001, 123_456_790]);
  assert.deepEqual(span.attributes, { text: "x", list: [1, 2], more: true });
  assert.deepEqual(span.status, { code: 2, message: "broke" });
  assert.equal(span.kind, 2);
  assert.equal(span.links[0].context.spanId, "c7ad6b7169203331");
});

Deno.test("nothing is sampled away or cut before the processors (T1)", () => {
  const ended: ReadableSpan[] = [];
  const tracing = new Tracing([
    processor({ onEnd: (span) => void ended.push(span as ReadableSpan) }),
  ]);
  const attributes = Object.fromEntries(
    Array.from({ length: 1_000 }, (_, i) => [`key${i}`, "v".repeat(5_000)]),
  );
  tracing.end(tracing.start({ ...SPAN, attributes }), {
    endTime: SPAN.startTime,
    error: false,
    attributes: {},
  });
  assert.deepEqual(ended[0].attributes, attributes);
});

Deno.test("a processor that throws disturbs neither the run nor the other processors (J5)", async () => {
  const seen: string[] = [];
  const broken = () => {
    throw new Error("a broken exporter");
  };
  const tracing = new Tracing([
    processor({
      onStart: broken,
      onEnd: broken,
      shutdown: () => Promise.reject(new Error("late")),
    }),
    processor({ onStart: () => void seen.push("start"), onEnd: () => void seen.push("end") }),
  ]);
  tracing.end(tracing.start(SPAN), { endTime: SPAN.startTime, error: false, attributes: {} });
  assert.deepEqual(seen, ["start", "end"]);
  await tracing.shutdown();
});

Deno.test("what a plugin emits becomes an SDK span of no length, with its ids", () => {
  const told: string[] = [];
  const ended: ReadableSpan[] = [];
  const tracing = new Tracing([
    processor({
      onStart: () => void told.push("start"),
      onEnd: (span) => {
        told.push("end");
        ended.push(span as ReadableSpan);
      },
    }),
  ]);
  const span = emitted(1, { time: T0 });
  tracing.hear({ event: "emitted", record: { type: "emitted", position: 1, span } });
  assert.deepEqual(told, ["start", "end"]);
  const [made] = ended;
  assert.equal(made.spanContext().spanId, span.spanId);
  assert.equal(made.parentSpanContext?.spanId, span.parentSpanId);
  assert.deepEqual(made.startTime, made.endTime);
  assert.deepEqual(made.attributes, span.attributes);
  assert.equal(made.links[0].context.spanId, span.links[0].spanId);
});
