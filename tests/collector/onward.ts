// What a real OpenTelemetry Collector makes of the receiver's answers when it sends on to it.
import assert from "node:assert/strict";
import { BUSY } from "../../engine/telemetry/otlp/body.ts";
import { refused } from "../../engine/telemetry/otlp/response.ts";
import { collectorPath } from "./path.ts";
import { ownReceiver } from "./receiver.ts";
import { startCollector } from "./running.ts";
import { SpanBatches } from "./span_batches.ts";

function post(endpoint: string, body: BodyInit, type: string): Promise<Response> {
  return fetch(`${endpoint}/v1/traces`, {
    method: "POST",
    headers: { "content-type": type },
    body,
  });
}

Deno.test("the collector comes again when the receiver was busy: nothing is lost or doubled", async () => {
  await using receiver = await ownReceiver();
  const statuses: number[] = [];
  const taken = Promise.withResolvers<void>();
  const options = { port: 0, hostname: "127.0.0.1", onListen() {} };
  await using busy = Deno.serve(options, async (request) => {
    // First the receiver's own answer for when it has too much to do; then it is asked.
    const response = statuses.length === 0
      ? refused(BUSY, "protobuf")
      : await fetch(`${receiver.endpoint}/v1/traces`, {
        method: "POST",
        headers: request.headers,
        body: await request.bytes(),
      });
    statuses.push(response.status);
    if (response.ok) taken.resolve();
    return response;
  });
  await using collector = await startCollector(collectorPath(), {
    endpoint: `http://127.0.0.1:${busy.addr.port}`,
    compression: "none",
  });
  const batches = new SpanBatches("protobuf", 100);
  const answer = await post(collector.http, batches.next(), "application/x-protobuf");
  assert.equal(answer.status, 200, await answer.text());
  await taken.promise;
  assert.deepEqual(await collector.stop(), []);
  assert.deepEqual(statuses, [429, 200]);
  const { spans } = await receiver.messages();
  assert.equal(spans.length, 100);
  assert.equal(new Set(spans.map(({ spanId }) => spanId)).size, 100);
});

for (const encoding of ["proto", "json"] as const) {
  Deno.test(`the collector understands what the receiver did not take: ${encoding}`, async () => {
    await using receiver = await ownReceiver();
    await using collector = await startCollector(collectorPath(), {
      endpoint: receiver.endpoint,
      encoding,
    });
    const span = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" };
    const body = {
      resourceSpans: [{
        scopeSpans: [{ spans: [span, { ...span, traceId: "" }, { ...span, spanId: "" }] }],
      }],
    };
    const answer = await post(collector.http, JSON.stringify(body), "application/json");
    assert.equal(answer.status, 200, await answer.text());
    const [warning, ...more] = await collector.stop();
    assert.deepEqual(more, []);
    assert.match(warning, /Partial success response.*"message": "Not every span was taken: /);
    assert.match(warning, /"dropped_spans": 2\b/);
    const { spans } = await receiver.messages();
    assert.deepEqual(spans.map(({ traceId, spanId }) => ({ traceId, spanId })), [span]);
  });
}
