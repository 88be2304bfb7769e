import assert from "node:assert/strict";
import { createEngine } from "../../engine/engine.ts";
import type { RunReport } from "../../engine/core/report.ts";
import type { JournalRecord, StartEntry } from "../../engine/core/span.ts";
import { openStore } from "../../engine/store/open.ts";
import { type SeenSpan, SpanLog } from "./span_log.ts";

const WORKFLOW = `
name: traced
params:
  size: { type: integer, default: 2 }
  origin: { type: string }
  token: { type: secret, from: { file: token } }
steps:
  - id: shell
    span: { name: shell.named, attributes: { team: data, size: "\${{ params.size }}" } }
    run: echo "$TRACEPARENT|$TRACESTATE|$BAGGAGE"
  - id: flaky
    needs: []
    retry: { attempts: 2, initial: 1ms }
    run: test "$SPANLOOP_ATTEMPT" = 2 || exit 75
  - id: each
    needs: []
    for_each: { list: [1, 2, 3], batch: "\${{ params.size }}" }
    run: wc -l
  - id: never
    needs: []
    if: "false"
    run: echo never
  - id: ask
    needs: []
    uses: http
    with: { url: "\${{ params.origin }}" }
  - id: found
    needs: []
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
finally:
  - id: clean
    run: "true"
`;
const CHILD = `
name: traced-child
steps:
  - id: inner
    run: echo "$TRACEPARENT"
`;

interface Traced {
  readonly folder: string;
  readonly store: string;
  readonly file: string;
  readonly headers: Headers[];
  readonly params: Record<string, string>;
}

async function inFolder(test: (traced: Traced) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "spanloop-spans-" });
  const headers: Headers[] = [];
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    headers.push(request.headers);
    return new Response("here");
  });
  try {
    await Deno.writeTextFile(`${folder}/workflow.yaml`, WORKFLOW);
    await Deno.writeTextFile(`${folder}/child.yaml`, CHILD);
    await Deno.writeTextFile(`${folder}/token`, "t0ken-of-spans\n");
    const origin = `http://127.0.0.1:${server.addr.port}/`;
    await test({
      folder,
      store: `sqlite:${folder}/store.db`,
      file: `${folder}/workflow.yaml`,
      headers,
      params: { origin },
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function journalOf(location: string): Promise<readonly JournalRecord[]> {
  const store = await openStore(location, { durability: "normal" });
  try {
    const records = await store.since(0, 10_000);
    return records.filter((record) => record.type === "start" || record.type === "end");
  } finally {
    await store.close();
  }
}

const starts = (records: readonly JournalRecord[]) =>
  records.filter((record): record is JournalRecord & StartEntry => record.type === "start");

// J3 for one processor: each of the journal's spans started and ended once, with the journal's ids, in its tree.
function assertSeen(
  seen: Pick<SpanLog, "started" | "ended">,
  records: readonly JournalRecord[],
): void {
  const journalled = new Map(starts(records).map((start) => [start.span.spanId, start]));
  assert.equal(new Set(seen.started).size, seen.started.length, "a span started twice");
  assert.deepEqual([...seen.started].sort(), [...journalled.keys()].sort());
  assert.deepEqual(seen.ended.map(({ spanId }) => spanId).sort(), [...journalled.keys()].sort());
  for (const span of seen.ended) {
    const { span: start } = journalled.get(span.spanId) as StartEntry;
    assert.equal(span.scope, "spanloop");
    assert.equal(span.name, start.name);
    assert.equal(span.traceId, start.traceId);
    assert.equal(span.parentSpanId, start.parentSpanId);
  }
}

function one(ended: readonly SeenSpan[], name: string): SeenSpan {
  const found = ended.filter((span) => span.name === name);
  assert.equal(found.length, 1, `${found.length} spans are named ${name}`);
  return found[0];
}

function runLogged(traced: Traced, env: Record<string, string>): Promise<Deno.CommandOutput> {
  return new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-check",
      new URL("./run_logged.ts", import.meta.url).pathname,
      traced.file,
      traced.store,
      ...Object.entries(traced.params).map(([name, value]) => `${name}=${value}`),
    ],
    env,
    stdout: "piped",
    stderr: "piped",
  }).output();
}

function parse(
  output: Deno.CommandOutput,
): { report: RunReport; started: string[]; ended: SeenSpan[] } {
  assert.equal(output.code, 0, new TextDecoder().decode(output.stderr));
  return JSON.parse(new TextDecoder().decode(output.stdout));
}

Deno.test("a processor sees every span of the journal once, in its tree, by the conventions (J3, T1)", () =>
  inFolder(async (traced) => {
    const log = new SpanLog();
    const engine = await createEngine({
      near: traced.file,
      store: traced.store,
      spanProcessors: [log],
    });
    const report = await engine.run(traced.file, { given: { text: traced.params } });
    await engine.close();
    assert.equal(report.status, "succeeded");
    assertSeen(log, await journalOf(traced.store));

    const run = one(log.ended, "RUN traced");
    assert.equal(run.traceId, report.trace_id);
    assert.equal(run.kind, 1, "a run is of kind server");
    assert.equal(run.parentSpanId, undefined);
    assert.equal(run.attributes["cicd.pipeline.name"], "traced");
    assert.equal(run.attributes["cicd.pipeline.run.id"], report.run_id);
    assert.equal(run.attributes["cicd.pipeline.result"], "success");
    assert.equal(run.attributes["spanloop.parameter.size"], 2);
    assert.equal(run.attributes["spanloop.parameter.token"], undefined);

    const shell = one(log.ended, "shell.named");
    assert.equal(shell.parentSpanId, run.spanId);
    assert.equal(shell.attributes.team, "data");
    assert.equal(shell.attributes.size, 2);
    assert.equal(shell.attributes["spanloop.parameter.size"], 2, "the values it ran with");
    assert.equal(shell.attributes["spanloop.step.type"], "shell");
    assert.equal(shell.attributes["cicd.pipeline.task.run.id"], `${report.run_id}/shell/1`);

    const [first, second] = log.named("flaky");
    assert.equal(first.attributes["cicd.pipeline.task.run.result"], "failure");
    assert.equal(first.attributes["error.type"], "shell.exit");
    assert.equal(first.error, true);
    assert.equal(second.attributes["spanloop.attempt"], 2);
    assert.equal(second.error, false);
    assert.deepEqual(second.links, [{ spanId: first.spanId, type: "retry" }]);

    const each = log.named("each");
    const step = each.find((span) => span.parentSpanId === run.spanId) as SeenSpan;
    const batches = each.filter((span) => span !== step);
    assert.deepEqual(
      batches.map(({ parentSpanId, attributes }) => [
        parentSpanId,
        attributes["spanloop.batch.from"],
        attributes["spanloop.batch.to"],
        attributes["spanloop.items.processed"],
      ]),
      [[step.spanId, 0, 2, 2], [step.spanId, 2, 3, 1]],
    );
    assert.equal(step.attributes["spanloop.items.processed"], 3);

    const skipped = one(log.ended, "never");
    assert.equal(skipped.attributes["spanloop.skip.reason"], "if");
    assert.equal(skipped.attributes["cicd.pipeline.task.run.result"], "skip");
    assert.equal(one(log.ended, "ask").kind, 2, "an http attempt is of kind client");
    const finding = one(log.ended, "finding");
    assert.equal(finding.parentSpanId, one(log.ended, "found").spanId);
    assert.equal(finding.attributes.count, 3);
    assert.equal(one(log.ended, "breaks").attributes["error.type"], "shell.exit");

    const child = one(log.ended, "RUN traced-child");
    assert.equal(child.parentSpanId, one(log.ended, "call").spanId, "S6");
    assert.equal(child.traceId, run.traceId);
    assert.equal(one(log.ended, "inner").parentSpanId, child.spanId);
    for (const span of log.ended.filter(({ attributes }) => "spanloop.step.id" in attributes)) {
      for (const key of ["cicd.pipeline.name", "cicd.pipeline.run.id", "cicd.pipeline.task.name"]) {
        assert.ok(
          key in span.attributes,
          `${span.name} has no ${key}, which the registry requires`,
        );
      }
      assert.ok("cicd.pipeline.task.run.result" in span.attributes);
      assert.ok("spanloop.step.type" in span.attributes, span.name);
    }
  }));

Deno.test("a step's span of no length says why it was skipped (S4)", () =>
  inFolder(async (traced) => {
    const engine = await createEngine({ near: traced.file, store: traced.store });
    await engine.run(traced.file, { given: { text: traced.params } });
    await engine.close();
    const records = await journalOf(traced.store);
    const start = starts(records).find(({ role }) => role === "skip");
    const end = records.find((record) => record.type === "end" && record.role === "skip");
    assert.ok(start !== undefined && end?.type === "end");
    assert.equal(end.end.endTime, start.span.startTime);
    assert.equal(end.reason, "if");
    assert.equal(end.outcome, "skipped");
  }));

Deno.test("the span of a step whose if cannot be evaluated failed, and was not skipped (S2)", () =>
  inFolder(async ({ folder, store }) => {
    const file = `${folder}/if.yaml`;
    await Deno.writeTextFile(
      file,
      "name: iffy\nsteps:\n  - id: x\n    run: echo x\n  - id: y\n" +
        "    if: int(steps.x.outputs.stdout) > 0\n    run: echo never\n",
    );
    const engine = await createEngine({ near: file, store });
    await engine.run(file);
    await engine.close();
    const records = await journalOf(store);
    const start = starts(records).find(({ stepId }) => stepId === "y");
    const end = records.find((record) => record.type === "end" && record.stepId === "y");
    assert.ok(start !== undefined && end?.type === "end");
    assert.equal(end.outcome, "failed");
    assert.equal(end.end.error, true);
    assert.equal(end.end.attributes["cicd.pipeline.task.run.result"], "failure");
    assert.ok(!("spanloop.skip.reason" in start.span.attributes));
  }));

Deno.test("children get the attempt's trace context: shell and http, with and without a caller's", () =>
  inFolder(async (traced) => {
    const caller = {
      TRACEPARENT: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      TRACESTATE: "vendor=x",
      BAGGAGE: "user=ann",
    };
    const { report, started, ended } = parse(await runLogged(traced, caller));
    assertSeen({ started, ended }, await journalOf(traced.store));
    const run = one(ended, "RUN traced");
    assert.equal(run.traceId, "0af7651916cd43dd8448eb211c80319c", "joins the caller's trace");
    assert.equal(run.parentSpanId, "b7ad6b7169203331");
    assert.equal(run.traceState, "vendor=x");
    const shell = one(ended, "shell.named");
    const [stdout] = report.steps.filter(({ id }) => id === "shell").map(({ outputs }) =>
      (outputs as { stdout: string }).stdout
    );
    assert.equal(stdout, `00-${run.traceId}-${shell.spanId}-01|vendor=x|user=ann`);
    const [headers] = traced.headers;
    assert.equal(headers.get("traceparent"), `00-${run.traceId}-${one(ended, "ask").spanId}-01`);
    assert.equal(headers.get("tracestate"), "vendor=x");
    assert.equal(headers.get("baggage"), "user=ann");
    const call = report.steps.find(({ id }) => id === "call");
    assert.equal(call?.status, "succeeded");
  }));

Deno.test("a malformed TRACEPARENT is ignored and reaches no child", () =>
  inFolder(async (traced) => {
    const { report, ended } = parse(
      await runLogged(traced, { TRACEPARENT: "00-nonsense-01", TRACESTATE: "vendor=x" }),
    );
    const run = one(ended, "RUN traced");
    assert.equal(run.parentSpanId, undefined);
    const shell = report.steps.find(({ id }) => id === "shell")?.outputs as { stdout: string };
    const { spanId } = one(ended, "shell.named");
    assert.equal(shell.stdout, `00-${run.traceId}-${spanId}-01||`);
  }));

Deno.test("under OTEL_DENO=true, with the globals claimed, the engine still sees each of its spans", () =>
  inFolder(async (traced) => {
    const { report, started, ended } = parse(
      await runLogged(traced, {
        OTEL_DENO: "true",
        OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9", // nobody listens
      }),
    );
    assert.equal(report.status, "succeeded");
    assertSeen({ started, ended }, await journalOf(traced.store));
    const [headers] = traced.headers;
    const trace = headers.get("traceparent")?.split("-")[1];
    assert.equal(trace, report.trace_id, "Deno's own client span stands in our trace");
  }));

Deno.test("a resumed run keeps its trace and span ids; the attempt that died is closed and linked (R5, J3)", () =>
  inFolder(async (traced) => {
    await Deno.writeTextFile(
      traced.file,
      `
name: traced
params: { origin: { type: string } }
steps:
  - id: before
    run: "true"
  - id: dies
    run: test -e died || { touch died; kill -9 $PPID; sleep 60; }
  - id: each
    for_each: [1, 2]
    run: test \${{ item }} = 1 || test -e again || { touch again; kill -9 $PPID; sleep 60; }
`,
    );
    const killed = await runLogged(traced, {});
    assert.equal(killed.signal, "SIGKILL");
    const before = starts(await journalOf(traced.store));
    const runStart = before.find(({ role }) => role === "run") as StartEntry;

    // It dies once more, in a batch, while it is resumed.
    const again = await new Deno.Command(Deno.execPath(), {
      args: [
        "eval",
        `import { createEngine } from ${
          JSON.stringify(new URL("../../engine/engine.ts", import.meta.url).href)
        };
        const engine = await createEngine(${
          JSON.stringify({ near: traced.file, store: traced.store })
        });
        await engine.resume(${JSON.stringify(runStart.runId)});`,
      ],
      cwd: new URL("../..", import.meta.url).pathname,
    }).output();
    assert.equal(again.signal, "SIGKILL", new TextDecoder().decode(again.stderr));

    const log = new SpanLog();
    const engine = await createEngine({
      near: traced.file,
      store: traced.store,
      spanProcessors: [log],
    });
    const report = await engine.resume(runStart.runId);
    await engine.close();
    assert.equal(report.status, "succeeded");
    assert.equal(report.trace_id, runStart.span.traceId);
    const run = one(log.ended, "RUN traced");
    assert.equal(run.spanId, runStart.span.spanId, "the run's span is the one that was started");

    const records = await journalOf(traced.store);
    const open = new Set<string>();
    for (const record of records) {
      if (record.type === "start") {
        assert.ok(!open.has(record.span.spanId));
        open.add(record.span.spanId);
        assert.equal(record.span.traceId, runStart.span.traceId);
      } else assert.ok(open.delete(record.spanId), `${record.key} ended twice (J3)`);
    }
    assert.deepEqual([...open], []);
    const dies = starts(records).filter(({ key }) => key === "dies");
    assert.equal(dies.length, 2);
    assert.deepEqual(dies.map(({ attempt }) => attempt), [1, 1], "no retry was used up (R5)");
    assert.equal(dies[1].span.links?.[0].spanId, dies[0].span.spanId);
    const steps = starts(records).filter(({ role }) => role === "step");
    assert.equal(steps.length, 1, "the for_each went on in its span (R5)");
    const resumed = starts(records).filter(({ role }) => role === "resume");
    assert.equal(resumed.length, 2, "each process that took the run up says so (R2)");
    assert.ok(resumed.every(({ span }) => span.parentSpanId === runStart.span.spanId));
  }));
