import assert from "node:assert/strict";
import { traceFromEnvironment } from "./trace_parent.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";

Deno.test("a caller's trace, state and baggage are read from the environment", () => {
  assert.deepEqual(
    traceFromEnvironment({
      TRACEPARENT: ` 00-${TRACE}-${SPAN}-01\n`,
      TRACESTATE: "a=b",
      BAGGAGE: "user=ann",
    }),
    { traceId: TRACE, parentSpanId: SPAN, traceState: "a=b", baggage: "user=ann" },
  );
  const { traceId } = traceFromEnvironment({ TRACEPARENT: `cc-${TRACE}-${SPAN}-00-more` });
  assert.equal(traceId, TRACE, "a later version may say more");
});

Deno.test("a TRACEPARENT that does not hold is ignored, its state too; baggage stands by itself", () => {
  const malformed = [
    "",
    "x",
    `ff-${TRACE}-${SPAN}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${"0".repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${"0".repeat(16)}-01`,
    `00-${TRACE.slice(1)}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE}-${SPAN}-01x`,
  ];
  for (const TRACEPARENT of malformed) {
    const read = traceFromEnvironment({ TRACEPARENT, TRACESTATE: "a=b", BAGGAGE: "c=d" });
    assert.deepEqual({ ...read }, { baggage: "c=d" }, TRACEPARENT);
  }
  assert.deepEqual({ ...traceFromEnvironment({}) }, { baggage: undefined });
});

Deno.test("version 00 has exactly four fields (W3C Trace Context)", () => {
  assert.equal(
    traceFromEnvironment({ TRACEPARENT: `00-${TRACE}-${SPAN}-01-more` }).traceId,
    undefined,
  );
});
