import assert from "node:assert/strict";
import v8 from "node:v8";
import vm from "node:vm";
import { seeded } from "../../core/seeded_test.ts";
import {
  type Definition,
  logsRequest,
  metricsRequest,
  traceRequest,
} from "../../../tests/proto/definitions.ts";
import { jsonMapping, RandomRequests } from "./_random_test.ts";
import { decodeLogs, decodeMetrics, decodeTraces, type Encoding, pointsOf } from "./decode.ts";
import { DecodeError } from "./decode_error.ts";
import { requestJson, valueJson } from "./span_json.ts";
import type { ReceivedAttributes, ReceivedSpan } from "../../core/span.ts";

const utf8 = new TextEncoder();
const ROUNDS = 300;

Deno.test("spans decode as the official definitions say, alike from protobuf and JSON", () => {
  const random = seeded("traces");
  const requests = new RandomRequests(random);
  for (let round = 0; round < ROUNDS; round++) {
    const { bytes, official, json } = encoded(traceRequest, requests.traces());
    const message = `seed ${random.seed}, round ${round}`;
    const { spans, rejected } = decodeTraces(bytes, "protobuf");
    assert.equal(rejected, 0, message);
    assert.deepEqual(decodeTraces(json, "json"), { spans, rejected }, message);
    const ours = spans.map((span) => requestJson(span) as unknown);
    assert.deepEqual(plain(ours), plain(single(official, "Spans", "spans")), message);
  }
});

Deno.test("metrics decode as the official definitions say, alike from protobuf and JSON", () => {
  const random = seeded("metrics");
  const requests = new RandomRequests(random);
  for (let round = 0; round < ROUNDS; round++) {
    const { bytes, official, json } = encoded(metricsRequest, requests.metrics());
    const message = `seed ${random.seed}, round ${round}`;
    const metrics = decodeMetrics(bytes, "protobuf");
    assert.deepEqual(decodeMetrics(json, "json"), metrics, message);
    const ours = metrics.map((metric) => framed("Metrics", "metrics", metric));
    assert.deepEqual(plain(ours), plain(single(official, "Metrics", "metrics")), message);
  }
});

Deno.test("log records decode as the official definitions say, alike from protobuf and JSON", () => {
  const random = seeded("logs");
  const requests = new RandomRequests(random);
  for (let round = 0; round < ROUNDS; round++) {
    const { bytes, official, json } = encoded(logsRequest, requests.logs());
    const message = `seed ${random.seed}, round ${round}`;
    const logs = decodeLogs(bytes, "protobuf");
    assert.deepEqual(decodeLogs(json, "json"), logs, message);
    const ours = logs.map((log) => framed("Logs", "logRecords", log));
    assert.deepEqual(plain(ours), plain(single(official, "Logs", "logRecords")), message);
  }
});

Deno.test("10,000 damaged requests are decoded or refused, and hold on to no memory", () => {
  const random = seeded("fuzz");
  const requests = new RandomRequests(random);
  const decoders = { traces: decodeTraces, metrics: decodeMetrics, logs: decodeLogs };
  const corpus = (["traces", "metrics", "logs"] as const).flatMap((signal) => {
    const type = { traces: traceRequest, metrics: metricsRequest, logs: logsRequest }[signal];
    return Array.from({ length: 20 }, () => {
      const { bytes, json } = encoded(type, requests[signal]());
      return [{ signal, encoding: "protobuf", bytes }, { signal, encoding: "json", bytes: json }];
    }).flat() as { signal: keyof typeof decoders; encoding: Encoding; bytes: Uint8Array }[];
  });
  let refused = 0;
  let before = 0;
  for (let round = 0; round < 10_000; round++) {
    // By then the code is compiled and the heap has the size that it works in.
    if (round === 2_000) before = heapBytes();
    const { signal, encoding, bytes } = random.pick(corpus);
    const damaged = damage(bytes, random.pick(corpus).bytes, random);
    try {
      decoders[signal](damaged, encoding);
    } catch (thrown) {
      const what = `${encoding} ${signal}, seed ${random.seed}, round ${round}: ${thrown}`;
      assert.ok(thrown instanceof DecodeError, what);
      refused++;
    }
  }
  assert.ok(refused > 1_000 && refused < 10_000, `${refused} were refused`);
  assert.ok(heapBytes() - before < 16 * 2 ** 20, `${heapBytes() - before} bytes more`);
});

Deno.test("a length past the end, a cut value and a bad number are refused with their place", () => {
  const refused = (hex: string, offset: number, what: RegExp) =>
    assert.throws(() => decodeTraces(Uint8Array.fromHex(hex), "protobuf"), (error) => {
      assert.ok(error instanceof DecodeError);
      assert.equal(error.offset, offset);
      assert.match(error.message, what);
      return true;
    });
  refused("0a05", 1, /length 5 reaches past the end/);
  refused("0affffffff0f", 1, /length 4294967295 reaches past the end/);
  refused("0affffffffffffffffffff", 1, /does not fit into 32 bits/);
  refused("0a", 1, /ends in the middle/);
  refused("00", 0, /field number is 0/);
  refused("0f", 1, /no protobuf wire type 7/);
  refused("0c", 1, /no protobuf wire type 4/);
  refused("4900", 1, /ends in the middle/); // a fixed64 of one byte
  refused("48ffffffffffffffffffff01", 1, /longer than 10 bytes/);
  refused("0b14", 1, /group ends that was not started/);
  // A span that says it is longer than the scope that it is in.
  refused("0a06" + "1204" + "1205" + "0102", 5, /length 5 reaches past the end/);
});

Deno.test("unknown fields, of all wire types and in groups, are passed over", () => {
  const known = traceRequest.encode(oneSpan({}));
  const unknown = Uint8Array.fromHex(
    "a00601" + "a1060102030405060708" + "a206026869" + "a306" + "0801" + "0b0c" + "a406" +
      "a50601020304",
  );
  const both = new Uint8Array([...unknown, ...known, ...unknown]);
  assert.deepEqual(decodeTraces(both, "protobuf"), decodeTraces(known, "protobuf"));
  const nested = (depth: number) => Uint8Array.fromHex("0b".repeat(depth) + "0c".repeat(depth));
  assert.deepEqual(decodeTraces(nested(60), "protobuf").spans, []);
  for (const depth of [65, 1_000_000]) {
    assert.throws(() => decodeTraces(nested(depth), "protobuf"), /Groups are nested too deep/);
  }
  // A known field of another wire type: a name that is a number.
  const wrongType = Uint8Array.fromHex("0a06" + "1204" + "1202" + "2801");
  assert.equal(decodeTraces(wrongType, "protobuf").rejected, 1);
});

Deno.test("values nested too deep are refused in both encodings, however deep", () => {
  for (const depth of [65, 5_000]) {
    // An AnyValue with an ArrayValue with an AnyValue, and so on, each with its length before it.
    let value = new Uint8Array(0);
    const within = (tag: number, bytes: Uint8Array) => joined([tag], varint(bytes.length), bytes);
    for (let i = 0; i < depth; i++) value = within(0x2a, within(0x0a, value));
    const attribute = within(0x4a, within(0x12, value));
    const bytes = within(0x0a, within(0x12, within(0x12, attribute)));
    assert.throws(() => decodeTraces(bytes, "protobuf"), /nested too deep \(at byte \d+\)/);
    const nested = '{"arrayValue":{"values":['.repeat(depth) + "{}" + "]}}".repeat(depth);
    const json = utf8.encode(
      `{"resourceSpans":[{"scopeSpans":[{"spans":[{"attributes":[{"value":${nested}}]}]}]}]}`,
    );
    assert.throws(() => decodeTraces(json, "json"), /nested too deep \(at resourceSpans\[0\]/);
  }
  const bare = utf8.encode("[".repeat(1_000_000) + "12345678901234567890");
  assert.throws(() => decodeTraces(bare, "json"), DecodeError);
});

Deno.test("a span without valid ids is rejected alone, in both encodings", () => {
  const wrong = [
    [{ traceId: new Uint8Array(16) }, /trace id is not 16 bytes, or all zero/],
    [{ traceId: new Uint8Array(15).fill(1) }, /trace id/],
    [{ traceId: new Uint8Array(1_000).fill(1) }, /trace id/],
    [{ traceId: new Uint8Array(0) }, /trace id/],
    [{ spanId: new Uint8Array(8) }, /span id is not 8 bytes, or all zero, of the span "one"/],
    [{ spanId: new Uint8Array(16).fill(1) }, /span id/],
    [{ parentSpanId: new Uint8Array(7).fill(1) }, /parent's span id is not 8 bytes/],
  ] as const;
  for (const [change, reason] of wrong) {
    const request = oneSpan(change);
    request.resourceSpans[0].scopeSpans[0].spans.push(
      ...oneSpan({ parentSpanId: new Uint8Array(8) }).resourceSpans[0].scopeSpans[0].spans,
    );
    const { bytes, json } = encoded(traceRequest, request);
    for (const decoded of [decodeTraces(bytes, "protobuf"), decodeTraces(json, "json")]) {
      assert.equal(decoded.rejected, 1);
      assert.match(decoded.reason!, reason);
      assert.equal(decoded.spans.length, 1);
      // All zero is how some senders write that a root has no parent.
      assert.equal(decoded.spans[0].parentSpanId, undefined);
    }
  }
});

Deno.test("a link that leads nowhere is dropped and counted", () => {
  const links = [{ traceId: new Uint8Array(16), spanId: new Uint8Array(8).fill(1) }];
  const { bytes, json } = encoded(traceRequest, oneSpan({ links, droppedLinksCount: 2 }));
  for (const decoded of [decodeTraces(bytes, "protobuf"), decodeTraces(json, "json")]) {
    assert.deepEqual(decoded.spans[0].links, []);
    assert.deepEqual(decoded.spans[0].dropped, { links: 3 });
  }
});

Deno.test("JSON may write numbers, enums and ids as OTLP's mapping allows", () => {
  const span = (text: string) =>
    decodeTraces(
      utf8.encode(
        `{"later": [1], "resourceSpans":[{"resource":null,"scopeSpans":[{"spans":[{
          "traceId":"0123456789ABCDEF0123456789abcdef","spanId":"00000000000000AB",${text}}]}]}]}`,
      ),
      "json",
    ).spans[0];
  const value = (text: string) =>
    span(`"attributes":[{"key":"k","value":${text},"unknown":{}}]`).attributes.k;
  assert.equal(span(`"kind":"SPAN_KIND_CLIENT"`).kind, "client");
  assert.equal(span(`"kind":3`).kind, "client");
  assert.equal(span(`"kind":"SPAN_KIND_OF_TOMORROW"`).kind, "internal");
  assert.equal(span(`"status":{"code":"STATUS_CODE_ERROR"}`).status, "error");
  assert.equal(span(`"name":"a"`).traceId, "0123456789abcdef0123456789abcdef");
  assert.equal(span(`"startTimeUnixNano":1700000000123456789`).startTime, 1700000000123456789n);
  assert.equal(span(`"startTimeUnixNano": "1700000000123456789"`).startTime, 1700000000123456789n);
  assert.equal(value(`{"intValue":9007199254740993}`), 9007199254740993n);
  assert.equal(value(`{"intValue":-9223372036854775808}`), -9223372036854775808n);
  assert.equal(value(`{"intValue":"9007199254740993"}`), 9007199254740993n);
  assert.equal(value(`{"intValue":1e3}`), 1000);
  assert.equal(value(`{"doubleValue":"-Infinity"}`), -Infinity);
  assert.equal(value(`{"doubleValue":10000000000000000}`), 1e16);
  assert.equal(value(`{"doubleValue":12345678901234567890.5}`), 12345678901234567890.5);
  assert.deepEqual(value(`{"bytesValue":"-_8="}`), new Uint8Array([251, 255]));
  assert.equal(
    value(`{"stringValue":"12345678901234567890 is text"}`),
    "12345678901234567890 is text",
  );
  assert.equal(value(`null`), null);
});

Deno.test("JSON that is not OTLP is refused with its place", () => {
  const refused = (text: string, what: RegExp) =>
    assert.throws(() => decodeTraces(utf8.encode(text), "json"), (error) => {
      assert.ok(error instanceof DecodeError);
      assert.match(error.message, what);
      return true;
    });
  refused("", /not JSON: Unexpected end/);
  refused(`{"a": 1 "b"}`, /not JSON: .*position 8/);
  refused("[]", /must be an object is not \(at the top\)/);
  refused(`{"resourceSpans":{}}`, /must be a list is not \(at resourceSpans\)/);
  refused(
    `{"resourceSpans":[{"scopeSpans":[7]}]}`,
    /object is not \(at resourceSpans\[0\]\.scopeSpans\[0\]\)/,
  );
  const span = (text: string) => `{"resourceSpans":[{"scopeSpans":[{"spans":[{${text}}]}]}]}`;
  refused(
    span(`"name":7`),
    /a string is not \(at resourceSpans\[0\]\.scopeSpans\[0\]\.spans\[0\]\)/,
  );
  refused(span(`"startTimeUnixNano":"-1"`), /from 0 to 18446744073709551615/);
  refused(span(`"startTimeUnixNano":18446744073709551616`), /from 0 to 18446744073709551615/);
  refused(span(`"startTimeUnixNano":"1.5"`), /a whole number is not/);
  refused(
    span(`"attributes":[{"value":{"intValue":"9223372036854775808"}}]`),
    /9223372036854775807/,
  );
  refused(span(`"attributes":[{"value":{"bytesValue":"?"}}]`), /base64/);
});

Deno.test("text that is not UTF-8 is kept with the damage marked", () => {
  const bytes = traceRequest.encode(oneSpan({ name: "a~b" }));
  bytes[bytes.indexOf(0x7e)] = 0xff;
  assert.equal(decodeTraces(bytes, "protobuf").spans[0].name, "a\ufffdb");
});

Deno.test("pointsOf counts the points of every kind", () => {
  const kinds = ["gauge", "sum", "histogram", "exponentialHistogram", "summary"];
  const metrics = kinds.map((kind, i) => ({ [kind]: { dataPoints: Array(i + 1).fill({}) } }));
  const bytes = metricsRequest.encode({ resourceMetrics: [{ scopeMetrics: [{ metrics }] }] });
  assert.deepEqual(decodeMetrics(bytes, "protobuf").map(pointsOf), [1, 2, 3, 4, 5]);
});

// What is in use, in this isolate: the process runs other tests at the same time.
function heapBytes(): number {
  v8.setFlagsFromString("--expose-gc");
  vm.runInNewContext("gc")();
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}

interface TraceRequest {
  resourceSpans: { scopeSpans: { spans: object[] }[] }[];
}

function oneSpan(change: object): TraceRequest {
  return {
    resourceSpans: [{
      scopeSpans: [{
        spans: [{
          traceId: new Uint8Array(16).fill(1),
          spanId: new Uint8Array(8).fill(2),
          name: "one",
          ...change,
        }],
      }],
    }],
  };
}

function encoded(type: Definition, message: object) {
  const bytes = type.encode(message);
  const official = type.decode(bytes);
  return { bytes, official, json: utf8.encode(jsonMapping(official)) };
}

// One request for each item, as requestJson makes them.
function single(request: Record<string, unknown>, signal: string, items: string): object[] {
  type Level = Record<string, Level[]>;
  const all = (request as Level)[`resource${signal}`] ?? [];
  return all.flatMap((resource) =>
    (resource[`scope${signal}`] ?? []).flatMap((scope) =>
      (scope[items] ?? []).map((item) => ({
        [`resource${signal}`]: [{
          ...resource,
          [`scope${signal}`]: [{ ...scope, [items]: [item] }],
        }],
      }))
    )
  );
}

// A decoded metric or log record as a request of its own, in the definitions' names.
function framed(signal: string, items: string, message: object): object {
  const { resource, scope, ...item } = message as Pick<ReceivedSpan, "resource" | "scope">;
  const { schemaUrl, ...rest } = scope;
  const [one] = [renamed(item, items)];
  return {
    [`resource${signal}`]: [{
      resource: { attributes: pairs(resource) },
      [`scope${signal}`]: [{
        scope: { ...rest, ...rest.attributes && { attributes: pairs(rest.attributes) } },
        schemaUrl: schemaUrl ?? "",
        [items]: [one],
      }],
    }],
  };
}

function renamed(value: unknown, under: string): unknown {
  if (Array.isArray(value)) return value.map((one) => renamed(one, under));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => {
      if (/^(time|startTime|observedTime)$/.test(key)) return [`${key}UnixNano`, one];
      if (key === "attributes" || key === "metadata") {
        const name = under === "exemplars" ? "filteredAttributes" : key;
        return [name, pairs(one as ReceivedAttributes)];
      }
      return [key, key === "body" ? valueJson(one) : renamed(one, key)];
    }),
  );
}

function pairs(attributes: ReceivedAttributes): object[] {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: valueJson(value) }));
}

// What both sides may write in two ways, written in one: absent and empty, numbers and their text, bytes,
// the order of attributes.
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return value.toHex();
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) {
    return Object.is(value, -0) ? "-0" : String(value);
  }
  const entries = Object.entries(value).flatMap(([key, one]): [string, unknown][] => {
    if (one === undefined) return [];
    if (key === "bytesValue") {
      return [[key, one instanceof Uint8Array ? one.toBase64() : one]];
    }
    if (/Value$/.test(key)) return [[key, plain(one)]];
    const made = plain(one);
    const sorted = /ttributes$|^metadata$|^values$/.test(key) && isPairs(made)
      ? made.toSorted((a, b) => a.key < b.key ? -1 : 1)
      : made;
    const empty = sorted === "0" && key !== "asInt" || sorted === "" && key !== "key" ||
      sorted === "false" ||
      Array.isArray(sorted) && sorted.length === 0 ||
      typeof sorted === "object" && Object.keys(sorted!).length === 0 && key !== "value";
    // A number that may be absent, or be zero.
    return empty && !/^(sum|min|max|asDouble|asInt)$/.test(key) ? [] : [[key, sorted]];
  });
  if (entries.some(([key]) => key === "key") && !entries.some(([key]) => key === "value")) {
    entries.push(["value", {}]);
  }
  return Object.fromEntries(entries.sort(([a], [b]) => a < b ? -1 : 1));
}

function isPairs(list: unknown): list is { key: string }[] {
  return Array.isArray(list) && list.every((one) => typeof one === "object" && "key" in one);
}

function damage(
  bytes: Uint8Array,
  other: Uint8Array,
  random: ReturnType<typeof seeded>,
): Uint8Array {
  let result = bytes.slice();
  for (let times = 1 + random.below(4); times > 0; times--) {
    const at = random.below(result.length + 1);
    switch (random.below(6)) {
      case 0:
        result[at] ^= 1 << random.below(8);
        break;
      case 1:
        result[at] = random.pick([0, 0x7f, 0x80, 0xff, 0x0a, 0x7b]);
        break;
      case 2:
        result = result.slice(0, at);
        break;
      case 3:
        result = joined(result.subarray(0, at), result.subarray(at + random.below(20)));
        break;
      case 4:
        result = joined(result.subarray(0, at), other.subarray(random.below(other.length + 1)));
        break;
      default: {
        const junk = new Uint8Array(random.below(12));
        random.fill(junk);
        result = joined(result.subarray(0, at), junk, result.subarray(at));
      }
    }
  }
  return result;
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [value & 0x7f | 0x80, ...varint(value >>> 7)];
}

function joined(...parts: readonly ArrayLike<number>[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
