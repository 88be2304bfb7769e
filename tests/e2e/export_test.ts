import assert from "node:assert/strict";
import type { EndRecord, JournalRecord, StartRecord } from "../../engine/core/span.ts";
import { openStore } from "../../engine/store/open.ts";
import { collect, type CollectedSpan, type Collector } from "./collector.ts";

const MAIN = new URL("../../engine/cli/main.ts", import.meta.url).pathname;

const WORKFLOW = `
name: exported
steps:
  - id: first
    span: { attributes: { team: data, size: 7, long: aaaaaaaaaaaaaaaaaaaa } }
    run: echo "parent $TRACEPARENT"
  - id: flaky
    needs: []
    retry: { attempts: 2, initial: 1ms }
    run: test "$SPANLOOP_ATTEMPT" = 2 || exit 75
  - id: each
    needs: []
    for_each: { list: [1, 2, 3, 4, 5], batch: 2 }
    retry: { attempts: 2, initial: 1ms }
    run: echo "$TRACEPARENT" >> parents.txt; test "$SPANLOOP_ATTEMPT" = 2 || test "$(head -1)" != 3 || exit 75
  - id: found
    needs: [each]
    uses: emit
    with: { name: finding, attributes: { count: 3 } }
  - id: call
    needs: []
    uses: workflow
    with: { file: ./child.yaml }
  - id: breaks
    needs: []
    continue_on_error: true
    run: exit 3
`;
const CHILD = `
name: exported-child
steps:
  - id: inner
    run: "true"
`;

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly records: readonly JournalRecord[];
  readonly parents: readonly string[];
}

/** Runs the workflow in a process of its own, with telemetry as `env` says. */
async function run(
  env: Record<string, string>,
  text = WORKFLOW,
  embedder?: string,
): Promise<Ran> {
  const folder = await Deno.makeTempDir({ prefix: "spanloop-export-" });
  try {
    await Deno.writeTextFile(`${folder}/workflow.yaml`, text);
    await Deno.writeTextFile(`${folder}/child.yaml`, CHILD);
    const [file, location] = [`${folder}/workflow.yaml`, `sqlite:${folder}/store.db`];
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "-A", "--no-check"],
        ...(embedder === undefined ? [MAIN, "run", file] : [embedder, file, location]),
      ],
      env: { SPANLOOP_STORE: location, NO_COLOR: "1", ...env },
    }).output();
    const store = await openStore(location, { durability: "normal" });
    const records = await store.since(0, 100_000);
    await store.close();
    const parents = await Deno.readTextFile(`${folder}/parents.txt`).catch(() => "");
    return {
      code,
      out: new TextDecoder().decode(stdout),
      err: new TextDecoder().decode(stderr),
      records: records as readonly JournalRecord[],
      parents: parents.split("\n").filter((line) => line !== ""),
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const otlp = ({ endpoint }: Collector, more: Record<string, string> = {}) => ({
  OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
  ...more,
});

const starts = (records: readonly JournalRecord[]) =>
  records.filter((record): record is StartRecord => record.type === "start");

const named = (spans: readonly CollectedSpan[], name: string) =>
  spans.filter((span) => span.name === name);

const detailed = (settings: string) => WORKFLOW.replace("steps:", `trace: ${settings}\nsteps:`);

// Each of the journal's spans came once, with its ids, times and tree.
function assertSame(spans: readonly CollectedSpan[], records: readonly JournalRecord[]): void {
  const ends = new Map(
    records.filter((record): record is EndRecord => record.type === "end")
      .map((end) => [end.spanId, end]),
  );
  const expected = starts(records).map(({ span }) => ({
    name: span.name,
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.parentSpanId,
    start: String(span.startTime),
    end: String(ends.get(span.spanId)!.end.endTime),
  }));
  const sorted = (all: typeof expected) => all.toSorted((a, b) => a.spanId < b.spanId ? -1 : 1);
  assert.deepEqual(
    sorted(spans.map(({ name, traceId, spanId, parentSpanId, start, end }) => ({
      name,
      traceId,
      spanId,
      parentSpanId,
      start,
      end,
    }))),
    sorted(expected),
  );
}

const PROTOCOLS: readonly Record<string, string>[] = [
  { OTEL_EXPORTER_OTLP_PROTOCOL: "http/json" },
  { OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf", OTEL_EXPORTER_OTLP_COMPRESSION: "gzip" },
];
for (const env of PROTOCOLS) {
  Deno.test(`every span of the journal arrives once, as it is there: ${Object.values(env).join(" ")} (J3, T1)`, async () => {
    await using collector = collect();
    const ran = await run(otlp(collector, env), detailed("{ detail: batches }"));
    assert.equal(ran.code, 0, ran.err);
    assertSame(collector.spans, ran.records);
    const [first] = named(collector.spans, "first");
    assert.equal(first.attributes.team, "data");
    assert.equal(first.attributes.size, 7);
    assert.equal(first.resource["service.name"], "spanloop");
    const [before, after] = named(collector.spans, "flaky");
    assert.deepEqual(after.links, [{
      traceId: after.traceId,
      spanId: before.spanId,
      type: "retry",
    }]);
    const [broken] = named(collector.spans, "breaks");
    assert.equal(broken.error, true);
    assert.deepEqual(broken.events, [{
      name: "exception",
      attributes: {
        "exception.type": "shell.exit",
        "exception.message": broken.events[0].attributes["exception.message"],
      },
    }]);
    const said = collector.logs.find(({ body }) => String(body).startsWith("parent 00-"))!;
    assert.deepEqual([said.traceId, said.spanId], [first.traceId, first.spanId]);
    assert.equal(said.body, `parent 00-${first.traceId}-${first.spanId}-01`);
  });
}

Deno.test("by default a for_each step's batches stay out of the exported trace (T1)", async () => {
  await using collector = collect();
  const ran = await run(otlp(collector));
  const each = named(collector.spans, "each");
  assert.equal(each.length, 1);
  assert.equal(each[0].attributes["spanloop.items.processed"], 5);
  assert.equal(starts(ran.records).filter(({ range }) => range !== undefined).length, 4);
  // A traced child is told of the span that is exported.
  const { traceId, spanId } = each[0];
  assert.deepEqual(ran.parents, Array(4).fill(`00-${traceId}-${spanId}-01`));
});

Deno.test("detail: run exports runs alone (T1)", async () => {
  await using collector = collect();
  await run(otlp(collector), detailed("{ detail: run }"));
  // The called workflow has no word on it: its steps are exported.
  assert.deepEqual(collector.spans.map(({ name }) => name).sort(), [
    "RUN exported",
    "RUN exported-child",
    "inner",
  ]);
  const [parent, child] = [
    named(collector.spans, "RUN exported")[0],
    named(collector.spans, "RUN exported-child")[0],
  ];
  assert.equal(child.parentSpanId, parent.spanId);
});

Deno.test("mode: linked makes each batch a trace of its own, with links between them (T1)", async () => {
  await using collector = collect();
  const ran = await run(otlp(collector), detailed("{ mode: linked }"));
  const [step, ...rest] = named(collector.spans, "each").toSorted((a, b) =>
    a.parentSpanId === undefined ? 1 : b.parentSpanId === undefined ? -1 : 0
  );
  assert.equal(rest.length, 4);
  assert.equal(new Set([step, ...rest].map(({ traceId }) => traceId)).size, 5);
  for (const batch of rest) {
    assert.equal(batch.parentSpanId, undefined);
    const toStep = batch.links.find(({ type }) => type === "batch");
    assert.deepEqual(toStep, { traceId: step.traceId, spanId: step.spanId, type: "batch" });
    assert.ok(ran.parents.includes(`00-${batch.traceId}-${batch.spanId}-01`));
  }
  const again = rest.find(({ links }) => links.some(({ type }) => type === "retry"))!;
  const link = again.links.find(({ type }) => type === "retry")!;
  const before = rest.find(({ spanId }) => spanId === link.spanId)!;
  assert.equal(link.traceId, before.traceId);
});

Deno.test("a sampler decides what is exported, and nothing else: ratio 0 (T1)", async () => {
  await using collector = collect();
  const ran = await run(
    otlp(collector, { OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_SAMPLER_ARG: "0" }),
    detailed("{ detail: batches }"),
  );
  assert.equal(ran.code, 0, ran.err);
  assert.deepEqual(collector.spans, []);
  assert.ok(starts(ran.records).length >= 13, "the journal has them all");
  const [first] = starts(ran.records).filter(({ key }) => key === "first");
  assert.match(ran.err, new RegExp(`parent 00-${first.span.traceId}-${first.span.spanId}-00`));
});

Deno.test("a caller's decision rules under parentbased_always_on (T1)", async () => {
  for (const [flags, came] of [["00", false], ["01", true]] as const) {
    await using collector = collect();
    await run(otlp(collector, {
      OTEL_TRACES_SAMPLER: "parentbased_always_on",
      TRACEPARENT: `00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-${flags}`,
    }));
    assert.equal(collector.spans.length > 0, came);
    if (!came) continue;
    const [root] = named(collector.spans, "RUN exported");
    assert.equal(root.traceId, "0af7651916cd43dd8448eb211c80319c");
    assert.equal(root.parentSpanId, "b7ad6b7169203331");
  }
});

Deno.test("limits and the deny-list act on what is exported, and not on the journal (T1)", async () => {
  await using collector = collect();
  const ran = await run(otlp(collector, {
    OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT: "10",
    OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: "9",
    SPANLOOP_OTEL_DENY_ATTRIBUTES: "te*m",
  }));
  const [first] = named(collector.spans, "first");
  assert.equal(Object.keys(first.attributes).length, 9);
  assert.ok(first.dropped > 0);
  assert.equal(first.attributes.team, "[redacted]");
  assert.ok(!Object.values(first.attributes).some((value) => String(value).length > 10));
  const [journalled] = starts(ran.records).filter(({ key }) => key === "first");
  assert.equal(journalled.span.attributes.team, "data");
  assert.equal(journalled.span.attributes.long, "a".repeat(20));
});

Deno.test("OTEL_SDK_DISABLED exports nothing", async () => {
  await using collector = collect();
  const ran = await run(otlp(collector, { OTEL_SDK_DISABLED: "true" }));
  assert.equal(ran.code, 0, ran.err);
  assert.deepEqual(collector.requests, []);
});

Deno.test("headers, service name and resource attributes are those of the environment", async () => {
  await using collector = collect();
  await run(otlp(collector, {
    OTLP_API_KEY: "k3y",
    OTEL_EXPORTER_OTLP_HEADERS: "x-scope=a%20b",
    OTEL_SERVICE_NAME: "nightly",
    OTEL_RESOURCE_ATTRIBUTES: "team=data",
    DEPLOYMENT_ENV: "staging",
  }));
  for (const { headers } of collector.requests) {
    assert.equal(headers.get("authorization"), "Bearer k3y");
    assert.equal(headers.get("x-scope"), "a b");
  }
  const { resource } = collector.spans[0];
  assert.equal(resource["service.name"], "nightly");
  assert.equal(resource.team, "data");
  assert.equal(resource["deployment.environment.name"], "staging");
});

Deno.test("a collector that refuses: the run is as ever, and one line a signal says what was lost (J5)", async () => {
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  const ran = await run({ OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` });
  assert.equal(ran.code, 0, ran.err);
  const lines = ran.err.split("\n").filter((line) => line.includes("not exported"));
  assert.equal(lines.filter((line) => /^.*\d+ spans not exported to otlp/.test(line)).length, 1);
  assert.ok(lines.length <= 3, lines.join("\n"));
});

Deno.test("a collector that errs: what is refused for good is told of once (J5)", async () => {
  await using collector = collect(() => new Response("no", { status: 400 }));
  const ran = await run(otlp(collector));
  assert.equal(ran.code, 0, ran.err);
  assert.match(ran.err, /\d+ spans not exported to otlp .*: 400 Bad Request/);
});

Deno.test("a collector that is away for a moment gets all of it in the end (J5)", async () => {
  let requests = 0;
  await using collector = collect(() =>
    ++requests <= 3 ? new Response(null, { status: 503 }) : undefined
  );
  const ran = await run(otlp(collector), detailed("{ detail: batches }"));
  assertSame(collector.spans, ran.records);
  assert.doesNotMatch(ran.err, /not exported/);
});

Deno.test("OTEL_DENO=true: no span of the engine is lost, none doubled", async () => {
  await using collector = collect();
  const ran = await run(otlp(collector, { OTEL_DENO: "true" }), detailed("{ detail: batches }"));
  assert.equal(ran.code, 0, ran.err);
  // Deno's own spans, of processes and requests, come beside them.
  const ours = collector.spans.filter(({ resource }) =>
    resource["telemetry.sdk.name"] === "opentelemetry"
  );
  assertSame(ours, ran.records);
});

Deno.test("in an application with a global provider of its own, neither has the other's spans", async () => {
  await using collector = collect();
  const embedder = new URL("./own_provider.ts", import.meta.url).pathname;
  const ran = await run(otlp(collector), detailed("{ detail: batches }"), embedder);
  assert.equal(ran.code, 0, ran.err);
  assert.deepEqual(JSON.parse(ran.out), ["application's own"]);
  assertSame(collector.spans, ran.records);
});

Deno.test("metrics come at the end of a run, with exemplars of its trace", async () => {
  for (const temporality of ["cumulative", "delta"]) {
    await using collector = collect();
    const preference = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE";
    await run(otlp(collector, { [preference]: temporality }));
    const [root] = named(collector.spans, "RUN exported");
    const { histogram } = collector.metrics.get("cicd.pipeline.run.duration") as {
      histogram: {
        aggregationTemporality: number;
        dataPoints: {
          attributes: { key: string; value: { stringValue: string } }[];
          count: string;
          exemplars?: { traceId: Uint8Array; spanId: Uint8Array; asDouble: number }[];
        }[];
      };
    };
    assert.equal(histogram.aggregationTemporality, temporality === "delta" ? 1 : 2);
    const point = histogram.dataPoints.find(({ attributes }) => {
      const values = attributes.map(({ value }) => value.stringValue);
      return values.includes("exported") && values.includes("success");
    })!;
    assert.equal(point.count, "1");
    const [exemplar] = point.exemplars!;
    assert.equal(exemplar.traceId.toHex(), root.traceId);
    assert.equal(exemplar.spanId.toHex(), root.spanId);
    const seconds = Number(BigInt(root.end) - BigInt(root.start)) / 1e9;
    assert.equal(exemplar.asDouble.toFixed(6), seconds.toFixed(6));
  }
});
