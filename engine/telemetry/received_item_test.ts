import assert from "node:assert/strict";
import type { ReceivedLog, ReceivedMetric } from "./otlp/model.ts";
import { logItem, metricItem, valueText } from "./received_item.ts";

const NOW = 1_790_000_000_000_000_001n;
const from = { resource: { "service.name": "shop" }, scope: { name: "" } };

Deno.test("a metric is its name, its unit and its first points", () => {
  const metric = (change: Partial<ReceivedMetric>): ReceivedMetric => ({
    metadata: {},
    ...from,
    ...change,
  });
  const point = (value: object) => ({ attributes: {}, ...value });
  const text = (change: Partial<ReceivedMetric>) => {
    const item = metricItem(metric(change), NOW);
    assert.ok(item.signal === "metrics");
    assert.equal(item.time, NOW);
    assert.equal(item.service, "shop");
    return item.text;
  };
  const sum = { dataPoints: [point({ asInt: 2n ** 60n }), point({ asDouble: 0.5 })] };
  assert.equal(
    text({ name: "orders", unit: "{order}", sum }),
    "orders {order}: 1152921504606846976, 0.5",
  );
  const histogram = { dataPoints: [point({ count: 3, sum: 1.5 }), point({})] };
  assert.equal(
    text({ name: "latency", unit: "s", histogram }),
    "latency s: 3 values, sum 1.5, 0 values",
  );
  const gauge = { dataPoints: Array.from({ length: 6 }, (_, asInt) => point({ asInt })) };
  assert.equal(text({ name: "g", gauge }), "g: 0, 1, 2, 3, and 2 more");
  assert.equal(text({}), ": no points");
});

Deno.test("a log record is its severity, its event and its body, at its own time if it has one", () => {
  const item = (change: Partial<ReceivedLog>) => {
    const made = logItem({ attributes: {}, ...from, ...change }, NOW);
    assert.ok(made.signal === "logs");
    return made;
  };
  assert.equal(item({ severityText: "Notice", severityNumber: 10, body: "hi" }).text, "Notice hi");
  assert.equal(item({ severityNumber: 17, body: "no" }).text, "ERROR no");
  assert.equal(item({ severityNumber: 24, eventName: "order.lost" }).text, "FATAL order.lost");
  assert.equal(item({ body: 0 }).text, "0");
  assert.equal(item({}).time, NOW);
  assert.equal(item({ observedTime: 5n }).time, 5n);
  assert.equal(item({ time: 4n, observedTime: 5n }).time, 4n);
});

Deno.test("a value that is no text is shown as OTLP's JSON", () => {
  assert.equal(valueText("a"), "a");
  assert.equal(valueText(null), "");
  assert.equal(valueText(2n ** 60n), "1152921504606846976");
  assert.equal(valueText(["a"]), '{"arrayValue":{"values":[{"stringValue":"a"}]}}');
  assert.equal(valueText(new Uint8Array([1])), '{"bytesValue":"AQ=="}');
});
