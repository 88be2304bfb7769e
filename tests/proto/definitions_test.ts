import assert from "node:assert/strict";
import { logsRequest, metricsRequest, traceRequest } from "./definitions.ts";

Deno.test("the official definitions give back 64-bit values and bytes exactly", () => {
  const traces = {
    resourceSpans: [{
      scopeSpans: [{
        spans: [{
          traceId: new Uint8Array(16).fill(7),
          spanId: new Uint8Array(8).fill(9),
          name: "a",
          startTimeUnixNano: "18446744073709551615",
          attributes: [{ key: "k", value: { intValue: "-9223372036854775808" } }],
        }],
      }],
    }],
  };
  assert.deepEqual(plain(traceRequest.decode(traceRequest.encode(traces))), plain(traces));
  const metrics = {
    resourceMetrics: [{
      scopeMetrics: [{
        metrics: [{ name: "m", gauge: { dataPoints: [{ asInt: "9223372036854775807" }] } }],
      }],
    }],
  };
  assert.deepEqual(plain(metricsRequest.decode(metricsRequest.encode(metrics))), plain(metrics));
  const logs = { resourceLogs: [{ scopeLogs: [{ logRecords: [{ eventName: "e" }] }] }] };
  assert.deepEqual(plain(logsRequest.decode(logsRequest.encode(logs))), plain(logs));
});

function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(
      value,
      (_, one) =>
        one instanceof Uint8Array || one?.type === "Buffer" ? [...(one.data ?? one)] : one,
    ),
  );
}
