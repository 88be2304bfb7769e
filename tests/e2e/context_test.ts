import assert from "node:assert/strict";
import { createEngine } from "../../engine/engine.ts";
import type { JournalRecord, SpanStart, StartEntry } from "../../engine/core/span.ts";
import { LocalEngine } from "../../engine/local_engine.ts";
import { openStore } from "../../engine/store/open.ts";
import { WorkflowFiles } from "../../engine/workflow_files.ts";

const MAIN = new URL("../../engine/cli/main.ts", import.meta.url).pathname;
const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";

const PARENT = `
name: parent
params:
  priority: { type: integer, default: 7 }
  origin: { type: string, default: "http://127.0.0.1:9/" }
baggage:
  team: data
  app.priority: \${{ params.priority }}
  nothing: \${{ run.error }}
  tenant: { from: caller }
trace: { mode: linked, detail: batches }
steps:
  - id: shell
    run: echo "$TRACEPARENT|$TRACESTATE|$BAGGAGE"
  - id: apart
    uses: script
    with: { module: ./apart.ts, permissions: { env: [TRACEPARENT, BAGGAGE] } }
  - id: ask
    uses: http
    with: { url: "\${{ params.origin }}?key=abc" }
    continue_on_error: true
  - id: own
    span: { attributes: { team: mine } }
    run: "true"
  - id: each
    for_each: [1, 2]
    run: "true"
  - id: never
    if: "false"
    run: "true"
  - id: found
    uses: emit
    with: { name: finding }
  - id: call
    uses: workflow
    with: { file: ./child.yaml }
`;
const CHILD = `
name: child
baggage: { region: eu, team: child }
steps:
  - id: inner
    run: echo "$TRACEPARENT|$TRACESTATE|$BAGGAGE"
`;
const APART =
  `export default () => ({ got: Deno.env.get("TRACEPARENT") + "|" + Deno.env.get("BAGGAGE") });`;

interface Scene {
  readonly folder: string;
  readonly headers: Headers[];
  readonly origin: string;
  /** Runs a command of the command line, with an environment of its own. */
  spanloop(
    args: readonly string[],
    env?: Record<string, string>,
  ): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }>;
  journal(): Promise<readonly JournalRecord[]>;
}

async function inFolder(
  files: Readonly<Record<string, string>>,
  test: (scene: Scene) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "spanloop-context-" });
  const headers: Headers[] = [];
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    headers.push(request.headers);
    return new Response("here");
  });
  try {
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(`${folder}/${name}`, text);
    }
    await test({
      folder,
      headers,
      origin: `http://127.0.0.1:${server.addr.port}/`,
      async spanloop(args, env = {}) {
        const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
          args: ["run", "-A", "--no-check", MAIN, ...args, "--store", `sqlite:${folder}/store.db`],
          cwd: folder,
          // A task sets INIT_CWD.
          env: { NO_COLOR: "1", INIT_CWD: folder, ...env },
        }).output();
        const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
        return { code, stdout: text(stdout), stderr: text(stderr) };
      },
      async journal() {
        const store = await openStore(`sqlite:${folder}/store.db`, { durability: "normal" });
        try {
          const records = await store.since(0, 10_000);
          return records.filter((record) => record.type === "start" || record.type === "end");
        } finally {
          await store.close();
        }
      },
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const FILES = { "parent.yaml": PARENT, "child.yaml": CHILD, "apart.ts": APART };

const starts = (records: readonly JournalRecord[]) =>
  records.filter((record): record is JournalRecord & StartEntry => record.type === "start");

function spanOf(records: readonly JournalRecord[], key: string): SpanStart {
  const found = starts(records).filter((start) => start.key === key);
  assert.equal(found.length, 1, `${found.length} starts have the key ${key}`);
  return found[0].span;
}

function outputsOf(records: readonly JournalRecord[], key: string): Record<string, string> {
  const end = records.findLast((record) => record.type === "end" && record.key === key);
  assert.ok(end?.type === "end");
  return end.outputs as Record<string, string>;
}

Deno.test("a workflow's baggage goes over the caller's, to every child and onto every span", () =>
  inFolder(FILES, async (scene) => {
    const { code, stderr } = await scene.spanloop(
      ["run", "parent.yaml", "--param", `origin=${scene.origin}`],
      {
        TRACEPARENT: `00-${TRACE}-${SPAN}-02`,
        TRACESTATE: "vendor=x",
        BAGGAGE: "tenant=acme;p=1,user=ann,team=theirs",
      },
    );
    assert.equal(code, 0, stderr);
    const records = await scene.journal();
    const baggage = "team=data,app.priority=7,tenant=acme;p=1,user=ann";
    const parent = (key: string) => `00-${TRACE}-${spanOf(records, key).spanId}-02`;
    assert.equal(outputsOf(records, "shell").stdout, `${parent("shell")}|vendor=x|${baggage}`);
    assert.equal(outputsOf(records, "apart").got, `${parent("apart")}|${baggage}`);
    const [headers] = scene.headers;
    assert.equal(headers.get("traceparent"), parent("ask"));
    assert.equal(headers.get("tracestate"), "vendor=x");
    assert.equal(headers.get("baggage"), baggage);
    assert.equal(
      outputsOf(records, "inner").stdout,
      `${parent("inner")}|vendor=x|region=eu,team=child,app.priority=7,tenant=acme;p=1,user=ann`,
      "a sub-workflow's caller is the attempt",
    );

    const context = { team: "data", "app.priority": "7", tenant: "acme" };
    for (const { key, role, span, runId } of starts(records)) {
      const { attributes } = span;
      const inChild = runId !== starts(records)[0].runId;
      const wanted = inChild
        ? { ...context, team: "child", region: "eu" }
        : key === "own"
        ? { ...context, team: "mine" }
        : context;
      for (const [name, value] of Object.entries(wanted)) {
        assert.equal(attributes[name], value, `${name} of ${role} ${key}`);
      }
      assert.ok(!("user" in attributes), "nobody asked for it");
      assert.ok(!("nothing" in attributes), "null sets nothing");
      assert.equal(span.traceState, "vendor=x");
      assert.equal(span.traceFlags, inChild ? undefined : 2, `flags of ${key}`);
    }
    const roles = new Set(starts(records).map(({ role }) => role));
    assert.deepEqual([...roles].sort(), ["attempt", "emit", "run", "skip", "step"]);
  }));

Deno.test("a run's start says how its spans are exported (T1)", () =>
  inFolder(FILES, async (scene) => {
    assert.equal((await scene.spanloop(["run", "parent.yaml"])).code, 0);
    const settings = starts(await scene.journal()).filter(({ trace }) => trace !== undefined);
    assert.deepEqual(settings.map(({ role, trace }) => [role, trace]), [
      ["run", { mode: "linked", detail: "batches" }],
      ["run", { mode: "single", detail: "steps" }],
    ]);
  }));

Deno.test("attempts say their exit code and their request, without what is private", () =>
  inFolder(FILES, async (scene) => {
    const url = scene.origin.replace("//", "//ann:pw@");
    await scene.spanloop(["run", "parent.yaml", "--param", `origin=${url}`]);
    const records = await scene.journal();
    const end = (key: string) => {
      const found = records.find((record) => record.type === "end" && record.key === key);
      assert.ok(found?.type === "end");
      return found.end.attributes;
    };
    assert.equal(end("shell")["process.exit.code"], 0);
    assert.equal(end("apart")["process.exit.code"], 0);
    assert.equal(end("found")["process.exit.code"], undefined);
    assert.equal(end("ask")["http.response.status_code"], 200);
    assert.equal(
      end("ask")["url.full"],
      `${scene.origin.replace("//", "//REDACTED:REDACTED@")}?key=REDACTED`,
    );
    assert.equal(spanOf(records, "ask").kind, "client");
  }));

Deno.test("children are told of the spans as they are exported: linked batches, coarse detail, what is not sampled", () =>
  inFolder({
    "linked.yaml": `
name: linked
trace: { mode: linked, detail: batches }
steps:
  - { id: each, for_each: [1, 2], run: echo "$TRACEPARENT" }
`,
    "coarse.yaml": `
name: coarse
trace: { detail: run }
steps:
  - { id: each, for_each: [1, 2], run: echo "$TRACEPARENT" }
`,
  }, async (scene) => {
    const run = async (file: string, sampler: string) => {
      const lines = `${scene.folder}/${file}.${sampler}.jsonl`;
      const { code, stdout, stderr } = await scene.spanloop(["run", file, "--json"], {
        OTEL_TRACES_EXPORTER: "otlp_file",
        OTEL_METRICS_EXPORTER: "none",
        OTEL_LOGS_EXPORTER: "none",
        OTEL_TRACES_SAMPLER: sampler,
        SPANLOOP_OTLP_FILE: lines,
      });
      assert.equal(code, 0, stderr);
      const { steps, trace_id } = JSON.parse(stdout);
      const exported = (await Deno.readTextFile(lines).catch(() => "")).split("\n").filter(Boolean)
        .flatMap((line) => [...line.matchAll(/"traceId":"(\w+)","spanId":"(\w+)"/g)])
        .map(([, traceId, spanId]) => `${traceId}-${spanId}`);
      const told = steps[0].outputs.map((batch: { stdout: string }) => batch.stdout);
      return { exported: new Set(exported), told: told as string[], trace: String(trace_id) };
    };
    const linked = await run("linked.yaml", "always_on");
    assert.equal(new Set(linked.told).size, 2);
    for (const parent of linked.told) {
      assert.match(parent, /-01$/);
      assert.ok(!parent.includes(linked.trace), "a trace of its own");
      assert.ok(linked.exported.has(parent.slice(3, -3)), `${parent} was exported`);
    }
    const coarse = await run("coarse.yaml", "always_on");
    assert.equal(new Set(coarse.told).size, 1, "the run's span, which alone is exported");
    assert.ok(coarse.exported.has(coarse.told[0].slice(3, -3)));
    const none = await run("linked.yaml", "always_off");
    assert.equal(none.exported.size, 0);
    for (const parent of none.told) assert.match(parent, /-00$/);
  }));

Deno.test("OTEL_PROPAGATORS=none: context is neither read nor written", () =>
  inFolder(FILES, async (scene) => {
    const inherited = { TRACEPARENT: `00-${TRACE}-${SPAN}-01`, BAGGAGE: "tenant=acme" };
    const { code } = await scene.spanloop(
      ["run", "parent.yaml", "--param", `origin=${scene.origin}`],
      { OTEL_PROPAGATORS: "none", ...inherited },
    );
    assert.equal(code, 0);
    const records = await scene.journal();
    const [{ span }] = starts(records);
    assert.notEqual(span.traceId, TRACE);
    assert.equal(span.attributes.tenant, undefined);
    assert.equal(span.attributes.team, "data", "the workflow's own says it all the same");
    assert.equal(
      outputsOf(records, "shell").stdout,
      `${inherited.TRACEPARENT}||${inherited.BAGGAGE}`,
      "what the process was given stays, as with any program that knows nothing of it",
    );
    assert.equal(scene.headers[0].get("traceparent"), null);
    assert.equal(scene.headers[0].get("baggage"), null);
  }));

Deno.test("baggage beyond W3C's limits is left out, and a person is told", () =>
  inFolder({ "w.yaml": 'name: w\nsteps: [{ id: a, run: echo "$BAGGAGE" }]\n' }, async (scene) => {
    const members = Array.from({ length: 70 }, (_, index) => `n${index}=v`);
    const { code, stderr } = await scene.spanloop(["run", "w.yaml"], {
      BAGGAGE: `${members.join(",")},no value`,
    });
    assert.equal(code, 0, stderr);
    assert.match(stderr, /7 members of the caller's baggage left out/);
    assert.equal(outputsOf(await scene.journal(), "a").stdout, members.slice(0, 64).join(","));
  }));

Deno.test("a secret does not get into baggage by way of another parameter (V4)", () =>
  inFolder({
    "w.yaml": `
name: w
params:
  token: { type: secret, from: { file: token } }
  note: { type: string }
baggage: { note: "see \${{ params.note }}" }
steps: [{ id: a, run: echo "$BAGGAGE" }]
`,
    token: "hush-hush-hush",
  }, async (scene) => {
    const { code, stderr, stdout } = await scene.spanloop(
      ["run", "w.yaml", "--param", "note=hush-hush-hush"],
    );
    assert.equal(code, 2);
    assert.match(stderr, /`baggage\.note` would hold a secret/);
    assert.ok(!`${stderr}${stdout}`.includes("hush-hush"));
    assert.equal((await scene.spanloop(["run", "w.yaml", "--param", "note=fine"])).code, 0);
  }));

Deno.test("a resumed run keeps its baggage, its flags and what its spans say (R5)", () =>
  inFolder({
    "w.yaml": `
name: w
baggage: { team: data, tenant: { from: caller } }
steps:
  - id: dies
    run: test -e died || { touch died; kill -9 $PPID; sleep 60; }; echo "$TRACEPARENT|$BAGGAGE"
`,
  }, async (scene) => {
    await scene.spanloop(["run", "w.yaml"], {
      TRACEPARENT: `00-${TRACE}-${SPAN}-00`,
      BAGGAGE: "tenant=acme",
    });
    const { code, stderr } = await scene.spanloop(["resume", "last"], {
      TRACEPARENT: `00-${"1".repeat(32)}-${SPAN}-01`,
      BAGGAGE: "tenant=other",
    });
    assert.equal(code, 0, stderr);
    const records = await scene.journal();
    const [first, second] = starts(records).filter(({ key }) => key === "dies");
    const { stdout } = outputsOf(records, "dies");
    assert.equal(stdout, `00-${TRACE}-${second.span.spanId}-00|team=data,tenant=acme`);
    assert.deepEqual(
      second.span.links?.map(({ spanId, attributes }) => [spanId, attributes]),
      [[first.span.spanId, { "spanloop.link.type": "resume" }]],
    );
    for (const { span } of starts(records)) {
      assert.equal(span.attributes.tenant, "acme");
      assert.equal(span.attributes.team, "data");
    }
  }));

Deno.test("a rerun's span links to the run before, and a retry's to the try before", () =>
  inFolder({
    "w.yaml": `
name: w
steps:
  - id: flaky
    retry: { attempts: 2, initial: 1ms }
    run: test "$SPANLOOP_ATTEMPT" = 2 || exit 75
`,
  }, async ({ folder, journal }) => {
    const engine = await createEngine({ near: folder, store: `sqlite:${folder}/store.db` });
    const { run_id } = await engine.run(`${folder}/w.yaml`);
    await engine.rerun(run_id);
    await engine.close();
    const records = await journal();
    const [before, after] = starts(records).filter(({ role }) => role === "run");
    assert.equal(before.span.links, undefined);
    const { traceId, spanId } = before.span;
    assert.deepEqual(after.span.links, [
      { traceId, spanId, attributes: { "spanloop.link.type": "rerun" } },
    ]);
    const [first, second] = starts(records).filter(({ key }) => key === "flaky");
    assert.deepEqual(second.span.links, [{
      traceId,
      spanId: first.span.spanId,
      attributes: { "spanloop.link.type": "retry" },
    }]);
    assert.equal(second.span.parentSpanId, spanId);
  }));

Deno.test("a triggered run links to the span that triggered it, and is no child of the engine's caller", () =>
  inFolder({
    "w.yaml": "name: w\nbaggage: { team: data, tenant: { from: caller } }\n" +
      'steps: [{ id: a, run: echo "$BAGGAGE" }]\n',
  }, async ({ folder, journal }) => {
    const place = {
      location: `sqlite:${folder}/store.db`,
      durability: "normal",
      plugins: [],
    } as const;
    const engine = new LocalEngine(place, { near: folder });
    const loaded = new WorkflowFiles().load(`${folder}/w.yaml`);
    const triggeredBy = { traceId: TRACE, spanId: SPAN };
    await (await engine.startTriggered(loaded, "w/span/1", { triggeredBy })).report;
    const trace = { traceId: TRACE, parentSpanId: SPAN, traceFlags: 1, baggage: "tenant=acme" };
    await (await engine.startTriggered(loaded, "w/webhook/1", { trace })).report;
    await (await engine.startTriggered(loaded, "w/0/1")).report;
    await engine.close();
    const records = await journal();
    const [linked, called, alone] = starts(records).filter(({ role }) => role === "run");
    assert.notEqual(linked.span.traceId, TRACE);
    assert.equal(linked.span.parentSpanId, undefined);
    assert.deepEqual(linked.span.links, [
      { ...triggeredBy, attributes: { "spanloop.link.type": "trigger" } },
    ]);
    assert.equal(called.span.traceId, TRACE);
    assert.equal(called.span.parentSpanId, SPAN);
    assert.equal(called.span.attributes.tenant, "acme");
    assert.equal(alone.span.links, undefined);
    const printed = records.flatMap((record) =>
      record.type === "end" && record.key === "a"
        ? [(record.outputs as { stdout: string }).stdout]
        : []
    );
    assert.deepEqual(printed, ["team=data", "team=data,tenant=acme", "team=data"]);
  }));
