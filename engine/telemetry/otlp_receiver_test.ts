import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { traceRequest, traceResponse } from "../../tests/proto/definitions.ts";
import { StoreError } from "../core/errors.ts";
import type { BusEvent, ReceivedSpan } from "../core/span.ts";
import type { Store } from "../core/store.ts";
import { openStore } from "../store/open.ts";
import { systemClock } from "../system.ts";
import { Bus } from "./bus.ts";
import type { Forwarded } from "./forwarded.ts";
import { OtlpReceiver, type ReceiverPorts } from "./otlp_receiver.ts";

const PROTOBUF = "application/x-protobuf";
const JSON_TYPE = "application/json";

interface Scene {
  readonly receiver: OtlpReceiver;
  readonly store: Store;
  readonly events: BusEvent[];
  readonly logged: string[];
}

async function scene(
  body: (scene: Scene) => Promise<void>,
  more: Partial<ReceiverPorts> = {},
): Promise<void> {
  const store = await openStore("memory:", { durability: "normal" });
  const bus = new Bus((thrown) => assert.fail(String(thrown)));
  const events: BusEvent[] = [];
  const logged: string[] = [];
  bus.subscribe((event) => events.push(event));
  const log = {
    enabled: () => true,
    log: (record: { body: string }) => void logged.push(record.body),
  };
  const receiver = new OtlpReceiver({ store, bus, clock: systemClock(), log, ...more });
  await body({ receiver, store, events, logged });
  await store.close();
}

function span(change: object = {}): object {
  return {
    traceId: new Uint8Array(16).fill(1),
    spanId: new Uint8Array(8).fill(2),
    name: "GET /",
    startTimeUnixNano: "1700000000123456789",
    endTimeUnixNano: "1700000000123456790",
    ...change,
  };
}

function traces(...spans: object[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(traceRequest.encode({ resourceSpans: [{ scopeSpans: [{ spans }] }] }));
}

function post(
  body: BodyInit | null,
  { path = "/v1/traces", type = PROTOBUF, ...headers }: Record<string, string> = {},
): Request {
  return new Request(`http://localhost:4318${path}`, {
    method: "POST",
    body,
    headers: { "content-type": type, ...headers },
  });
}

Deno.test("a span is stored, then told of on the bus, then its sender hears (J1, J4, T2)", async () => {
  await scene(async ({ receiver, store, events }) => {
    const response = await receiver.handle(post(traces(span())));
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("content-type"), PROTOBUF);
    // Full success leaves partial_success unset.
    assert.deepEqual(traceResponse.decode(await response.bytes()), {});
    const [record] = await store.since(0, 10);
    assert.equal(record.type, "received");
    const { span: stored, position } = record as { span: ReceivedSpan; position: number };
    assert.equal(stored.startTime, 1700000000123456789n);
    assert.deepEqual(events, [{ event: "received", span: stored, position }]);
  });
});

Deno.test("a span that comes again is dropped, counted, and answered with success", async () => {
  await scene(async ({ receiver, store, events }) => {
    for (let i = 0; i < 3; i++) {
      assert.equal((await receiver.handle(post(traces(span())))).status, 200);
    }
    assert.equal((await store.since(0, 10)).length, 1);
    assert.equal(events.length, 1);
    const { requests, spans, repeatedSpans } = receiver.counts();
    assert.deepEqual({ requests, spans, repeatedSpans }, {
      requests: 3,
      spans: 1,
      repeatedSpans: 2,
    });
  });
});

Deno.test("more spans than one transaction takes arrive in order", async () => {
  await scene(async ({ receiver, store }) => {
    const spans = Array.from({ length: 4_500 }, (_, i) => span({ spanId: idOf(i), name: `${i}` }));
    assert.equal((await receiver.handle(post(traces(...spans)))).status, 200);
    const names = (await store.since(0, 5_000)).map((record) =>
      record.type === "received" ? record.span.name : ""
    );
    assert.deepEqual(names, Array.from({ length: 4_500 }, (_, i) => `${i}`));
  });
});

Deno.test("spans without valid ids are a partial success, said in the request's encoding", async () => {
  await scene(async ({ receiver }) => {
    const bytes = traces(span(), span({ traceId: new Uint8Array(16) }), span({ spanId: idOf(5) }));
    const response = await receiver.handle(post(bytes));
    assert.equal(response.status, 200);
    const { partialSuccess } = traceResponse.decode(await response.bytes()) as {
      partialSuccess: { rejectedSpans: string; errorMessage: string };
    };
    assert.equal(partialSuccess.rejectedSpans, "1");
    assert.match(partialSuccess.errorMessage, /trace id is not 16 bytes, or all zero/);

    const json = await receiver.handle(post(
      `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"00"}]}]}]}`,
      { type: "application/json; charset=utf-8" },
    ));
    assert.equal(json.status, 200);
    assert.equal(json.headers.get("content-type"), JSON_TYPE);
    const answer = await json.json();
    assert.equal(answer.partialSuccess.rejectedSpans, "1");
    const { spans, rejectedSpans } = receiver.counts();
    assert.deepEqual({ spans, rejectedSpans }, { spans: 2, rejectedSpans: 2 });
  });
});

Deno.test("bad data is a 400 with a Status in the request's encoding, and nothing of it is taken", async () => {
  await scene(async ({ receiver, store }) => {
    const whole = traces(span());
    const cut = await receiver.handle(post(whole.subarray(0, whole.length - 3)));
    assert.equal(cut.status, 400);
    assert.equal(cut.headers.get("content-type"), PROTOBUF);
    assert.match(
      statusMessage(await cut.bytes()),
      /reaches past the end of its message \(at byte 1\)/,
    );
    const json = await receiver.handle(post("{", { type: JSON_TYPE }));
    assert.equal(json.status, 400);
    const status = await json.json();
    assert.equal(status.code, 3);
    assert.match(status.message, /not JSON/);
    const gzip = await receiver.handle(post(whole, { "content-encoding": "gzip" }));
    assert.equal(gzip.status, 400);
    const cutGzip = gzipSync(whole).subarray(0, -9);
    const damaged = await receiver.handle(
      post(new Uint8Array(cutGzip), { "content-encoding": "gzip" }),
    );
    assert.equal(damaged.status, 400);
    assert.deepEqual(await store.since(0, 10), []);
    assert.deepEqual(receiver.counts().refused, { 400: 4 });
  });
});

Deno.test("gzip and identity are understood, anything else is a 415", async () => {
  await scene(async ({ receiver }) => {
    const gzip = new Uint8Array(gzipSync(traces(span())));
    const status = async (body: BodyInit, headers: Record<string, string>) =>
      (await receiver.handle(post(body, headers))).status;
    assert.equal(await status(gzip, { "content-encoding": "gzip" }), 200);
    assert.equal(await status(gzip, { "content-encoding": "GZIP" }), 200);
    assert.equal(await status(traces(), { "content-encoding": "identity" }), 200);
    for (const encoding of ["br", "deflate", "gzip, gzip"]) {
      assert.equal(await status(gzip, { "content-encoding": encoding }), 415);
    }
    for (const type of ["text/plain", "", "application/x-protobuf2"]) {
      assert.equal(await status(traces(), { type }), 415);
    }
  });
});

Deno.test("an empty request is a success, for every signal and encoding", async () => {
  await scene(async ({ receiver }) => {
    for (const path of ["/v1/traces", "/v1/metrics", "/v1/logs"]) {
      const protobuf = await receiver.handle(post(null, { path }));
      assert.equal(protobuf.status, 200);
      assert.equal((await protobuf.bytes()).length, 0);
      const json = await receiver.handle(post("{}", { path, type: JSON_TYPE }));
      assert.deepEqual(await json.json(), {});
    }
  });
});

Deno.test("a request over the cap is a 413: as sent, as announced, and as decompressed", async () => {
  await scene(async ({ receiver, store }) => {
    const status = async (body: BodyInit, headers: Record<string, string> = {}) =>
      (await receiver.handle(post(body, headers))).status;
    const fits = traces(span({ name: "x".repeat(900) }));
    assert.ok(fits.length <= 1_024);
    assert.equal(await status(fits), 200);
    assert.equal(await status(new Uint8Array(1_025)), 413);
    assert.equal(await status(fits, { "content-length": "1025" }), 413);
    const bomb = new Uint8Array(gzipSync(new Uint8Array(1_025)));
    assert.equal(await status(bomb, { "content-encoding": "gzip" }), 413);
    const dense = new Uint8Array(gzipSync(crypto.getRandomValues(new Uint8Array(2_000))));
    assert.equal(await status(dense, { "content-encoding": "gzip" }), 413);
    assert.equal((await store.since(0, 10)).length, 1);
  }, { limits: { maxBytes: 1_024 } });
});

Deno.test("a gzip bomb stops at the cap and not after it", async () => {
  await scene(async ({ receiver }) => {
    const block = new Uint8Array(gzipSync(new Uint8Array(2 ** 20)));
    let pulled = 0;
    // A gigabyte, as members of one gzip stream, if anybody read so far.
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull(controller) {
        if (++pulled > 1_024) controller.close();
        else controller.enqueue(block);
      },
    });
    const response = await receiver.handle(post(body, { "content-encoding": "gzip" }));
    assert.ok([400, 413].includes(response.status), `${response.status}`);
    assert.ok(pulled < 40, `${pulled} of 1,024 pieces were read`);
    // One member that is itself large.
    const bomb = new Uint8Array(gzipSync(new Uint8Array(64 * 2 ** 20)));
    assert.equal((await receiver.handle(post(bomb, { "content-encoding": "gzip" }))).status, 413);
  }, { limits: { maxBytes: 4 * 2 ** 20 } });
});

Deno.test("a sender that takes too long for its body is cut off with a 408", async () => {
  await scene(async ({ receiver }) => {
    let cancelled = false;
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start: (controller) => controller.enqueue(new Uint8Array([10])),
      cancel: () => void (cancelled = true),
    });
    const response = await receiver.handle(post(body));
    assert.equal(response.status, 408);
    assert.ok(cancelled);
    // What it held is free again.
    assert.equal((await receiver.handle(post(traces(span())))).status, 200);
  }, { limits: { bodyTimeoutMs: 20, maxRequests: 1, maxBytesInFlight: 1_000 } });
});

Deno.test("under pressure the answer is 429 with Retry-After, and later 200", async () => {
  await scene(async ({ receiver }) => {
    const held = holding();
    const first = receiver.handle(post(held.body));
    const busy = await receiver.handle(post(traces(span())));
    assert.equal(busy.status, 429);
    assert.equal(busy.headers.get("retry-after"), "1");
    held.end();
    assert.equal((await first).status, 200);
    assert.equal((await receiver.handle(post(traces(span())))).status, 200);
  }, { limits: { maxRequests: 1 } });

  await scene(async ({ receiver }) => {
    const held = holding(traces(span({ name: "x".repeat(600) })));
    const first = receiver.handle(post(held.body));
    await held.pulled;
    const large = traces(span({ name: "x".repeat(600) }));
    assert.equal((await receiver.handle(post(large))).status, 429);
    held.end();
    assert.equal((await first).status, 200);
    assert.equal((await receiver.handle(post(large))).status, 200);
  }, { limits: { maxBytesInFlight: 1_000 } });
});

Deno.test("other paths are a 404, other methods a 405, pages in browsers a 403", async () => {
  await scene(async ({ receiver }) => {
    for (const path of ["/", "/v1/profiles", "/v1/traces/", "/constructor"]) {
      assert.equal((await receiver.handle(post(traces(), { path }))).status, 404);
    }
    const get = await receiver.handle(new Request("http://localhost:4318/v1/traces"));
    assert.equal(get.status, 405);
    assert.equal(get.headers.get("allow"), "POST");
    // Deno's Request takes an Origin, as a browser's page would send it.
    const page = await receiver.handle(post(traces(), { origin: "http://localhost:4318" }));
    assert.equal(page.status, 403);
  });
});

Deno.test("with a token nothing is taken without it, and its body is not read", async () => {
  await scene(async ({ receiver, store }) => {
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull: () => assert.fail("the body was read"),
    }, { highWaterMark: 0 });
    for (const authorization of ["", "Bearer", "Bearer wrong", "Basic secret", "secret"]) {
      const response = await receiver.handle(post(body, authorization ? { authorization } : {}));
      assert.equal(response.status, 401);
      assert.equal(response.headers.get("www-authenticate"), "Bearer");
    }
    assert.deepEqual(await store.since(0, 10), []);
    for (const authorization of ["Bearer secret", "bearer secret"]) {
      assert.equal((await receiver.handle(post(traces(span()), { authorization }))).status, 200);
    }
  }, { token: "secret" });
});

Deno.test("metrics and logs are decoded, counted, handed on and not stored (T2)", async () => {
  const forwarded: Forwarded[] = [];
  await scene(async ({ receiver, store, events }) => {
    const metrics = `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[
      {"name":"a","gauge":{"dataPoints":[{"asInt":"1"},{"asInt":"2"}]}}]}]}]}`;
    const logs =
      `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"hi"}}]}]}]}`;
    for (const [path, body] of [["/v1/metrics", metrics], ["/v1/logs", logs]]) {
      assert.equal((await receiver.handle(post(body, { path, type: JSON_TYPE }))).status, 200);
      assert.equal((await receiver.handle(post("[]", { path, type: JSON_TYPE }))).status, 400);
    }
    assert.deepEqual(forwarded.map(({ signal }) => signal), ["metrics", "logs"]);
    assert.equal(new TextDecoder().decode(forwarded[1].bytes), logs);
    const { points, logs: records } = receiver.counts();
    assert.deepEqual({ points, records }, { points: 2, records: 1 });
    assert.deepEqual(await store.since(0, 10), []);
    assert.deepEqual(events, []);
  }, { forward: (request) => void forwarded.push(request) });
});

Deno.test("where metrics go may fail: that is logged, and the sender does not notice", async () => {
  await scene(async ({ receiver, logged }) => {
    const response = await receiver.handle(post("{}", { path: "/v1/logs", type: JSON_TYPE }));
    assert.equal(response.status, 200);
    assert.deepEqual(logged, ["received logs could not be forwarded: no"]);
  }, { forward: () => Promise.reject(new TypeError("no")) });
});

Deno.test("a store that fails is a 503 for the sender, and is logged", async () => {
  const store = {
    receive: () => Promise.reject(new StoreError("store.full", "the disk is full")),
  };
  await scene(async ({ receiver, logged, events }) => {
    const response = await receiver.handle(post(traces(span())));
    assert.equal(response.status, 503);
    assert.equal(response.headers.get("retry-after"), "10");
    assert.deepEqual(events, []);
    assert.deepEqual(logged, ["a received request could not be taken: the disk is full"]);
    // Those after it have their turn.
    assert.equal((await receiver.handle(post(traces()))).status, 200);
  }, { store });
});

function idOf(number: number): Uint8Array {
  const id = new Uint8Array(8);
  new DataView(id.buffer).setUint32(4, number + 1);
  return id;
}

// A body that has begun, perhaps with some bytes, and ends when it is told to.
function holding(bytes?: Uint8Array<ArrayBuffer>) {
  let end!: () => void;
  let wasPulled!: () => void;
  const pulled = new Promise<void>((resolve) => wasPulled = resolve);
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      if (bytes !== undefined) controller.enqueue(bytes);
      end = () => controller.close();
    },
    // Called once the bytes were read and more are wanted.
    pull: () => wasPulled(),
  }, { highWaterMark: 1 });
  return { body, pulled, end };
}

// The message of a google.rpc.Status: field 2.
function statusMessage(bytes: Uint8Array): string {
  assert.deepEqual([...bytes.subarray(0, 3)], [0x08, 3, 0x12]);
  assert.equal(bytes[3], bytes.length - 4);
  return new TextDecoder().decode(bytes.subarray(4));
}
