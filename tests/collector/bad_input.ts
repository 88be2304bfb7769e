// What the collector and Spanloop's receiver answer to the same requests. Where they differ the reason stands beside.
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { traceRequest } from "../proto/definitions.ts";
import { collectorPath } from "./path.ts";
import { ownReceiver } from "./receiver.ts";
import { startCollector } from "./running.ts";

interface Case {
  readonly what: string;
  readonly path?: string;
  readonly method?: string;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** The receiver's status. */
  readonly status: number;
  /** The collector's, where it is another one, and why the receiver does not follow. */
  readonly collector?: readonly [number, string];
}

const JSON_TYPE = "application/json";
const PROTOBUF = "application/x-protobuf";
const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";

const binary = (span: object = {}) =>
  traceRequest.encode({
    resourceSpans: [{
      scopeSpans: [{
        spans: [{
          traceId: new Uint8Array(16).fill(1),
          spanId: new Uint8Array(8).fill(2),
          name: "x",
          ...span,
        }],
      }],
    }],
  });

function json(span: object = {}): string {
  const all = { traceId: TRACE_ID, spanId: "b7ad6b7169203331", name: "x", kind: 1, ...span };
  return JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [all] }] }] });
}

const valued = (value: string) =>
  json({ attributes: [{ key: "a", value: "VALUE" }] }).replace('"VALUE"', value);
const bytes = (...values: (string | number)[]) =>
  Uint8Array.from(
    values.flatMap((value) =>
      typeof value === "number" ? [value] : [...new TextEncoder().encode(value)]
    ),
  );
const MiB = 2 ** 20;
const ZEROS = new Uint8Array(65 * MiB);

const OVER = "it answers 400 for what is too large; OTLP names 413";
const PARTIAL = "the others of the request are taken, this one is counted as rejected";
const LENIENT = "it goes on after the first value";
const UNKNOWN_FIELD =
  "a known number with another wire type is an unknown field, by protobuf's rule";

const CASES: readonly Case[] = [
  // What is good.
  { what: "a span in protobuf", type: PROTOBUF, body: binary(), status: 200 },
  { what: "a span in JSON", body: json(), status: 200 },
  {
    what: "a charset",
    type: "Application/JSON; charset=utf-8",
    body: json(),
    status: 200,
  },
  { what: "nothing in protobuf", type: PROTOBUF, body: bytes(), status: 200 },
  { what: "nothing in JSON", body: "{}", status: 200 },
  { what: "null", body: "null", status: 200 },
  { what: "unknown fields in JSON", body: json({ surprise: [1] }), status: 200 },
  {
    what: "unknown fields in protobuf",
    type: PROTOBUF,
    body: bytes(...binary(), 0x98, 0x06, 1),
    status: 200,
  },
  { what: "names in snake_case", body: json().replaceAll("spanId", "span_id"), status: 200 },
  { what: "times as numbers", body: json({ startTimeUnixNano: 5 }), status: 200 },
  { what: "an enum's name", body: json({ kind: "SPAN_KIND_SERVER" }), status: 200 },
  { what: "an enum's value to come", body: json({ kind: 99 }), status: 200 },
  { what: "a field that is null", body: json({ name: null, attributes: null }), status: 200 },
  { what: "NaN", body: valued('{"doubleValue":"NaN"}'), status: 200 },
  { what: "a real number as text", body: valued('{"doubleValue":"1.5"}'), status: 200 },
  { what: "half of a character", body: json({ name: "\ud800" }), status: 200 },
  { what: "bytes that are no UTF-8", body: bytes('{"x":"', 0xff, '"}'), status: 200 },
  {
    what: "gzip",
    type: PROTOBUF,
    headers: { "content-encoding": "gzip" },
    body: gzipSync(binary()),
    status: 200,
  },
  // Ids.
  { what: "no trace id", body: json({ traceId: "" }), status: 200 },
  {
    what: "a short trace id in JSON",
    body: json({ traceId: "0af7" }),
    status: 200,
    collector: [400, PARTIAL],
  },
  {
    what: "a short trace id in protobuf",
    type: PROTOBUF,
    body: binary({ traceId: new Uint8Array(5).fill(1) }),
    status: 200,
    collector: [400, PARTIAL],
  },
  // Bad JSON.
  { what: "an empty body", body: "", status: 400 },
  { what: "text", body: "hello", status: 400 },
  { what: "JSON that is cut off", body: json().slice(0, -5), status: 400 },
  { what: "a list", body: "[]", status: 400 },
  { what: "a number", body: "7", status: 400 },
  { what: "text after the JSON", body: "{} x", status: 400, collector: [200, LENIENT] },
  { what: "two values", body: "{}{}", status: 400, collector: [200, LENIENT] },
  {
    what: "a byte order mark",
    body: bytes(0xef, 0xbb, 0xbf, "{}"),
    status: 200,
    collector: [500, "it cannot say what is wrong when the text is not ASCII"],
  },
  { what: "a name that is a number", body: json({ name: 7 }), status: 400 },
  { what: "attributes as an object", body: json({ attributes: { a: 1 } }), status: 400 },
  { what: "an object for a list", body: '{"resourceSpans":{}}', status: 400 },
  { what: "a time below 0", body: json({ startTimeUnixNano: "-5" }), status: 400 },
  { what: "a time that is text", body: json({ startTimeUnixNano: "soon" }), status: 400 },
  { what: "half a nanosecond", body: json({ startTimeUnixNano: 1.5 }), status: 400 },
  {
    what: "a time past 64 bits",
    body: json({ startTimeUnixNano: "18446744073709551616" }),
    status: 400,
  },
  {
    what: "an integer past 64 bits",
    body: valued('{"intValue":"9223372036854775808"}'),
    status: 400,
  },
  { what: "an integer as 1e300", body: valued('{"intValue":1e300}'), status: 400 },
  { what: "an integer that is none", body: valued('{"intValue":1.5}'), status: 400 },
  { what: "an integer that is text", body: valued('{"intValue":"x"}'), status: 400 },
  {
    what: "an integer as 1.0",
    body: valued('{"intValue":1.0}'),
    status: 200,
    collector: [400, "1.0 is whole, and protobuf's JSON allows it"],
  },
  {
    what: "a real number that is null",
    body: valued('{"doubleValue":null}'),
    status: 200,
    collector: [400, "null is absent, as protobuf's JSON has it"],
  },
  { what: "a truth that is text", body: valued('{"boolValue":"true"}'), status: 400 },
  { what: "bytes that are no base64", body: valued('{"bytesValue":"***"}'), status: 400 },
  {
    what: "an enum's name that there is not",
    body: json({ kind: "SPAN_KIND_ODD" }),
    status: 200,
    collector: [400, "a sender of a later version is not refused"],
  },
  {
    what: "a value that is nested 2,000 deep",
    body: valued('{"arrayValue":{"values":['.repeat(2_000) + "{}" + "]}}".repeat(2_000)),
    status: 400,
    collector: [200, "who reads a value later needs a stack for it"],
  },
  {
    what: "an unknown field that is nested 20,000 deep",
    body: `{"x":${"[".repeat(20_000)}${"]".repeat(20_000)}}`,
    status: 200,
    collector: [400, "it is skipped, however deep"],
  },
  // Bad protobuf.
  { what: "garbage", type: PROTOBUF, body: "hello world", status: 400 },
  { what: "protobuf that is cut off", type: PROTOBUF, body: binary().slice(0, -3), status: 400 },
  { what: "field 0", type: PROTOBUF, body: bytes(0, 1), status: 400 },
  {
    what: "another wire type",
    type: PROTOBUF,
    body: bytes(0x08, 1),
    status: 200,
    collector: [400, UNKNOWN_FIELD],
  },
  {
    what: "a group",
    type: PROTOBUF,
    body: bytes(...binary(), 0x9b, 0x06, 0x9c, 0x06),
    status: 200,
    collector: [400, "an unknown group is skipped, by protobuf's rule"],
  },
  // Encodings that are not what they are called.
  { what: "JSON as protobuf", type: PROTOBUF, body: json(), status: 400 },
  {
    what: "protobuf as JSON",
    body: bytes(0xff, ...binary()),
    status: 400,
    collector: [500, "it cannot say what is wrong when the text is not ASCII"],
  },
  { what: "gzip without a word", type: PROTOBUF, body: gzipSync(binary()), status: 400 },
  {
    what: "gzip that is none",
    type: PROTOBUF,
    headers: { "content-encoding": "gzip" },
    body: binary(),
    status: 400,
  },
  {
    what: "gzip that is cut off",
    type: PROTOBUF,
    headers: { "content-encoding": "gzip" },
    body: gzipSync(binary()).subarray(0, -9),
    status: 400,
  },
  {
    what: "a compression that there is not",
    type: PROTOBUF,
    headers: { "content-encoding": "br" },
    body: binary(),
    status: 415,
    collector: [400, "415 is HTTP's status for it"],
  },
  {
    what: "no compression, said so",
    type: PROTOBUF,
    headers: { "content-encoding": "identity" },
    body: binary(),
    status: 200,
    collector: [400, "HTTP knows identity"],
  },
  {
    what: "spans at the path of logs",
    path: "/v1/logs",
    type: PROTOBUF,
    body: binary(),
    status: 400,
  },
  { what: "spans in JSON at the path of metrics", path: "/v1/metrics", body: json(), status: 200 },
  // HTTP.
  { what: "text/plain", type: "text/plain", body: json(), status: 415 },
  { what: "application/protobuf", type: "application/protobuf", body: binary(), status: 415 },
  { what: "no content type", type: "", body: binary(), status: 415 },
  { what: "GET", method: "GET", status: 405 },
  { what: "PUT", method: "PUT", body: json(), status: 405 },
  { what: "DELETE", method: "DELETE", status: 405 },
  { what: "OPTIONS", method: "OPTIONS", status: 405 },
  { what: "another path", path: "/v1/other", body: json(), status: 404 },
  { what: "a slash too many", path: "/v1/traces/", body: json(), status: 404 },
  {
    what: "a page in a browser",
    headers: { origin: "http://page.example" },
    body: json(),
    status: 403,
    collector: [200, "any page could write to a receiver on its reader's machine"],
  },
  // Size.
  {
    what: "more than 20 MiB",
    body: `{"x":"${"a".repeat(21 * MiB)}"}`,
    status: 200,
    collector: [400, "its limit is 20 MiB; OTLP recommends 64"],
  },
  { what: "more than 64 MiB", type: PROTOBUF, body: ZEROS, status: 413, collector: [400, OVER] },
  {
    what: "more than 64 MiB once it is decompressed",
    type: PROTOBUF,
    headers: { "content-encoding": "gzip" },
    body: gzipSync(ZEROS),
    status: 413,
    collector: [400, OVER],
  },
];

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: Uint8Array;
}

async function ask(endpoint: string, one: Case): Promise<Answer> {
  const { path = "/v1/traces", method = "POST", type = JSON_TYPE, headers, body } = one;
  const response = await fetch(endpoint + path, {
    method,
    headers: { ...(type === "" ? {} : { "content-type": type }), ...headers },
    body: typeof body === "string" ? new TextEncoder().encode(body) : body as BodyInit | undefined,
  });
  return {
    status: response.status,
    type: response.headers.get("content-type") ?? "",
    body: await response.bytes(),
  };
}

function statusCode({ type, body }: Answer): number {
  // In protobuf the code is the first field, a varint.
  return type === JSON_TYPE ? JSON.parse(new TextDecoder().decode(body)).code : body[1];
}

Deno.test("the receiver answers to bad input as the collector does, but where it says why not", async () => {
  await using collector = await startCollector(collectorPath());
  await using receiver = await ownReceiver();
  const theirs: unknown[] = [];
  const ours: unknown[] = [];
  for (const one of CASES) {
    const [there, here] = [await ask(collector.http, one), await ask(receiver.endpoint, one)];
    theirs.push([one.what, there.status]);
    ours.push([one.what, here.status]);
    // A refusal is a google.rpc.Status in the encoding that came.
    if (here.status === 400 && there.status === 400) {
      assert.deepEqual(statusCode(here), statusCode(there), one.what);
    }
    if (here.status === there.status && there.status <= 400) {
      assert.equal(here.type, there.type, one.what);
    }
  }
  assert.deepEqual(
    theirs,
    CASES.map(({ what, status, collector }) => [what, collector?.[0] ?? status]),
  );
  assert.deepEqual(ours, CASES.map(({ what, status }) => [what, status]));
});
