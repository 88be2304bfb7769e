import assert from "node:assert/strict";
import {
  ROOT_CONTEXT,
  type Span,
  SpanStatusCode,
  trace,
  type TraceFlags,
} from "@opentelemetry/api";
import { LoggerProvider, type ReadableLogRecord } from "@opentelemetry/sdk-logs";
import { BasicTracerProvider, type ReadableSpan } from "@opentelemetry/sdk-trace-base";
import type { MetricsBatch } from "../metrics/batch.ts";
import { consoleLogSender, consoleMetricSender, consoleSpanSender } from "./console.ts";

// 2026-11-21T12:00:00.000Z, in seconds.
const NOON = 1_795_262_400;

// The SDK's own spans, with ids that are counted: `make(name, parent)` starts one, `end` ends it.
function spanMaker() {
  let [traces, spans] = [0, 0];
  const ended: ReadableSpan[] = [];
  const tracer = new BasicTracerProvider({
    idGenerator: {
      generateTraceId: () => String(++traces).padStart(32, "a"),
      generateSpanId: () => String(++spans).padStart(16, "b"),
    },
    spanProcessors: [{
      onStart: () => {},
      onEnd: (span) => void ended.push(span),
      forceFlush: () => Promise.resolve(),
      shutdown: () => Promise.resolve(),
    }],
  }).getTracer("test");
  const context = (parent: Span | undefined) =>
    parent === undefined ? ROOT_CONTEXT : trace.setSpan(ROOT_CONTEXT, parent);
  return {
    ended,
    make: (
      name: string,
      second: number,
      attributes: Record<string, string | number>,
      parent?: Span,
    ) => tracer.startSpan(name, { startTime: [NOON + second, 0], attributes }, context(parent)),
    end: (span: Span, second: number) => span.end([NOON + second, 5_000_000]),
  };
}

function written() {
  const texts: string[] = [];
  return { texts, write: (text: string) => void texts.push(text) };
}

const RUN = {
  "cicd.pipeline.name": "import-orders",
  "cicd.pipeline.run.id": "0193",
  "cicd.pipeline.result": "failure",
  "spanloop.trigger.type": "manual",
};
const TASK = {
  "cicd.pipeline.name": "import-orders",
  "spanloop.step.id": "load",
  "cicd.pipeline.task.run.result": "success",
};

Deno.test("a span is a line: end, result, duration, name, workflow and step, attributes, ids", async () => {
  const { make, end, ended } = spanMaker();
  const span = make("orders.load", 0, { ...TASK, "spanloop.attempt": 2, team: "data ops" });
  end(span, 1);
  const out = written();
  const sender = consoleSpanSender(out);
  assert.equal(sender.name, "console");
  assert.deepEqual(await sender.send(ended), { status: "ok" });
  await sender.close();
  assert.deepEqual(out.texts, [
    '12:00:01.005Z  ✓     1.00 s  orders.load  import-orders/load  spanloop.attempt=2 team="data ops"  ' +
    `${"a".repeat(31)}1/${"b".repeat(15)}1\n`,
  ]);
});

Deno.test("a batch is written in one go, and an empty one not at all", async () => {
  const { make, end, ended } = spanMaker();
  end(make("one", 0, {}), 0);
  end(make("two", 0, {}), 0);
  const out = written();
  const sender = consoleSpanSender(out);
  await sender.send([]);
  await sender.send(ended);
  assert.equal(out.texts.length, 1);
  assert.equal(out.texts[0].split("\n").length, 3);
});

Deno.test("the mark says how it ended", async () => {
  const marks = async (attributes: Record<string, string>, code = SpanStatusCode.UNSET) => {
    const { make, end, ended } = spanMaker();
    const span = make("x", 0, attributes);
    span.setStatus({ code, message: "why\nso" });
    end(span, 0);
    const out = written();
    await consoleSpanSender(out).send(ended);
    return [out.texts[0].split("  ")[1], out.texts[0].includes("why\\nso")];
  };
  const result = (value: string) => ({ "cicd.pipeline.task.run.result": value });
  assert.deepEqual(await marks(result("failure"), SpanStatusCode.ERROR), ["✗", true]);
  assert.deepEqual(await marks(result("timeout"), SpanStatusCode.ERROR), ["✗", true]);
  assert.deepEqual(await marks(result("skip")), ["–", false]);
  assert.deepEqual(await marks(result("cancellation")), ["⊘", false]);
  assert.deepEqual(await marks(result("error"), SpanStatusCode.ERROR), ["↯", true]);
  assert.deepEqual(await marks({}), ["·", false]);
  assert.deepEqual(await marks({}, SpanStatusCode.OK), ["✓", false]);
  assert.deepEqual(await marks(result("constructor"), SpanStatusCode.ERROR), ["✗", true]);
});

Deno.test("nothing that a span says moves the terminal, and long values are cut", async () => {
  const { make, end, ended } = spanMaker();
  const evil = "\u001b[2J\u001b]0;title\u0007\r\n\u202e\u009b31m";
  const span = make(`name ${evil}`, 0, {
    "cicd.pipeline.name": evil,
    [`key${evil}`]: evil,
    long: "🦕".repeat(100_000),
    list: `["${"x".repeat(1_000)}"]`,
    ...Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`more.${index}`, index])),
  });
  span.setStatus({ code: SpanStatusCode.ERROR, message: evil + "y".repeat(10_000) });
  end(span, 0);
  const out = written();
  await consoleSpanSender(out).send(ended);
  const [line, rest] = out.texts[0].split("\n");
  assert.equal(rest, "");
  // deno-lint-ignore no-control-regex
  assert.ok(!/[\u0000-\u001f\u007f-\u009f\u202e]/.test(line), JSON.stringify(line));
  assert.ok(line.includes("name \\x1b[2J\\x1b]0;title\\x07\\r\\n\\u202e\\x9b31m"), line);
  assert.ok(line.includes(`long=${"🦕".repeat(59)}…`), line);
  assert.ok(line.includes("+7"), "it says how many attributes are not shown");
  assert.ok([...line].length < 800, `${[...line].length}`);
});

Deno.test("colours only where they are asked for", async () => {
  const { make, end, ended } = spanMaker();
  end(make("x", 0, TASK), 0);
  const [plain, coloured] = [written(), written()];
  await consoleSpanSender(plain).send(ended);
  await consoleSpanSender({ ...coloured, colour: true }).send(ended);
  assert.ok(!plain.texts[0].includes("\u001b"));
  assert.ok(coloured.texts[0].includes("\u001b[32m✓\u001b[39m"));
  // deno-lint-ignore no-control-regex
  assert.equal(coloured.texts[0].replaceAll(/\u001b\[\d+m/g, ""), plain.texts[0]);
});

Deno.test("tree: a trace is shown when its root has ended, children in the order of their starts", async () => {
  const { make, end, ended } = spanMaker();
  const out = written();
  const sender = consoleSpanSender({ ...out, tree: true });
  const root = make("RUN import-orders", 0, RUN);
  const load = make("load", 2, TASK, root);
  const second = make("batch 2", 4, {}, load);
  const first = make("batch 1", 3, {}, load);
  const count = make("count", 1, {}, root);
  for (const span of [count, second, first, load]) end(span, 5);
  await sender.send(ended.splice(0));
  assert.deepEqual(out.texts, []);
  root.setStatus({ code: SpanStatusCode.ERROR, message: "Step load failed" });
  end(root, 6);
  await sender.send(ended);
  assert.deepEqual(out.texts.join("").split("\n"), [
    `12:00:00.000Z  trace ${"a".repeat(31)}1`,
    "✗ RUN import-orders  import-orders  spanloop.trigger.type=manual  Step load failed  6.00 s",
    "├─ · count  4.00 s",
    "└─ ✓ load  import-orders/load  3.00 s",
    "   ├─ · batch 1  2.00 s",
    "   └─ · batch 2  1.00 s",
    "",
  ]);
  // What a plugin finds after the root's end waits for none.
  end(make("slow", 7, { "spanloop.plugin.name": "slow_step" }, root), 7);
  await sender.send(ended.splice(-1));
  assert.match(out.texts.at(-1)!, /^· slow {2}spanloop.plugin.name=slow_step/m);
});

Deno.test("tree: a run whose parent is elsewhere is a root, a sub-workflow's run is none", async () => {
  const { make, end, ended } = spanMaker();
  const out = written();
  const sender = consoleSpanSender({ ...out, tree: true });
  const elsewhere = trace.wrapSpanContext({
    traceId: "c".repeat(32),
    spanId: "d".repeat(16),
    traceFlags: 1 as TraceFlags,
  });
  const run = make("RUN outer", 0, RUN, elsewhere);
  const call = make("call", 1, TASK, run);
  const inner = make("RUN inner", 2, { ...RUN, "spanloop.trigger.type": "workflow" }, call);
  end(inner, 3);
  end(call, 4);
  await sender.send(ended.splice(0));
  assert.deepEqual(out.texts, []);
  end(run, 5);
  await sender.send(ended);
  assert.deepEqual(out.texts.join("").split("\n").map((line) => line.slice(0, 18)), [
    "12:00:00.000Z  tra",
    "✗ RUN outer  impor",
    "└─ ✓ call  import-",
    "   └─ ✗ RUN inner ",
    "",
  ]);
});

Deno.test("tree: what has no root is shown at the end, or when there is too much of it", async () => {
  const { make, end, ended } = spanMaker();
  const out = written();
  const sender = consoleSpanSender({ ...out, tree: true });
  const root = make("root", 0, {});
  end(make("orphan", 1, {}, root), 2);
  await sender.send(ended.splice(0));
  assert.deepEqual(out.texts, []);
  await sender.close();
  assert.ok(out.texts.join("").endsWith("1\n· orphan  1.00 s\n"));

  const many = consoleSpanSender({ ...out, tree: true });
  out.texts.length = 0;
  // A chain: deeper than the call stack would take.
  let parent = make("top", 0, {});
  for (let depth = 0; depth < 10_000; depth++) {
    parent = make("deep", depth, {}, parent);
    end(parent, depth);
  }
  await many.send(ended.splice(0));
  const lines = out.texts.join("").split("\n");
  assert.equal(lines.length, 10_002);
  assert.ok(lines.every((line) => line.length < 150));
  await many.close();
  assert.equal(out.texts.length, 1);
});

Deno.test("a log record is a line: time, severity, text, attributes, ids", async () => {
  const records: ReadableLogRecord[] = [];
  const logger = new LoggerProvider({
    processors: [{
      onEmit: (record) => void records.push(record),
      forceFlush: () => Promise.resolve(),
      shutdown: () => Promise.resolve(),
    }],
  }).getLogger("test");
  const timestamp = new Date(NOON * 1_000 + 250);
  const context = trace.setSpanContext(ROOT_CONTEXT, {
    traceId: "c".repeat(32),
    spanId: "d".repeat(16),
    traceFlags: 1,
  });
  logger.emit({
    timestamp,
    severityNumber: 13,
    severityText: "WARN",
    body: "two\nlines\u001b[2J",
    attributes: {
      "cicd.pipeline.name": "import",
      "spanloop.step.id": "load",
      "log.iostream": "stdout",
    },
    context,
  });
  logger.emit({ timestamp, eventName: "spanloop.store.opened", context: ROOT_CONTEXT });
  logger.emit({ timestamp, severityText: "INFO", body: { a: [1, "x"] }, context: ROOT_CONTEXT });
  const out = written();
  const sender = consoleLogSender(out);
  assert.equal(sender.signal, "logs");
  await sender.send(records);
  assert.deepEqual(out.texts.join("").split("\n"), [
    `12:00:00.250Z  WARN   two\\nlines\\x1b[2J  import/load  log.iostream=stdout  ${
      "c".repeat(32)
    }/${"d".repeat(16)}`,
    "12:00:00.250Z         spanloop.store.opened",
    '12:00:00.250Z  INFO   {"a":[1,"x"]}',
    "",
  ]);
});

Deno.test("a collection of metrics is a table, one line a point", async () => {
  const at = { startTime: 0n, time: BigInt(NOON) * 1_000_000_000n };
  const batch: MetricsBatch = {
    resource: {},
    scope: { name: "spanloop" },
    metrics: [
      {
        kind: "histogram",
        name: "cicd.pipeline.run.duration",
        description: "",
        unit: "s",
        temporality: "cumulative",
        points: [{
          ...at,
          attributes: { "cicd.pipeline.name": "import-orders" },
          count: 3,
          sum: 4,
          min: 0.25,
          max: 3,
          bounds: [1],
          counts: [2, 1],
          exemplars: [],
        }, { ...at, attributes: {}, count: 0, sum: 0, bounds: [], counts: [0], exemplars: [] }],
      },
      {
        kind: "sum",
        name: "cicd.pipeline.run.active",
        description: "",
        unit: "{run}",
        monotonic: false,
        temporality: "cumulative",
        integer: true,
        points: [{ ...at, attributes: { "cicd.pipeline.name": "a\u001b" }, value: 12 }],
      },
    ],
  };
  const out = written();
  const sender = consoleMetricSender(out);
  assert.equal(sender.signal, "metrics");
  await sender.send([batch, { ...batch, metrics: [] }]);
  assert.deepEqual(out.texts.join("").split("\n"), [
    "12:00:00.000Z  metrics",
    "  cicd.pipeline.run.duration  count 3, mean 1.33 s, 250 ms to 3.00 s  cicd.pipeline.name=import-orders",
    "  cicd.pipeline.run.duration  count 0",
    "  cicd.pipeline.run.active    12 run                                  cicd.pipeline.name=a\\x1b",
    "",
  ]);
});

Deno.test("where nothing can be written the batch fails, and closing does not (J5)", async () => {
  const { make, end, ended } = spanMaker();
  end(make("orphan", 1, {}, make("root", 0, {})), 2);
  const write = () => {
    throw new TypeError("closed pipe");
  };
  assert.deepEqual(await consoleSpanSender({ write }).send(ended), {
    status: "failed",
    message: "closed pipe",
  });
  const tree = consoleSpanSender({ write, tree: true });
  assert.deepEqual(await tree.send(ended), { status: "ok" });
  await tree.close();
});
