import assert from "node:assert/strict";
import { join } from "node:path";
import type { PluginSpan, SpanEvent } from "../core/plugin.ts";
import { openStore } from "../store/open.ts";
import { Reader } from "./feed.ts";
import { FixtureError, readFixture } from "./fixture.ts";
import type { Heard } from "./heard.ts";
import { toSpanEvent } from "./plugin_span.ts";

const MAIN = new URL("../cli/main.ts", import.meta.url).pathname;

// All kinds of spans and outcomes that a run can have of itself.
const WORKFLOW = `name: all-kinds
trace: { detail: batches }
params:
  size: { type: integer, default: 2, tune: { min: 1, max: 9 } }
steps:
  - id: mark
    uses: emit
    with: { name: orders.loaded, attributes: { rows: 20000, source: nightly } }
  - id: each
    for_each: { list: [1, 2, 3, 4, 5], batch: "\${{ params.size }}" }
    run: cat > /dev/null
  - id: again
    run: test -e tried || { touch tried; exit 75; }
    retry: { attempts: 2, backoff: constant, initial: 1ms }
  - id: late
    run: exec sleep 60
    timeout: 50ms
    continue_on_error: true
  - id: never
    if: params.size > 5
    run: "true"
  - id: bad
    needs: [again]
    run: exit 3
`;

// One file and one store of what a real run says.
async function recorded(): Promise<{ readonly text: string; readonly stored: readonly Heard[] }> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(join(folder, "all.yaml"), WORKFLOW);
    const file = join(folder, "telemetry.jsonl");
    const store = `sqlite:${join(folder, "store.db")}`;
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", MAIN, "run", "all.yaml", "--store", store],
      cwd: folder,
      env: { SPANLOOP_OTLP_FILE: file, OTEL_SDK_DISABLED: "false", INIT_CWD: folder },
    }).output();
    assert.equal(code, 1, new TextDecoder().decode(stderr));
    const opened = await openStore(store, { durability: "normal" });
    try {
      const stored = (await new Reader(opened, 0).next())!;
      return { text: await Deno.readTextFile(file), stored };
    } finally {
      await opened.close();
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("readFixture() gives of an exported run what plugins heard of it", async () => {
  const { text, stored } = await recorded();
  assert.ok(text.includes('"resourceMetrics"') && text.includes('"resourceLogs"'));
  const heard = readFixture(text, "telemetry.jsonl");
  const byId = (all: readonly Heard[]) =>
    all.map(toSpanEvent).map(({ event, span }) => [`${span.spanId} ${event}`, told(span)] as const)
      .sort(([a], [b]) => a < b ? -1 : 1);
  assert.deepEqual(byId(heard), byId(stored));
  const kinds = new Set(stored.map(toSpanEvent).map(({ span }) => `${span.role} ${span.outcome}`));
  for (
    const kind of [
      "run failed",
      "attempt succeeded",
      "attempt failed",
      "attempt timed_out",
      "step succeeded",
      "skip skipped",
      "emit succeeded",
    ]
  ) assert.ok(kinds.has(kind), `${kind} among ${[...kinds]}`);
  assert.deepEqual(heard.map(({ position }) => position), stored.map((_, i) => i + 1));
});

// What a span had when it started is known of an exported one only with what its end added.
function told({ attributes: _, ...span }: PluginSpan): object {
  return span.endTime === undefined ? span : { ...span, attributes: _ };
}

const EXTERNAL = {
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId: "b7ad6b7169203331",
  name: "GET /",
  kind: 2,
  startTimeUnixNano: "1700000000000000001",
  endTimeUnixNano: "1700000002000000001",
  attributes: [{ key: "http.response.status_code", value: { intValue: "200" } }],
  status: {},
};

function requestOf(...spans: object[]): string {
  return JSON.stringify({ resourceSpans: [{ scopeSpans: [{ scope: { name: "shop" }, spans }] }] });
}

Deno.test("readFixture() reads other programs' spans as received, to the nanosecond", () => {
  const [heard] = readFixture(`\n${requestOf(EXTERNAL)}\n`, "x.jsonl");
  assert.equal(heard.at, 1_700_000_002_000_000_001n);
  const { event, span } = toSpanEvent(heard);
  assert.deepEqual([event, span.external, span.duration, span.kind, span.attributes], [
    "ended",
    true,
    2,
    "server",
    { "http.response.status_code": 200 },
  ]);
});

Deno.test("readFixture() reads spans as plugins see them, and fills in what they leave out", () => {
  const text = [
    { name: "load", duration: 2, items: { processed: 20, failed: 1 }, attributes: { a: 1 } },
    { name: "load", outcome: "failed", error: "shell.exit" },
    { name: "found", plugin: "finder", workflow: "orders" },
    { name: "GET", external: true, startTime: 1_800_000_000, duration: 0.25, status: "error" },
  ].map((span) => JSON.stringify(span)).join("\n");
  const heard = readFixture(text, "x.jsonl").map(toSpanEvent).filter(({ event }) =>
    event === "ended"
  );
  assert.deepEqual(heard.map(({ span }) => span), [
    {
      traceId: "1".padStart(32, "0"),
      spanId: "1".padStart(16, "0"),
      name: "load",
      kind: "internal",
      startTime: 1_749_999_998,
      endTime: 1_750_000_000,
      duration: 2,
      status: "unset",
      attributes: { a: 1 },
      links: [],
      external: false,
      workflow: "test",
      runId: "test",
      role: "attempt",
      stepId: "load",
      attempt: 1,
      outcome: "succeeded",
      items: { processed: 20, failed: 1 },
    },
    {
      traceId: "2".padStart(32, "0"),
      spanId: "2".padStart(16, "0"),
      name: "load",
      kind: "internal",
      startTime: 1_750_000_001,
      endTime: 1_750_000_001,
      duration: 0,
      status: "error",
      attributes: {},
      links: [],
      external: false,
      workflow: "test",
      runId: "test",
      role: "attempt",
      stepId: "load",
      attempt: 1,
      outcome: "failed",
      error: "shell.exit",
    },
    {
      traceId: "3".padStart(32, "0"),
      spanId: "3".padStart(16, "0"),
      name: "found",
      kind: "internal",
      startTime: 1_750_000_002,
      endTime: 1_750_000_002,
      duration: 0,
      status: "unset",
      attributes: {},
      links: [],
      external: false,
      plugin: "finder",
      workflow: "orders",
    },
    {
      traceId: "4".padStart(32, "0"),
      spanId: "4".padStart(16, "0"),
      name: "GET",
      kind: "internal",
      startTime: 1_800_000_000,
      endTime: 1_800_000_000.25,
      duration: 0.25,
      status: "error",
      attributes: {},
      links: [],
      external: true,
    },
  ]);
});

Deno.test("readFixture() gives back what a plugin wrote down of a span", () => {
  const [, ended] = readFixture(
    '{"name":"load","duration":2,"error":"x","parentSpanId":"00000000000000aa"}',
    "a",
  );
  const { span } = toSpanEvent(ended);
  const [, again] = readFixture(JSON.stringify(span), "b");
  assert.deepEqual(toSpanEvent(again).span, span);
});

Deno.test("starts come by their times among the ends, which keep their order", () => {
  const lines = [
    { name: "a", startTime: 10, endTime: 13 },
    { name: "b", startTime: 12, endTime: 12.5 },
    { name: "c", startTime: 14, endTime: 15 },
  ].map((span) => JSON.stringify(span)).join("\n");
  const order = (event: SpanEvent) => `${event.span.name} ${event.event} ${event.position}`;
  assert.deepEqual(readFixture(lines, "x").map(toSpanEvent).map(order), [
    "a started 1",
    "b started 2",
    "a ended 3",
    "b ended 4",
    "c started 5",
    "c ended 6",
  ]);
});

const BAD: readonly (readonly [text: string, says: RegExp])[] = [
  ["{", /^x\.jsonl:1: The line is not JSON: /],
  ["\n7", /^x\.jsonl:2: The line is no object; write one span or request a line$/],
  ['{"nam":"a"}', /^x\.jsonl:1: A span has no `nam`; it has traceId, /],
  ['{"name":7}', /^x\.jsonl:1: A span's `name` must be text$/],
  ['{"outcome":"ok"}', /^x\.jsonl:1: A span's `outcome` must be succeeded, /],
  ['{"resourceSpans":7}', /^x\.jsonl:1: Something that must be a list is not \(at resourceSpans\)/],
  [
    requestOf({ ...EXTERNAL, spanId: "00" }),
    /^x\.jsonl:1: The span id is not 8 bytes, or all zero/,
  ],
  ['{"resourceMetrics":[]}\n', /^x\.jsonl:2: There is no span in the file$/],
];

Deno.test("readFixture() names the line that it cannot read", () => {
  for (const [text, says] of BAD) {
    assert.throws(() => readFixture(text, "x.jsonl"), (error) => {
      assert.ok(error instanceof FixtureError && error.code === "plugin.fixture");
      assert.match(error.message, says);
      return true;
    });
  }
});
