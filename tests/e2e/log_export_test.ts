// Log records as a collector gets them from a real run: the command line in a process of its own, over OTLP.
import assert from "node:assert/strict";
import { cli } from "../../engine/cli/_process_test.ts";

interface Attribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

interface Exported {
  readonly traceId: string;
  readonly spanId: string;
  readonly body?: { readonly stringValue: string };
  readonly eventName?: string;
  readonly severityNumber?: number;
  readonly attributes: readonly Attribute[];
}

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly name: string;
  readonly events?: readonly { readonly name: string; readonly attributes: readonly Attribute[] }[];
}

/** What came in, and the bytes of it as text. */
interface Received {
  readonly logs: Exported[];
  readonly spans: Span[];
  readonly texts: string[];
}

const SECRET = "s3cret-of-the-run";
const WORKFLOW = `name: exported
params:
  token: { type: secret, from: { env: TOKEN } }
steps:
  - id: speak
    run: echo "hello $TOKEN"; echo aside >&2
  - id: fail
    run: echo "no entry with $TOKEN"; exit 3
`;

/** Runs WORKFLOW with an OTLP endpoint that takes everything. */
async function exported(env: Readonly<Record<string, string>>): Promise<Received> {
  const received: Received = { logs: [], spans: [], texts: [] };
  const folder = await Deno.makeTempDir({ prefix: "spanloop-logs-" });
  await using server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    async (request) => {
      const text = await request.text();
      const body = JSON.parse(text);
      received.texts.push(text);
      for (const { scopeLogs } of body.resourceLogs ?? []) {
        for (const { logRecords } of scopeLogs) received.logs.push(...logRecords);
      }
      for (const { scopeSpans } of body.resourceSpans ?? []) {
        for (const { spans } of scopeSpans) received.spans.push(...spans);
      }
      return Response.json({});
    },
  );
  try {
    await Deno.writeTextFile(`${folder}/exported.yaml`, WORKFLOW);
    const ended = await cli(folder, ["run", "exported.yaml", "--store", "memory:"], {
      TOKEN: SECRET,
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${server.addr.port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_METRICS_EXPORTER: "none",
      ...env,
    });
    assert.equal(ended.code, 1, ended.err);
    assert.match(ended.err, /^speak \| hello \*\*\*$/m, "the terminal shows what it always does");
    assert.ok(!/warning|spanloop\./.test(ended.err), ended.err);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  return received;
}

function attribute(of: { readonly attributes: readonly Attribute[] }, key: string): unknown {
  return of.attributes.find((one) => one.key === key)?.value.stringValue;
}

function exceptions({ logs, spans }: Received): { asLogs: unknown[]; asEvents: unknown[] } {
  const names = new Map(spans.map(({ spanId, name }) => [spanId, name]));
  return {
    asLogs: logs.filter(({ eventName }) => eventName?.endsWith(".exception")).map((record) => [
      names.get(record.spanId),
      record.eventName,
      record.severityNumber,
      attribute(record, "exception.type"),
      attribute(record, "exception.message"),
    ]),
    asEvents: spans.flatMap(({ name, events = [] }) =>
      events.map((event) => [
        name,
        event.name,
        attribute(event, "exception.type"),
        attribute(event, "exception.message"),
      ])
    ),
  };
}

const MESSAGE = "The command exited with code 3: no entry with ***";
const AS_EVENTS = [
  ["fail", "exception", "shell.exit", MESSAGE],
  ["RUN exported", "exception", "shell.exit", MESSAGE],
];
const AS_LOGS = [
  ["fail", "spanloop.step.exception", 17, "shell.exit", MESSAGE],
  ["RUN exported", "spanloop.run.exception", 17, "shell.exit", MESSAGE],
];

Deno.test("a step's output is exported under its span, without its secrets; exceptions are span events", async () => {
  const received = await exported({});
  const { logs, spans, texts } = received;
  const speak = spans.find(({ name }) => name === "speak");
  const lines = logs.filter(({ eventName }) => eventName === "spanloop.step.output");
  assert.deepEqual(
    lines.filter(({ spanId }) => spanId === speak?.spanId).map((record) => [
      record.traceId,
      attribute(record, "spanloop.step.id"),
      attribute(record, "cicd.pipeline.name"),
      attribute(record, "log.iostream"),
      record.severityNumber,
      record.body?.stringValue,
    ]).sort(),
    [
      [speak?.traceId, "speak", "exported", "stderr", 9, "aside"],
      [speak?.traceId, "speak", "exported", "stdout", 9, "hello ***"],
    ],
  );
  assert.deepEqual(
    logs.filter(({ eventName }) => eventName?.endsWith(".end"))
      .map(({ eventName, severityNumber }) => [eventName, severityNumber]),
    // What went well is the spans' to tell.
    [["spanloop.step.end", 17], ["spanloop.run.end", 17]],
  );
  assert.deepEqual(exceptions(received), { asLogs: [], asEvents: AS_EVENTS });
  for (const text of texts) assert.ok(!text.includes(SECRET) && !text.includes(btoa(SECRET)));
});

Deno.test("OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN makes exceptions log records, alone or as well", async () => {
  const name = "OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN";
  assert.deepEqual(exceptions(await exported({ [name]: "logs" })), {
    asLogs: AS_LOGS,
    asEvents: [],
  });
  assert.deepEqual(exceptions(await exported({ [name]: "logs/dup" })), {
    asLogs: AS_LOGS,
    asEvents: AS_EVENTS,
  });
});

Deno.test("what the sampler keeps from traces is not kept from logs, which say that it was (T1)", async () => {
  const { logs, spans } = await exported({ OTEL_TRACES_SAMPLER: "always_off" });
  assert.deepEqual(spans, []);
  const hello = logs.find(({ body }) => body?.stringValue === "hello ***");
  assert.match(hello?.spanId ?? "", /^[0-9a-f]{16}$/);
  assert.equal((hello as { flags?: number }).flags ?? 0, 0);
});
