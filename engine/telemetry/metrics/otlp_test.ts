import assert from "node:assert/strict";
import { metricsRequest, metricsResponse } from "../../../tests/proto/definitions.ts";
import type { MetricsBatch } from "./batch.ts";
import { measure } from "./_fixture_test.ts";
import { metricsToJson } from "./otlp_json.ts";
import { encodeMetrics } from "./otlp_protobuf.ts";
import { metricsSerializer } from "./serializer.ts";

const START = 1_700_000_000_000_000_001n;
const TIME = 18_446_744_073_709_551_615n;

const BATCH: MetricsBatch = {
  resource: {
    "service.name": "spanloop ✓",
    "process.pid": 7,
    "ratio": 0.5,
    "far": -5,
    "on": true,
    "off": false,
    "list": ["a", ""],
    "numbers": [1, 2.5],
  },
  scope: { name: "spanloop", version: "1.2.3" },
  metrics: [
    {
      kind: "sum",
      name: "a.sum",
      description: "x".repeat(20_000),
      unit: "{item}",
      monotonic: true,
      temporality: "delta",
      integer: true,
      points: [
        { attributes: { k: "v" }, startTime: START, time: TIME, value: 9_007_199_254_740_991 },
        { attributes: {}, startTime: START, time: TIME, value: 0 },
      ],
    },
    {
      kind: "sum",
      name: "a.level",
      description: "",
      unit: "",
      monotonic: false,
      temporality: "cumulative",
      integer: true,
      points: [{ attributes: {}, startTime: START, time: TIME, value: -3 }],
    },
    {
      kind: "gauge",
      name: "a.gauge",
      description: "",
      unit: "1",
      monotonic: false,
      temporality: "cumulative",
      integer: false,
      points: [{ attributes: {}, startTime: START, time: TIME, value: 0.1 }],
    },
    {
      kind: "histogram",
      name: "a.histogram",
      description: "How long",
      unit: "s",
      temporality: "cumulative",
      points: [{
        attributes: { "cicd.pipeline.name": "orders" },
        startTime: START,
        time: TIME,
        count: 300,
        sum: 12.25,
        min: 0.001,
        max: 1e9,
        bounds: [0.005, 10],
        counts: [100, 0, 200],
        exemplars: [{
          traceId: "0af7651916cd43dd8448eb211c80319c",
          spanId: "b7ad6b7169203331",
          time: START,
          value: 1e9,
        }],
      }, {
        attributes: {},
        startTime: START,
        time: TIME,
        count: 1,
        sum: 1,
        bounds: [],
        counts: [1],
        exemplars: [],
      }],
    },
  ],
};

// What the official definitions read, in the form of OTLP's JSON: bytes as hexadecimal, no empty lists.
function decoded(bytes: Uint8Array): unknown {
  return plain(metricsRequest.decode(bytes));
}

function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return new Uint8Array(value).toHex();
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [key, plain(one)])
      .filter(([, one]) => !(Array.isArray(one) && one.length === 0)),
  );
}

Deno.test("the official definitions read from our protobuf what our JSON says", () => {
  assert.deepEqual(decoded(encodeMetrics([BATCH, BATCH])), plain(metricsToJson([BATCH, BATCH])));
});

Deno.test("OTLP's JSON has 64-bit integers as text, ids in hexadecimal and enums as numbers", () => {
  const text = JSON.stringify(metricsToJson([BATCH]));
  for (
    const part of [
      '"timeUnixNano":"18446744073709551615"',
      '"asInt":"9007199254740991"',
      '"bucketCounts":["100","0","200"]',
      '"explicitBounds":[0.005,10]',
      '"traceId":"0af7651916cd43dd8448eb211c80319c"',
      '"aggregationTemporality":1,"isMonotonic":true',
      '{"key":"process.pid","value":{"intValue":"7"}}',
      '{"key":"list","value":{"arrayValue":{"values":[{"stringValue":"a"},{"stringValue":""}]}}}',
    ]
  ) assert.ok(text.includes(part), part);
});

Deno.test("what the SDK measured is read from both encodings alike, exemplars too", async () => {
  const { span, collect, batches, shutdown } = measure({ temporality: "delta" });
  for (let number = 1; number <= 50; number++) {
    span({ number, stepId: `s${number % 7}` }, number / 10, {
      outcome: number % 5 === 0 ? "failed" : "succeeded",
      ...(number % 5 === 0 ? { code: "shell.exit" } : {}),
    });
  }
  await collect();
  const read = decoded(metricsSerializer("http/protobuf").serializeRequest(batches)!);
  const json = new TextDecoder().decode(metricsSerializer("http/json").serializeRequest(batches));
  assert.deepEqual(read, plain(JSON.parse(json)));
  assert.ok(json.includes(`"traceId":"${"32".padStart(32, "a")}"`), "the fiftieth span's");
  await shutdown(1_000);
});

Deno.test("a partial success is read from both encodings", () => {
  const answer = { partialSuccess: { rejectedDataPoints: "3", errorMessage: "too old" } };
  const all = { rejected: 3, message: "too old" };
  const json = new TextEncoder().encode(JSON.stringify(answer));
  assert.deepEqual(metricsSerializer("http/json").rejected(json), all);
  const { rejected } = metricsSerializer("grpc");
  assert.deepEqual(rejected(metricsResponse.encode(answer)), all);
  assert.deepEqual(rejected(new Uint8Array()), { rejected: 0, message: undefined });
});

Deno.test("in JSON there is no half of a pair of surrogates", () => {
  const [metric] = BATCH.metrics;
  const batch = { ...BATCH, resource: { k: "\ud800" }, metrics: [metric] };
  const json = new TextDecoder().decode(metricsSerializer("http/json").serializeRequest([batch]));
  assert.equal(
    JSON.parse(json).resourceMetrics[0].resource.attributes[0].value.stringValue,
    "\ufffd",
  );
});
