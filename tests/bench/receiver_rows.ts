import { DatabaseSync } from "node:sqlite";
import type { ReceivedSpan } from "../../engine/core/span.ts";
import { openStore } from "../../engine/store/open.ts";
import { decodeTraces, type Encoding } from "../../engine/telemetry/otlp/decode.ts";
import { traceRequest } from "../proto/definitions.ts";
import { alternate, ratios, shown, spread } from "./figures.ts";
import type { Measured, Row, Setting } from "./row.ts";

const DECODED_RATE = 300_000;
const STORED_RATE = 100_000;
// The SDK's batches hold 512 spans.
const BATCH = 512;
const SPANS_A_TRACE = 10;
// Of the exporters' batches, as many as the receiver puts into one transaction.
const BATCHES_AT_ONCE = 4;

/** Rows about the OTLP receiver: what it takes to decode other programs' spans and to keep them. */
export const receiverRows: readonly Row[] = [
  {
    id: "decode-protobuf",
    work: "spans of 6 attributes decoded from OTLP protobuf, one core",
    goal: ">= 300,000 spans/s",
    measure: (setting) => measureDecoding(setting, "protobuf"),
  },
  {
    id: "decode-json",
    work: "the same from OTLP JSON",
    goal: "",
    measure: (setting) => measureDecoding(setting, "json"),
  },
  {
    id: "receive-store",
    work: "the same stored, durability normal",
    goal: ">= 100,000 spans/s",
    measure: measureStoring,
  },
];

async function measureDecoding(setting: Setting, encoding: Encoding): Promise<Measured> {
  const batches = setting.quick ? 2 : 400;
  const request = requestOf(0);
  const bytes = encoding === "protobuf" ? traceRequest.encode(request) : jsonOf(request);
  const raw = encoding === "protobuf"
    ? () => void traceRequest.decode(bytes)
    : () => void JSON.parse(new TextDecoder().decode(bytes));
  const decode = () => {
    const { spans } = decodeTraces(bytes, encoding);
    if (spans.length !== BATCH) throw new Error(`${spans.length} spans were decoded, not ${BATCH}`);
  };
  const rate = (body: () => void) => {
    const from = performance.now();
    for (let i = 0; i < batches; i++) body();
    return batches * BATCH / (performance.now() - from) * 1_000;
  };
  for (const body of [raw, decode]) rate(body); // warms up
  const rates = await alternate(setting.pairs, () => rate(raw), () => rate(decode));
  return {
    raw: `${shown(spread(rates.raw))} spans/s`,
    engine: `${shown(spread(rates.engine))} spans/s`,
    ratio: shown(ratios(rates.raw, rates.engine), 2),
    ...encoding === "protobuf" ? { met: spread(rates.engine).median >= DECODED_RATE } : {},
    notes: [
      encoding === "protobuf"
        ? "Raw: protobufjs's generated code for the official definitions, made into plain objects."
        : "Raw: JSON.parse alone, which checks nothing and rounds integers past 2^53.",
    ],
  };
}

async function measureStoring(setting: Setting): Promise<Measured> {
  const calls = setting.quick ? 2 : 50;
  const { folder } = setting;
  const store = await openStore(`sqlite:${folder}/received.db`, { durability: "normal" });
  const size = BATCH * BATCHES_AT_ONCE;
  let made = 0;
  const spansOf = (): ReceivedSpan[][] =>
    Array.from({ length: calls }, () => {
      const spans: ReceivedSpan[] = [];
      for (let i = 0; i < BATCHES_AT_ONCE; i++) {
        const bytes = traceRequest.encode(requestOf(made));
        made += BATCH;
        spans.push(...decodeTraces(bytes, "protobuf").spans);
      }
      return spans;
    });
  const run = async () => {
    const all = spansOf();
    const from = performance.now();
    let stored = 0;
    for (const spans of all) stored += (await store.receive(spans, 1n)).records.length;
    const rate = calls * size / (performance.now() - from) * 1_000;
    if (stored !== calls * size) throw new Error(`${stored} spans were stored`);
    return rate;
  };
  try {
    await run(); // warms up
    const rates = await alternate(
      setting.pairs,
      () => rawRate(`${folder}/raw.db`, calls, size),
      run,
    );
    const last = await store.since(await store.last() - 1, 1);
    if (last[0]?.type !== "received") throw new Error("the last span is not in the store");
    return {
      raw: `${shown(spread(rates.raw))} rows/s`,
      engine: `${shown(spread(rates.engine))} spans/s`,
      ratio: shown(ratios(rates.raw, rates.engine), 2),
      met: spread(rates.engine).median >= STORED_RATE,
      notes: [
        `${size} spans a transaction, ${SPANS_A_TRACE} a trace. Raw: as many rows of 420 bytes of text, 32 a ` +
        "statement, in one table without an index.",
      ],
    };
  } finally {
    await store.close();
  }
}

function rawRate(file: string, calls: number, size: number): number {
  const db = new DatabaseSync(file);
  try {
    db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;");
    db.exec("CREATE TABLE IF NOT EXISTS spans (id INTEGER PRIMARY KEY, run, at, data)");
    const insert = db.prepare(
      `INSERT INTO spans (run, at, data) VALUES ${Array(32).fill("(?, ?, ?)").join()}`,
    );
    const values = Array.from({ length: 32 }, (_, i) => [1, BigInt(i), "x".repeat(420)]).flat();
    const from = performance.now();
    for (let call = 0; call < calls; call++) {
      db.exec("BEGIN IMMEDIATE");
      for (let i = 0; i < size / 32; i++) insert.run(...values);
      db.exec("COMMIT");
    }
    return calls * size / (performance.now() - from) * 1_000;
  } finally {
    db.close();
  }
}

// Spans of a web server, a millisecond apart.
function requestOf(first: number): object {
  const traceId = new Uint8Array(16);
  const spans = Array.from({ length: BATCH }, (_, i) => {
    if (i % SPANS_A_TRACE === 0) crypto.getRandomValues(traceId);
    const start = 1_700_000_000_000_000_000n + BigInt(first + i) * 1_000_000n;
    return {
      traceId: traceId.slice(),
      spanId: crypto.getRandomValues(new Uint8Array(8)),
      parentSpanId: crypto.getRandomValues(new Uint8Array(8)),
      flags: 257,
      name: `GET /api/items/${i % 10}`,
      kind: 2,
      startTimeUnixNano: start.toString(),
      endTimeUnixNano: (start + 12_345_678n).toString(),
      attributes: [
        { key: "http.request.method", value: { stringValue: "GET" } },
        { key: "http.response.status_code", value: { intValue: "200" } },
        { key: "url.path", value: { stringValue: `/api/items/${first + i}` } },
        { key: "server.address", value: { stringValue: "api.example.com" } },
        { key: "server.port", value: { intValue: "443" } },
        {
          key: "user_agent.original",
          value: { stringValue: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36" },
        },
      ],
      status: {},
    };
  });
  const attributes = [
    { key: "service.name", value: { stringValue: "shop" } },
    { key: "host.name", value: { stringValue: "host-1" } },
  ];
  const scope = { name: "shop.http", version: "1.2.3" };
  return { resourceSpans: [{ resource: { attributes }, scopeSpans: [{ scope, spans }] }] };
}

function jsonOf(request: object): Uint8Array {
  return new TextEncoder().encode(
    JSON.stringify(request, (_key, value) => value instanceof Uint8Array ? value.toHex() : value),
  );
}
