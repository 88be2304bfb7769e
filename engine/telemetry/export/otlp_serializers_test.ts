import assert from "node:assert/strict";
import type { ReadableSpan } from "@opentelemetry/sdk-trace-base";
import { Tracing } from "../provider.ts";
import { spanSerializer, wellFormed } from "./otlp_serializers.ts";

Deno.test("in JSON a whole number past 64 bits is a double; others, and text that looks so, stay", () => {
  const attributes = {
    huge: 1e300,
    past: 2 ** 63,
    least: -(2 ** 63),
    large: 2 ** 62,
    small: -7,
    text: '"intValue":1e300}',
  };
  const spans: ReadableSpan[] = [];
  const tracing = new Tracing([{
    onStart: () => {},
    onEnd: (span) => void spans.push(span as ReadableSpan),
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
  }]);
  const ids = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" };
  const start = { ...ids, name: "n", kind: "internal", startTime: 1n, attributes } as const;
  tracing.end(tracing.start(start), { endTime: 2n, error: false, attributes: {} });
  const json = new TextDecoder().decode(spanSerializer("http/json").serializeRequest(spans));
  const [span] = JSON.parse(json).resourceSpans[0].scopeSpans[0].spans;
  assert.deepEqual(
    Object.fromEntries(span.attributes.map(({ key, value }: never) => [key, value])),
    {
      huge: { doubleValue: 1e300 },
      past: { doubleValue: 2 ** 63 },
      least: { doubleValue: -(2 ** 63) },
      large: { intValue: 2 ** 62 },
      small: { intValue: -7 },
      text: { stringValue: '"intValue":1e300}' },
    },
  );
});

Deno.test("in JSON the half of a pair of surrogates becomes the replacement character", () => {
  const values = {
    alone: "a\ud800b",
    low: "\udc00",
    whole: "\u{1f600}",
    text: "\\ud800 \\\ud800",
    ["key \udfff"]: ['"\ud83d"'],
  };
  assert.deepEqual(JSON.parse(wellFormed(JSON.stringify(values))), {
    alone: "a\ufffdb",
    low: "\ufffd",
    whole: "\u{1f600}",
    text: "\\ud800 \\\ufffd",
    ["key \ufffd"]: ['"\ufffd"'],
  });
  const spans: ReadableSpan[] = [];
  const tracing = new Tracing([{
    onStart: () => {},
    onEnd: (span) => void spans.push(span as ReadableSpan),
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
    // Cutting to the limit makes halves, too.
  }], { limits: { attributeValueLengthLimit: 3 } });
  const ids = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" };
  const attributes = { cut: "ab\u{1f600}" };
  const start = { ...ids, name: "n\ud800", kind: "internal", startTime: 1n, attributes } as const;
  tracing.end(tracing.start(start), { endTime: 2n, error: false, attributes: {} });
  const json = new TextDecoder().decode(spanSerializer("http/json").serializeRequest(spans));
  const [span] = JSON.parse(json).resourceSpans[0].scopeSpans[0].spans;
  assert.equal(span.name, "n\ufffd");
  assert.equal(span.attributes[0].value.stringValue, "ab\ufffd");
});
