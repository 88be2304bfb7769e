import assert from "node:assert/strict";
import { formatDiagnostic } from "../core/diagnostic.ts";
import type { Scope } from "../core/scope.ts";
import type { Workflow } from "../core/workflow.ts";
import { loadWorkflow } from "./load.ts";

function load(text: string | Uint8Array) {
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  return loadWorkflow({ bytes, file: "/flows/w.yaml", display: "w.yaml" });
}

function valid(text: string): Workflow {
  const { workflow, diagnostics } = load(text);
  assert.ok(workflow !== undefined, diagnostics.map(formatDiagnostic).join("\n"));
  return workflow;
}

function messages(text: string | Uint8Array): string[] {
  return load(text).diagnostics.map((d) => `${d.line}:${d.column} ${d.code}`);
}

const SCOPE: Scope = {
  params: { input: "a b.ndjson", batch_size: 20, concurrency: 2 },
  env: {},
  steps: {},
  run: { id: "r", name: "n", status: "running", error: null },
};

const FULL = `name: import-orders
description: Load orders.
on:
  schedule: { cron: "*/30 * * * *", timezone: Europe/Paris, overlap: queue, catch_up: all, jitter: 30s }
params:
  input: { type: string, default: data/orders.ndjson }
  batch_size:
    type: integer
    default: 20
    tune: { min: 1, max: 5000, scale: log, max_step: 4x, apply: live, mode: auto }
  concurrency: { type: integer, default: 2, tune: { min: 1, max: 16, max_step: 2 } }
  token: { type: secret, from: { env: TOKEN } }
env: { VERSION: 1.10, WHO: "\${{ params.input }}" }
timeout: 1h
max_concurrency: \${{ params.concurrency }}
priority: 7
group: nightly
tune:
  objective: { minimize: "duration / items", of: load }
  guards: [{ metric: error_rate, of: load, below: 0.02 }]
  cooldown: 15m
  blackout: [{ cron: "0 8 * * 1-5", for: 2h }]
steps:
  - id: count
    run: wc -l < \${{ params.input }}
  - id: load
    if: int(steps.count.outputs.stdout) > 0
    for_each:
      file: "\${{ params.input }}"
      batch: "\${{ params.batch_size }}"
      on_item_error: { stop_above: 5% }
    uses: script
    with: { module: ./load.ts, database: out/orders.db, size: "\${{ params.batch_size }}" }
    timeout: 2m
    retry: { attempts: 3 }
    span: { name: orders.load, attributes: { team: data } }
  - id: apart
    needs: []
    run: echo \${{ raw(params.input) }}
    continue_on_error: true
on_failure:
  - { id: tell, run: "echo \${{ run.error.message }}" }
finally:
  - { id: clean, run: rm -rf tmp }
  - { id: later, if: "\${{ failed() && steps.load.status == 'failed' }}", uses: wait, with: { for: 1s } }
outputs: { rows: "\${{ steps.count.outputs.stdout }}" }
plugins:
  - use: ./analyzer.ts
    trust: false
    grant: { see: ["orders.*"], propose: [batch_size], permissions: { net: true }, rate: 10 }
    with: { threshold: 0.1, list: [1, { a: b }] }
`;

Deno.test("a full workflow is compiled with its defaults", () => {
  const workflow = valid(FULL);
  assert.equal(workflow.name, "import-orders");
  assert.equal(workflow.folder, "/flows");
  assert.deepEqual(workflow.schedules, [{
    cron: "*/30 * * * *",
    timezone: "Europe/Paris",
    overlap: "queue",
    catchUp: "all",
    jitterMs: 30_000,
  }]);
  assert.deepEqual(workflow.params.get("batch_size")?.tune, {
    min: 1,
    max: 5000,
    scale: "log",
    maxStep: { factor: 4 },
    apply: "live",
    mode: "auto",
  });
  assert.deepEqual(workflow.params.get("concurrency")?.tune?.maxStep, { amount: 2 });
  assert.deepEqual(workflow.params.get("token")?.from, { env: "TOKEN" });
  assert.equal(workflow.env.VERSION.evaluate(SCOPE), "1.10");
  assert.equal(workflow.env.WHO.evaluate(SCOPE), "a b.ndjson");
  assert.equal(workflow.maxConcurrency?.evaluate(SCOPE), 2);
  assert.equal(workflow.priority?.evaluate(SCOPE), 7);
  assert.equal(workflow.group?.name.evaluate(SCOPE), "nightly");
  assert.equal(workflow.group?.overlap, "queue");
  assert.equal(workflow.tune?.cooldownMs, 900_000);
  assert.equal(workflow.tune?.objective?.of, "load");

  const [count, load, apart] = workflow.steps;
  assert.deepEqual(count.with.evaluate(SCOPE), { run: "wc -l < 'a b.ndjson'" });
  assert.equal(load.module, "./load.ts");
  assert.deepEqual(load.with.evaluate(SCOPE), {
    module: "./load.ts",
    database: "out/orders.db",
    size: 20,
  });
  assert.deepEqual(load.retry, {
    attempts: 3,
    backoff: "exponential",
    initialMs: 500,
    maxMs: 30_000,
    jitter: "full",
    on: ["transient", "timeout"],
  });
  assert.deepEqual(load.forEach?.onItemError, { kind: "stop_above", share: 0.05 });
  assert.equal(load.forEach?.batch?.evaluate(SCOPE), 20);
  assert.equal(apart.continueOnError, true);
  assert.equal(apart.line, 37);
  assert.deepEqual(workflow.raw, ["steps.apart.run:39:15"]);
  assert.equal(workflow.finally[1].if?.regardless, true);
});

Deno.test("a retry's first delay is 500 ms, and no longer than its longest", () => {
  const delays = ["", ", max: 100ms", ", max: 1m", ", initial: 1m"].map((more) => {
    const { steps: [{ retry }] } = valid(
      `name: a\nsteps: [{ id: a, run: "true", retry: { attempts: 2${more} } }]`,
    );
    return [retry!.initialMs, retry!.maxMs];
  });
  assert.deepEqual(delays, [[500, 30_000], [100, 100], [500, 60_000], [60_000, 60_000]]);
});

Deno.test("a workflow's plugins are named by the last part of `use`, and keep what they were granted", () => {
  const { plugins } = valid(`name: a
params: { size: { type: integer, default: 1, tune: { min: 1, max: 9 } } }
plugins:
  - use: slow_step
  - use: ./my_analyzer.ts
    with: { threshold: 0.1, __proto__: { a: 1 }, list: [1, null] }
    grant:
      see: ["orders.*"]
      propose: [size]
      permissions: { net: [api.example.com], read: true }
      rate: 60
  - { use: ../shared/review/, trust: true, grant: {} }
  - { use: ../audit/plugin.ts, grant: { external: true, actions: [], workflows: ["*"] } }
  - use: npm:@acme/scoped@^1.2.0/plugin.js
  - use: npm:bare
  - use: top.js
  - use: plugin.ts
steps:
  - { id: a, uses: my_analyzer/check, with: { n: "\${{ params.size }}" } }
  - { id: b, uses: slow_step/measure_it }
`);
  const [slow, analyzer, review, audit] = plugins;
  assert.deepEqual(plugins.map(({ name }) => name), [
    "slow_step",
    "my_analyzer",
    "review",
    "audit",
    "scoped",
    "bare",
    "top",
    "flows",
  ]);
  assert.deepEqual(slow, {
    name: "slow_step",
    use: "slow_step",
    workflow: "a",
    folder: "/flows",
    file: "/flows/w.yaml",
    line: 4,
    trust: false,
    with: {},
  });
  assert.deepEqual(analyzer.grant, {
    see: ["orders.*"],
    propose: ["size"],
    permissions: { net: ["api.example.com"], read: true },
    rate: 60,
  });
  assert.deepEqual(Object.keys(analyzer.with), ["threshold", "__proto__", "list"]);
  assert.deepEqual([review.trust, review.grant], [true, {}]);
  assert.deepEqual(audit.grant, { external: true, actions: [], workflows: ["*"] });
  assert.deepEqual(valid("name: a\nsteps: [{ id: a, run: x }]").plugins, []);
});

Deno.test("a workflow listens to one command or several", () => {
  const commands = (on: string) => valid(`name: a\non: ${on}\nsteps: [{ id: a, run: x }]`).commands;
  assert.deepEqual(commands("{ command: lean.define }"), ["lean.define"]);
  assert.deepEqual(commands("{ command: [lean.define, b] }"), ["lean.define", "b"]);
  assert.deepEqual(commands("{}"), []);
});

Deno.test("a step without needs follows the one above it in the same list; [] starts at once (S1)", () => {
  const workflow = valid(FULL);
  const needs = (steps: Workflow["steps"]) => steps.map((step) => step.needs);
  assert.deepEqual(needs(workflow.steps), [[], ["count"], []]);
  assert.deepEqual(needs(workflow.onFailure), [[]]);
  assert.deepEqual(needs(workflow.finally), [[], ["clean"]]);
  const single = "name: a\nsteps: [{ id: a, run: x }, { id: b, needs: [], run: x }, " +
    "{ id: c, needs: a, run: x }]";
  assert.deepEqual(valid(single).steps[2].needs, ["a"]);
});

Deno.test("an expression reads any step above it, near or far, and no other", () => {
  const chain = (reads: string) =>
    "name: a\nsteps:\n" +
    "  - { id: a, run: x }\n  - { id: b, run: x }\n  - { id: c, run: x }\n" +
    "  - { id: side, needs: [a], run: x }\n" +
    `  - { id: d, needs: [c], run: "echo \${{ steps.${reads}.status }}" }\n`;
  for (const above of ["a", "b", "c"]) valid(chain(above));
  for (const other of ["side", "d"]) {
    assert.deepEqual(messages(chain(other)), ["7:47 step-not-upstream"], other);
  }
});

Deno.test("a for_each is taken as a list, an expression or a mapping; item needs a batch of 1 (V1)", () => {
  const step = (forEach: string, run: string) =>
    `name: a\nparams: { p: { type: list, default: [] } }\nsteps:\n  - id: a\n` +
    `    for_each: ${forEach}\n    run: echo \${{ ${run} }}\n`;
  assert.equal(valid(step("[eu, us]", "item")).steps[0].forEach?.source.kind, "list");
  assert.equal(valid(step("${{ params.p }}", "item")).steps[0].forEach?.source.kind, "list");
  valid(step("{ list: [1], batch: 1 }", "item"));
  valid(step("{ list: [1], batch: 5 }", "string(from) + string(to)"));
  assert.deepEqual(messages(step("{ list: [1], batch: 5 }", "item")).length, 1);
});

Deno.test("anchors and merge keys work; own keys win (V5)", () => {
  const workflow = valid(`name: a
steps:
  - &base { id: a, run: "true", timeout: 5s, retry: &r { attempts: 2 } }
  - { <<: *base, id: b, retry: { <<: *r, attempts: 4 } }
`);
  assert.equal(workflow.steps[1].id, "b");
  assert.equal(workflow.steps[1].timeout?.evaluate(SCOPE), "5s");
  assert.equal(workflow.steps[1].retry?.attempts, 4);
});

Deno.test("on, no, yes and dates stay text: YAML 1.2", () => {
  const workflow = valid(
    "name: no\non: {}\nsteps: [{ id: a, uses: script, with: { module: a.ts, x: yes, d: 2020-01-01 } }]",
  );
  assert.equal(workflow.name, "no");
  assert.deepEqual(workflow.steps[0].with.evaluate(SCOPE), {
    module: "a.ts",
    x: "yes",
    d: "2020-01-01",
  });
});

Deno.test("a key such as __proto__ in free-form places is an ordinary key", () => {
  const workflow = valid(
    "name: a\nenv: { __proto__: x, constructor: y }\n" +
      "steps: [{ id: a, uses: script, with: { module: a.ts, __proto__: { polluted: 1 } } }]",
  );
  assert.equal(Object.keys(workflow.env).length, 2);
  assert.equal(Object.entries(workflow.env)[1][1].evaluate(SCOPE), "y");
  assert.equal(
    (workflow.steps[0].with.evaluate(SCOPE) as { polluted?: number }).polluted,
    undefined,
  );
  assert.equal(({} as { polluted?: number }).polluted, undefined);
});

Deno.test("a large file, read in pieces, gives what a small one gives", () => {
  const step = (id: number) =>
    `  - id: s${id}\n    needs: [${id === 0 ? "" : `s${id - 1}`}]\n    env: { N: "${id}" }\n` +
    `    run: |\n      # a comment\n      - echo \${{ run.id }}\n\n`;
  const tail = "finally:\n  - { id: z, run: 'echo ${{ steps.s7.status }}' }\n";
  const text = (count: number) =>
    "name: a\nsteps: # all of them\n" + Array.from({ length: count }, (_, id) =>
      step(id)).join("") +
    tail;
  const large = valid(text(3000));
  const small = valid(text(30));
  assert.equal(large.steps.length, 3000);
  assert.equal(large.finally.length, 1);
  for (const [index, ours] of small.steps.entries()) {
    const theirs = large.steps[index];
    assert.deepEqual([theirs.id, theirs.line, theirs.needs], [ours.id, ours.line, ours.needs]);
    assert.deepEqual(theirs.with.evaluate(SCOPE), ours.with.evaluate(SCOPE));
  }
  assert.equal(large.steps[2999].line, 3 + 2999 * 7);
  const faulty = text(3000).replace('env: { N: "2500" }', 'env: { N: "${{ run.nme }}" }');
  assert.deepEqual(messages(faulty), ["17505:24 unknown-field"]);
  const broken = text(3000).replace('env: { N: "2500" }', 'env: { N: "2500 }');
  assert.equal(load(broken).diagnostics[0].code, "yaml");
  assert.deepEqual(messages(text(3000) + "name: b\n"), ["21005:1 duplicate-key"]);
});

Deno.test("10,000 steps with 20,000 edges that read far above are checked", () => {
  const lines = ["name: a", "steps:"];
  for (let id = 0; id < 10_000; id++) {
    const layer = Math.floor(id / 100);
    const above = (offset: number) => `n${(layer - 1) * 100 + (id * 7 + offset) % 100}`;
    const needs = layer === 0 ? "" : `${above(0)}, ${above(1)}`;
    const reads = layer < 2 ? "x" : `\${{ steps.n${id * 49 % 100}.status }}`;
    lines.push(`  - { id: n${id}, needs: [${needs}], run: "echo ${reads}" }`);
  }
  const { diagnostics } = load(lines.join("\n"));
  // Whatever is not above is told, and nothing else is wrong.
  assert.deepEqual([...new Set(diagnostics.map((d) => d.code))], ["step-not-upstream", "more"]);
});

Deno.test("a cycle of thousands of steps is named in one line", () => {
  const steps = Array.from(
    { length: 5000 },
    (_, id) => `  - { id: s${id}, needs: [s${(id + 1) % 5000}], run: x }`,
  );
  const { diagnostics } = load(`name: a\nsteps:\n${steps.join("\n")}`);
  assert.equal(diagnostics.length, 1);
  assert.match(diagnostics[0].message, /s0 -> s1 -> .* more .* -> s4999 -> s0/);
});

Deno.test("hostile input gets an answer, never an exception", () => {
  const big = 4 * 1024 * 1024;
  const cases: [string, string | Uint8Array, string][] = [
    ["ten megabytes", "[".repeat(10_000_000), "1:1 too-large"],
    ["brackets", "[".repeat(big), "1:101 too-deep"],
    ["closing brackets", "]".repeat(big), "1:1001 yaml"],
    ["braces", "{a: ".repeat(big / 4), "1:401 too-deep"],
    ["list markers", "- ".repeat(big / 2), "1:201 too-deep"],
    ["explicit keys", "? ".repeat(big / 2), "1:201 too-deep"],
    ["tabs", "\t".repeat(1_000), "1:1 empty"],
    ["truncated UTF-8", new Uint8Array([97, 58, 32, 0xe2, 0x82]), "1:4 encoding"],
    ["UTF-16", new Uint8Array([0xff, 0xfe, 97, 0]), "1:1 encoding"],
    ["NUL", "name: a\0", "1:8 control-character"],
    ["a lone colon", ": ", "1:1 key"],
    ["nothing but an anchor", "&a", "1:3 root"],
    ["an alias to nothing", "*a", "1:1 alias"],
  ];
  for (const [name, text, expected] of cases) {
    assert.equal(messages(text)[0], expected, name);
  }
});

Deno.test("mutilated workflows never throw", () => {
  // A linear congruential generator: the same mutations every time.
  let state = 42;
  const next = (below: number) => (state = (state * 1103515245 + 12345) % 2 ** 31) % below;
  const scraps = [
    "[",
    "}",
    "&a ",
    "*a",
    "<<: ",
    "${{",
    '"',
    "'",
    "\n",
    "  ",
    "- ",
    ": ",
    "|\n",
    "#",
    "!!x ",
    "\t",
  ];
  for (let round = 0; round < 400; round++) {
    let text = FULL;
    for (let edit = 0; edit <= next(4); edit++) {
      const at = next(text.length);
      text = text.slice(0, at) + scraps[next(scraps.length)] + text.slice(at + next(6));
    }
    const { workflow, diagnostics } = load(text);
    const refused = diagnostics.some((d) => d.severity === "error");
    assert.equal(workflow === undefined, refused, text);
    for (const d of diagnostics) {
      const source = text.split("\n")[d.line - 1];
      assert.equal(d.source, source);
      assert.ok(d.column >= 1 && d.column <= source.length + 1);
    }
  }
});
