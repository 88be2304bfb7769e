import assert from "node:assert/strict";
import type { JsonObject } from "../../engine/core/json.ts";
import { seeded } from "../../engine/core/seeded_test.ts";
import type { Attributes, ItemRange } from "../../engine/core/span.ts";
import { openStore } from "../../engine/store/open.ts";
import { kill } from "../chaos/engine_process.ts";
import { Scene } from "../chaos/scene.ts";
import { type SpanRecord, spansOf } from "../chaos/snapshot.ts";
import { change } from "../contract/store_entries.ts";

// Runs in processes of their own, while this one changes what they have been tuned to.

const VERSION = "spanloop.parameters.version";

/** Makes the next version of a workflow's tuned values, as any process on the store may. */
async function tune(scene: Scene, workflow: string, changes: JsonObject): Promise<number> {
  const store = await openStore(`sqlite:${scene.store}`, { durability: "normal" });
  try {
    const { version } = await store.snapshot(workflow);
    const id = `${workflow}-${version}`;
    const decided = await store.decide(...change(id, version, { workflow, changes }));
    assert.ok("entry" in decided);
    return version + 1;
  } finally {
    await store.close();
  }
}

/** A file that the steps wait for. */
function open(scene: Scene, gate: string): void {
  scene.write(gate, "");
}

interface BatchSpan {
  readonly range: ItemRange;
  readonly attributes: Attributes;
  readonly attempt: number | undefined;
  readonly outcome: string | undefined;
}

/** A workflow's attempts at batches, by their first items and in the order of their starts. */
async function batches(scene: Scene, workflow: string): Promise<readonly BatchSpan[]> {
  const { runs } = await scene.state();
  const records = runs.find(({ summary }) => summary.workflow === workflow)?.records ?? [];
  return spansOf(records).flatMap(({ start, end }: SpanRecord) =>
    start.range === undefined ? [] : [{
      range: start.range,
      attributes: start.span.attributes,
      attempt: start.attempt,
      outcome: end?.outcome,
    }]
  ).sort((a, b) => a.range.from - b.range.from);
}

const of = ({ attributes }: BatchSpan, name: string) => attributes[`spanloop.parameter.${name}`];

/** Asserts that ranges cover `[0, total)` once each, and that each has the size that ruled. */
function assertRuled(spans: readonly BatchSpan[], total: number): void {
  let next = 0;
  for (const span of spans.filter(({ attempt }) => attempt === 1)) {
    assert.equal(span.range.from, next);
    assert.equal(span.range.to, Math.min(next + Number(of(span, "batch_size")), total));
    next = span.range.to;
  }
  assert.equal(next, total);
}

const PARAMS = `
params:
  batch_size: { type: integer, default: 2, tune: { min: 1, max: 50, apply: live, mode: auto } }
  given: { type: integer, default: 1, tune: { min: 1, max: 50, apply: live, mode: auto } }
  later: { type: integer, default: 1, tune: { min: 1, max: 50, mode: auto } }
`;
const MANY = JSON.stringify(Array.from({ length: 600 }, (_, i) => i));

Deno.test("a batch size that another process changes rules the batches that come after it (P3, F2, V3)", () =>
  Scene.play({
    "w.yaml": `
name: w
${PARAMS}
steps:
  - id: each
    for_each: { list: ${MANY}, batch: "\${{ params.batch_size }}", concurrency: 2 }
    retry: { attempts: 2, initial: 1ms }
    env: { RULED: "\${{ params.batch_size }}" }
    run: |
      echo size=$RULED=\${{ params.batch_size }}=\${{ to - from }}";" >> log
      if test \${{ from }} = 0; then
        until test -e changed; do sleep 0.01; done
        test $SPANLOOP_ATTEMPT = 2 || exit 75
      fi
      test -e changed || sleep 0.05
  - id: after
    run: echo after \${{ params.batch_size }} \${{ params.given }} \${{ params.later }}
`,
  }, async (scene) => {
    const running = scene.start("w.yaml", {}, "given=4");
    await scene.untilSaid("log", "size=2", 4);
    const version = await tune(scene, "w", { batch_size: 5, given: 9, later: 9 });
    await scene.untilSaid("log", "size=5=5=5;");
    open(scene, "changed");
    const { report, stderr } = await running.end;
    assert.equal(report?.status, "succeeded", stderr);
    assert.equal(
      report.steps[1].outputs && (report.steps[1].outputs as JsonObject).stdout,
      "after 5 4 1",
    );
    assert.equal(report.parameters.batch_size, 2, "what the run pinned stays");
    const spans = await batches(scene, "w");
    assertRuled(spans, 600);
    const first = spans.findIndex((span) => of(span, "batch_size") === 5);
    assert.ok(first >= 4 && first < spans.length - 1);
    spans.forEach((span, index) => {
      assert.equal(of(span, "batch_size"), index < first ? 2 : 5, "in the order of the items");
      assert.equal(span.attributes[VERSION], index < first ? undefined : version);
      assert.equal(of(span, "given"), 4);
      assert.equal(of(span, "later"), 1);
    });
    // Its second try came when 5 ruled what was handed out.
    assert.deepEqual(
      spans.filter(({ range }) => range.from === 0).map((span) => [span.range.to, span.outcome]),
      [[2, "failed"], [2, "succeeded"]],
    );
    const [step] = await scene.spans("each");
    assert.equal(step.start.span.attributes["spanloop.parameter.batch_size"], 2);
    const [after] = await scene.spans("after");
    assert.equal(after.start.span.attributes["spanloop.parameter.batch_size"], 5);
    assert.equal(after.start.span.attributes[VERSION], version);
    await scene.assertSound();
  }));

Deno.test("a run that is killed keeps the ranges and values of what was handed out (P3, F2, A2)", () =>
  Scene.play({
    "w.yaml": `
name: w
${PARAMS}
steps:
  - id: each
    for_each: { list: ${MANY}, batch: "\${{ params.batch_size }}", concurrency: 3 }
    run: |
      echo size=\${{ params.batch_size }}=\${{ to - from }}";" >> log
      test -e resumed || sleep 0.05
      test ! -e hold || echo held >> log
      while test -e hold; do sleep 0.01; done
`,
  }, async (scene) => {
    const running = scene.start("w.yaml");
    await scene.untilSaid("log", "size=2=2;", 3);
    const first = await tune(scene, "w", { batch_size: 5 });
    await scene.untilSaid("log", "size=5=5;", 4);
    open(scene, "hold");
    await scene.untilSaid("log", "held", 3);
    const held = (await batches(scene, "w")).filter(({ outcome }) => outcome === undefined);
    assert.equal(held.length, 3);
    assert.ok(held.some((span) => of(span, "batch_size") === 5));
    kill(running.pid, "SIGKILL");
    assert.equal((await running.end).code, 137);
    const second = await tune(scene, "w", { batch_size: 7 });
    Deno.removeSync(`${scene.folder}/hold`);
    open(scene, "resumed");
    const report = await scene.finish();
    assert.equal(report.status, "succeeded");
    const spans = await batches(scene, "w");
    assertRuled(spans.filter(({ outcome }) => outcome === "succeeded"), 600);
    for (const { range, attributes } of held) {
      const tries = spans.filter((span) => span.range.from === range.from);
      assert.deepEqual(tries.map(({ outcome }) => outcome), ["interrupted", "succeeded"]);
      for (const span of tries) {
        assert.equal(span.range.to, range.to);
        assert.equal(of(span, "batch_size"), attributes["spanloop.parameter.batch_size"]);
        assert.equal(span.attributes[VERSION], of(span, "batch_size") === 5 ? first : undefined);
      }
    }
    const last = Math.max(...held.map(({ range }) => range.to));
    for (const span of spans.filter(({ range }) => range.from >= last)) {
      assert.equal(of(span, "batch_size"), 7, "what was not handed out has the values of now");
      assert.equal(span.attributes[VERSION], second);
    }
    await scene.assertSound();
  }));

const WAIT = "echo begin >> log; until test -e go; do sleep 0.01; done";
const WIDTH =
  "params: { width: { type: integer, default: 1, tune: { min: 1, max: 9, apply: live } } }";

for (
  const [what, steps] of [
    [
      "a for_each's concurrency",
      `  - id: each
    for_each: { list: [1, 2, 3, 4, 5], concurrency: "\${{ params.width }}" }
    run: ${WAIT}`,
    ],
    [
      "max_concurrency",
      [1, 2, 3, 4, 5].map((n) => `  - { id: s${n}, needs: [], run: ${WAIT} }`).join("\n"),
    ],
  ]
) {
  Deno.test(`${what} that grows lets more begin though none has ended (A1, F4)`, () =>
    Scene.play({
      "w.yaml": `name: w\n${WIDTH}\nmax_concurrency: \${{ params.width }}\nsteps:\n${steps}\n`,
    }, async (scene) => {
      const running = scene.start("w.yaml");
      await scene.untilSaid("log", "begin");
      await tune(scene, "w", { width: 3 });
      await scene.untilSaid("log", "begin", 3);
      open(scene, "go");
      const { report, stderr } = await running.end;
      assert.equal(report?.status, "succeeded", stderr);
      const { runs } = await scene.state();
      let [under, most] = [0, 0];
      const starts = new Set<string>();
      for (const record of runs[0].records) {
        if (record.role !== "attempt") continue;
        if (record.type === "start") starts.add(record.span.spanId), most = Math.max(most, ++under);
        else under--;
      }
      assert.equal(starts.size, 5);
      assert.equal(most, 3, "as many as the live value allows, no more");
      await scene.assertSound();
    }));
}

Deno.test("a sub-workflow follows its own tuned values, not its caller's (S6, V3)", () =>
  Scene.play({
    "w.yaml": `
name: w
${PARAMS}
steps:
  - { id: call, uses: workflow, with: { file: ./child.yaml, params: { given: 3 } } }
  - { id: after, run: "echo \${{ params.batch_size }}" }
`,
    "child.yaml": `
name: child
${PARAMS}
steps:
  - id: each
    for_each: { list: ${MANY}, batch: "\${{ params.batch_size }}" }
    run: |
      echo size=\${{ params.batch_size }}";" >> log
      test -e changed || sleep 0.05
`,
  }, async (scene) => {
    const running = scene.start("w.yaml");
    await scene.untilSaid("log", "size=2;");
    await tune(scene, "child", { batch_size: 50, given: 9 });
    await scene.untilSaid("log", "size=50;");
    open(scene, "changed");
    const { report, stderr } = await running.end;
    assert.equal(report?.status, "succeeded", stderr);
    assert.equal((report.steps[1].outputs as JsonObject).stdout, "2");
    const spans = await batches(scene, "child");
    assertRuled(spans, 600);
    for (const span of spans) assert.equal(of(span, "given"), 3, "the caller gave it for this run");
    await scene.assertSound();
  }));

Deno.test("a change of this process rules the very next batch; one read for a step's if and inputs (A2, R8)", () =>
  Scene.play({
    "w.yaml": `
name: w
${PARAMS}
steps:
  - id: each
    for_each: { list: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], batch: "\${{ params.batch_size }}" }
    run: |
      echo begin >> log
      test \${{ from }} != 2 || until test -e go; do sleep 0.01; done
  - { id: not, if: params.batch_size == 2, run: echo never }
  - { id: judged, if: params.batch_size == 4, run: "echo \${{ params.batch_size }}" }
`,
  }, (scene) =>
    scene.engine(async (engine) => {
      const file = `${scene.folder}/w.yaml`;
      const running = engine.run(file);
      await scene.untilSaid("log", "begin", 2);
      const { version } = await engine.tuning.set(file, { batch_size: "4" });
      open(scene, "go");
      const { steps, status } = await running;
      assert.equal(status, "succeeded");
      const ranges = (await batches(scene, "w")).map(({ range }) => [range.from, range.to]);
      assert.deepEqual(ranges, [[0, 2], [2, 4], [4, 8], [8, 10]]);
      assert.deepEqual(steps.map((step) => step.status), ["succeeded", "skipped", "succeeded"]);
      assert.equal((steps[2].outputs as JsonObject).stdout, "4");
      const [skipped] = await scene.spans("not");
      const { attributes } = skipped.start.span;
      assert.equal(attributes["spanloop.parameter.batch_size"], 4, "what its if was judged by");
      assert.equal(attributes[VERSION], version);
    })));

Deno.test("a run pins the version that it starts with, and goes on from there (P3)", () =>
  Scene.play({
    "w.yaml": `
name: w
${PARAMS}
steps:
  - id: each
    for_each: { list: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], batch: "\${{ params.batch_size }}" }
    run: |
      echo begin >> log
      until test -e go; do sleep 0.01; done
`,
  }, (scene) =>
    scene.engine(async (engine) => {
      const file = `${scene.folder}/w.yaml`;
      const first = await engine.tuning.set(file, { batch_size: "3", later: "7" });
      const running = engine.run(file);
      await scene.untilSaid("log", "begin");
      await engine.tuning.revert(file, first.number);
      open(scene, "go");
      const { parameters } = await running;
      assert.deepEqual(parameters, { batch_size: 3, given: 1, later: 7 });
      const spans = await batches(scene, "w");
      assertRuled(spans, 10);
      assert.deepEqual(spans.map((span) => of(span, "batch_size")), [3, 2, 2, 2, 2]);
      assert.deepEqual(spans.map((span) => of(span, "later")), [7, 7, 7, 7, 7]);
      assert.deepEqual(spans.map(({ attributes }) => attributes[VERSION]), [undefined, 2, 2, 2, 2]);
      const { runs } = await scene.state();
      assert.equal(runs[0].summary.snapshot, 1);
      assert.equal(runs[0].summary.sources.batch_size, "tuned");
      const [run] = await scene.spans("run");
      assert.equal(run.start.span.attributes[VERSION], 1);
    })));

Deno.test("killed again and again while its values change, a run keeps what each batch was handed out with (P3, F2)", () =>
  Scene.play({
    "w.yaml": `
name: w
${PARAMS}
steps:
  - id: each
    for_each: { list: ${MANY}, batch: "\${{ params.batch_size * 3 }}", concurrency: 3 }
    run: sleep 0.02
`,
  }, async (scene) => {
    const random = seeded("live values");
    const seed = `seed ${random.seed}`;
    const made = new Map<unknown, number>([[undefined, 2]]);
    const death = () => ({ kill: `commit:${4 + random.below(25)}` });
    let running = scene.start("w.yaml", death());
    for (let kills = 0;;) {
      let over = false;
      const end = running.end.finally(() => over = true);
      // The store is there once a process has begun to run.
      await scene.until(
        "there is a run",
        async () => over || (await scene.state()).runs.length > 0,
      );
      while (!over) {
        const batch_size = 1 + random.below(9);
        made.set(await tune(scene, "w", { batch_size }), batch_size);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      const { code, report, error, stderr } = await end;
      if (report !== undefined) {
        assert.equal(report.status, "succeeded", `${seed}: ${report.error?.message} ${stderr}`);
        break;
      }
      // Killed as its end had just been committed: nothing is left to resume.
      if (error?.code === "run.ended") break;
      assert.equal(code, 137, `${seed}: ${error?.message} ${stderr}`);
      running = await scene.resume(++kills < 8 ? death() : {});
    }
    assert.equal((await scene.state()).runs[0].summary.status, "succeeded", seed);
    const tries = Map.groupBy(await batches(scene, "w"), ({ range }) => range.from);
    let next = 0;
    for (const [from, spans] of tries) {
      assert.equal(from, next, seed);
      next = spans[0].range.to;
      const size = Number(of(spans[0], "batch_size"));
      assert.equal(next, Math.min(from + size * 3, 600), seed);
      assert.equal(spans.filter(({ outcome }) => outcome === "succeeded").length, 1, seed);
      for (const span of spans) {
        const version = span.attributes[VERSION];
        assert.equal(span.range.to, next, seed);
        assert.equal(of(span, "batch_size"), size, seed);
        assert.equal(version, spans[0].attributes[VERSION], seed);
        assert.equal(made.get(version), size, `${seed}: version ${version}`);
      }
    }
    assert.equal(next, 600, seed);
    await scene.assertSound();
  }));

Deno.test("a queued run whose live priority is raised goes before those that came first (A1)", () => {
  const queued = (name: string, priority: string) => `
name: ${name}
group: g
${priority}
steps: [{ id: a, run: "echo ${name}; >> log; test -e go || echo ${name} holds >> log; until test -e go; do sleep 0.01; done" }]
`;
  const files = {
    "holds.yaml": queued("holds", ""),
    "first.yaml": queued("first", "priority: 5"),
    "later.yaml": queued(
      "later",
      'priority: "${{ params.priority }}"\nparams: { priority: { type: integer, default: 2, ' +
        "tune: { min: 0, max: 9, apply: live, mode: auto } } }",
    ),
  };
  return Scene.play(files, async (scene) => {
    const running = [scene.start("holds.yaml")];
    await scene.untilSaid("log", "holds holds");
    for (const file of ["first.yaml", "later.yaml"]) {
      running.push(scene.start(file));
      await scene.until(
        `${file} waits`,
        async () => (await scene.state()).runs.length === running.length,
      );
    }
    await tune(scene, "later", { priority: 9 });
    // As its process hears of it: within 500 ms (R8).
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    open(scene, "go");
    for (const { end } of running) assert.equal((await end).report?.status, "succeeded");
    const { runs } = await scene.state();
    const began = runs.map(({ summary }) => summary).sort((a, b) =>
      Number(a.startedAt! - b.startedAt!)
    );
    assert.deepEqual(began.map(({ workflow }) => workflow), ["holds", "later", "first"]);
  });
});
