import assert from "node:assert/strict";
import { collect } from "./collector.ts";
import { receiverProcess } from "./receive_process.ts";

const METRICS = {
  resourceMetrics: [{
    resource: { attributes: [] },
    scopeMetrics: [{
      scope: { name: "shop" },
      metrics: [{
        name: "orders",
        sum: {
          aggregationTemporality: 2,
          isMonotonic: true,
          dataPoints: [{ startTimeUnixNano: "1", timeUnixNano: "2", asInt: "7" }],
        },
      }],
    }],
  }],
};
const LOGS = {
  resourceLogs: [{
    resource: { attributes: [] },
    scopeLogs: [{
      scope: { name: "shop" },
      logRecords: [{ timeUnixNano: "1", body: { stringValue: "sold" } }],
    }],
  }],
};

async function send(url: string, message: object, headers = {}): Promise<void> {
  const answer = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(message),
  });
  assert.equal(answer.status, 200, await answer.text());
}

Deno.test("received metrics and logs go on to where the engine's own go, as they came (T2)", async () => {
  await using collector = collect();
  await using receiver = await receiverProcess([], {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
  });
  await send(`${receiver.url}/v1/metrics`, METRICS);
  await send(`${receiver.url}/v1/logs`, LOGS);
  await receiver.stop();
  assert.ok(collector.metrics.has("orders"));
  assert.ok(collector.logs.some(({ body }) => body === "sold"));
});

Deno.test("what was forwarded once is not forwarded again: a receiver that sends to itself ends", async () => {
  await using collector = collect();
  await using receiver = await receiverProcess([], {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
  });
  await send(`${receiver.url}/v1/logs`, LOGS);
  await receiver.stop();
  const forwarded = collector.requests.find(({ body }) =>
    new TextDecoder().decode(body).includes("sold")
  )!;
  assert.equal(forwarded.headers.get("spanloop-forwarded"), "1");
  await using other = await receiverProcess([], {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
  });
  const before = collector.logs.length;
  await send(`${other.url}/v1/logs`, LOGS, { "spanloop-forwarded": "1" });
  await other.stop();
  assert.equal(collector.logs.slice(before).filter(({ body }) => body === "sold").length, 0);
});
