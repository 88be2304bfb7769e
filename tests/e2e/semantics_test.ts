import assert from "node:assert/strict";
import { type Seeded, seeded } from "../../engine/core/seeded_test.ts";
import type { RunReport } from "../../engine/core/report.ts";
import { InvalidError } from "../../engine/core/errors.ts";
import { createEngine, type Engine } from "../../engine/engine.ts";

async function inFolder(
  test: (folder: string, engine: Engine) => Promise<void>,
  store = "memory:",
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "spanloop-semantics-" });
  const engine = await createEngine({ near: folder, store });
  try {
    await test(folder, engine);
  } finally {
    await engine.close();
    await Deno.remove(folder, { recursive: true });
  }
}

const SCRIPT = `export default (context: { with: { fails?: boolean } }) => {
  if (context.with.fails) throw new Error("told to");
};
`;

interface Drawn {
  readonly id: string;
  readonly needs: readonly string[];
  readonly condition?: string;
  readonly fails: boolean;
  readonly continueOnError: boolean;
}

function draw(random: Seeded): Drawn[] {
  const steps: Drawn[] = [];
  const count = 2 + random.below(9);
  for (let i = 0; i < count; i++) {
    steps.push({
      id: `s${i}`,
      needs: steps.filter(() => random.next() < 0.35).map(({ id }) => id),
      condition: random.pick([
        undefined,
        undefined,
        undefined,
        "true",
        "false",
        "always()",
        "failed()",
        "!failed()",
        "always() && false",
      ]),
      fails: random.next() < 0.3,
      continueOnError: random.next() < 0.3,
    });
  }
  return steps;
}

/** S2 in a dozen lines, without the scheduler's: what becomes of each step, in the file's order. */
function model(steps: readonly Drawn[]): Map<string, string> {
  const became = new Map<string, string>();
  const after = new Map<string, boolean>(); // whether something before the step, or the step itself, failed
  const passes = new Map<string, boolean>();
  for (const { id, needs, condition, fails, continueOnError } of steps) {
    const failed = needs.some((need) => after.get(need));
    const good = needs.every((need) => passes.get(need));
    const regardless = /always|failed/.test(condition ?? "");
    const holds = condition === undefined || condition === "true" || condition === "always()" ||
      (condition === "failed()" && failed) || (condition === "!failed()" && !failed);
    const what = !regardless && !good
      ? "skipped upstream"
      : !holds
      ? "skipped if"
      : fails
      ? "failed"
      : "succeeded";
    became.set(id, what);
    after.set(id, failed || what === "failed");
    passes.set(
      id,
      what === "succeeded" || what === "skipped if" || (what === "failed" && continueOnError),
    );
  }
  return became;
}

function yamlOf(name: string, steps: readonly Drawn[]): string {
  const lines = steps.flatMap(({ id, needs, condition, fails, continueOnError }) => [
    `  - id: ${id}`,
    `    needs: [${needs.join(", ")}]`,
    ...(condition === undefined ? [] : [`    if: ${JSON.stringify(condition)}`]),
    ...(continueOnError ? ["    continue_on_error: true"] : []),
    "    uses: script",
    `    with: { module: ./step.ts, fails: ${fails} }`,
  ]);
  return [`name: ${name}`, "steps:", ...lines, ""].join("\n");
}

Deno.test("random graphs with random outcomes and conditions end as a plain model of S2 says (S2)", () =>
  inFolder(async (folder, engine) => {
    const random = seeded("graphs");
    await Deno.writeTextFile(`${folder}/step.ts`, SCRIPT);
    for (let round = 0; round < 150; round++) {
      const steps = draw(random);
      const text = yamlOf(`graph-${round}`, steps);
      const file = `${folder}/graph_${round}.yaml`;
      await Deno.writeTextFile(file, text);
      const report = await engine.run(file);
      const became = new Map(
        report.steps.map(({ id, status, reason }) => [
          id,
          status === "skipped" ? `skipped ${reason}` : status,
        ]),
      );
      const expected = model(steps);
      const what = `round ${round}, seed ${random.seed}:\n${text}`;
      assert.deepEqual(became, expected, what);
      const broken = steps.some(({ id, continueOnError }) =>
        expected.get(id) === "failed" && !continueOnError
      );
      assert.equal(report.status, broken ? "failed" : "succeeded", what);
      const history = await engine.history(report.run_id);
      for (const { report: { id, status }, attempts } of history.steps) {
        assert.equal(attempts.length, status === "skipped" ? 0 : 1, `${id}: ${what}`);
      }
    }
  }));

Deno.test("a step starts only after all it needs have ended, in a random graph (S1, J1)", () =>
  inFolder(async (folder, engine) => {
    const random = seeded("order");
    await Deno.writeTextFile(`${folder}/step.ts`, SCRIPT);
    for (let round = 0; round < 20; round++) {
      const steps = draw(random).map((step) => ({ ...step, fails: false, condition: undefined }));
      const file = `${folder}/order_${round}.yaml`;
      await Deno.writeTextFile(file, yamlOf(`order-${round}`, steps));
      const seen: string[] = [];
      await engine.run(file, {
        onEvent: (event) => {
          if (event.type === "journal" && event.record.role === "attempt") {
            seen.push(`${event.record.type} ${event.record.key}`);
          }
        },
      });
      for (const { id, needs } of steps) {
        for (const need of needs) {
          assert.ok(
            seen.indexOf(`end ${need}`) < seen.indexOf(`start ${id}`),
            `${id} before ${need} (seed ${random.seed})`,
          );
        }
      }
    }
  }));

const CANCELLABLE = `
name: cancellable
steps:
  - id: first
    run: echo first
  - id: long
    run: touch began; while :; do sleep 0.05; done
  - id: never
    run: echo never
  - id: told
    if: cancelled()
    run: echo \${{ steps.long.status }} \${{ run.status }}
on_failure:
  - id: not_this
    run: echo never
finally:
  - id: tidy
    if: cancelled()
    run: echo \${{ run.status }}; touch tidied
  - id: linger
    run: sleep \${{ params.linger }}
params:
  linger: { type: integer, default: 0 }
outputs:
  first: \${{ steps.first.outputs.stdout }}
`;

const stepsOf = (report: RunReport) =>
  Object.fromEntries(
    report.steps.map(({ id, status, reason }) => [id, reason === undefined ? status : reason]),
  );

Deno.test("a cancel ends attempts, skips the rest, runs cancelled() and finally, not on_failure (S2, S3)", () =>
  inFolder(async (folder, engine) => {
    await Deno.writeTextFile(`${folder}/w.yaml`, CANCELLABLE);
    const controller = new AbortController();
    const report = await engine.run(`${folder}/w.yaml`, {
      signal: controller.signal,
      onEvent: (event) => {
        if (event.type !== "journal" || event.record.type !== "start") return;
        if (event.record.key === "long") setTimeout(() => controller.abort(), 20);
      },
    });
    assert.equal(report.status, "cancelled");
    assert.deepEqual(stepsOf(report), {
      first: "succeeded",
      long: "cancelled",
      never: "cancelled",
      told: "succeeded",
      not_this: "not needed",
      tidy: "succeeded",
      linger: "succeeded",
    });
  }));

Deno.test("a forced cancel ends finally steps as well (S3)", () =>
  inFolder(async (folder, engine) => {
    await Deno.writeTextFile(`${folder}/w.yaml`, CANCELLABLE);
    const [signal, force] = [new AbortController(), new AbortController()];
    const report = await engine.run(`${folder}/w.yaml`, {
      signal: signal.signal,
      force: force.signal,
      given: { text: { linger: "600" } },
      onEvent: (event) => {
        if (event.type !== "journal" || event.record.type !== "start") return;
        if (event.record.key === "long") signal.abort();
        if (event.record.key === "linger") force.abort();
      },
    });
    assert.equal(report.status, "cancelled");
    assert.equal(stepsOf(report).linger, "cancelled");
  }));

Deno.test("cancel by another engine of the store is heard by the run's process (R8)", async () => {
  const stores = await Deno.makeTempDir({ prefix: "spanloop-cancel-" });
  await inFolder(async (folder, engine) => {
    await Deno.writeTextFile(`${folder}/w.yaml`, CANCELLABLE);
    const other = await createEngine({ near: folder, store: engine.location });
    const report = await engine.run(`${folder}/w.yaml`, {
      onEvent: (event) => {
        if (event.type !== "journal" || event.record.type !== "start") return;
        if (event.record.key === "long") void other.cancel(event.record.runId);
      },
    });
    assert.equal(report.status, "cancelled");
    assert.equal(await other.cancel(report.run_id), false, "it has ended");
    await other.close();
  }, `sqlite:${stores}/store.db`);
  await Deno.remove(stores, { recursive: true });
});

Deno.test("a workflow is known by its name: a second file of that name names both (R1)", () =>
  inFolder(async (folder, engine) => {
    const text = "name: one\nsteps:\n  - id: a\n    run: echo\n";
    await Deno.writeTextFile(`${folder}/a.yaml`, text);
    await Deno.writeTextFile(`${folder}/b.yaml`, text);
    await engine.run(`${folder}/a.yaml`);
    await assert.rejects(engine.run(`${folder}/b.yaml`), (thrown) => {
      assert.ok(thrown instanceof InvalidError);
      assert.ok(thrown.message.includes("a.yaml") && thrown.message.includes("b.yaml"));
      return true;
    });
    await Deno.rename(`${folder}/a.yaml`, `${folder}/c.yaml`);
    assert.equal((await engine.run(`${folder}/b.yaml`)).status, "succeeded", "a file that moved");
  }));

Deno.test("runs of a group exclude each other: skip, and urgent ones first in a queue (A1)", () =>
  inFolder(async (folder, engine) => {
    const text = (name: string, more: string) =>
      `name: ${name}\n${more}\nparams: { level: { type: integer, default: 5 } }\n` +
      `priority: \${{ params.level }}\nsteps:\n  - id: mark\n    run: echo ${name} \${{ params.level }} >> log; while ! test -e release; do sleep 0.02; done\n`;
    await Deno.writeTextFile(`${folder}/queue.yaml`, text("queue", "group: g"));
    await Deno.writeTextFile(
      `${folder}/skip.yaml`,
      text("skip", "group: { name: g, overlap: skip }"),
    );
    const begun = Promise.withResolvers<void>();
    const first = engine.run(`${folder}/queue.yaml`, {
      onEvent: (event) =>
        event.type === "journal" && event.record.key === "mark" && begun.resolve(),
    });
    await begun.promise;
    const skipped = await engine.run(`${folder}/skip.yaml`);
    assert.equal(skipped.status, "skipped");
    const queued = [3, 7, 5, 7].map((level) => {
      const waiting = Promise.withResolvers<void>();
      const report = engine.run(`${folder}/queue.yaml`, {
        given: { text: { level: String(level) } },
        onEvent: (event) => event.type === "notice" && waiting.resolve(),
      });
      return { report, waiting: waiting.promise };
    });
    await Promise.all(queued.map(({ waiting }) => waiting));
    await Deno.writeTextFile(`${folder}/release`, "");
    const reports = await Promise.all([first, ...queued.map(({ report }) => report)]);
    assert.ok(reports.every(({ status }) => status === "succeeded"));
    const log = (await Deno.readTextFile(`${folder}/log`)).trim().split("\n");
    assert.deepEqual(log, ["queue 5", "queue 7", "queue 7", "queue 5", "queue 3"]);
  }));

Deno.test("a dry plan shows values, inputs and sources, secrets masked, and opens no store (V4)", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/token`, "t0ken-of-plans\n");
    await Deno.writeTextFile(
      `${folder}/w.yaml`,
      `
name: planned
params:
  token: { type: secret, from: { file: token } }
  size: { type: integer, default: 3 }
steps:
  - id: a
    run: curl -H \${{ params.token }} -n \${{ params.size }}
  - id: b
    if: steps.a.status == 'succeeded'
    for_each: { glob: "\${{ params.token }}/*.csv", batch: "\${{ params.size }}" }
    run: echo \${{ steps.a.outputs.stdout }}
finally:
  - id: z
    run: echo
`,
    );
    const engine = await createEngine({ near: folder, store: `sqlite:${folder}/none/store.db` });
    const plan = await engine.plan(`${folder}/w.yaml`, { text: { size: "7" } });
    await engine.close();
    assert.ok(!JSON.stringify(plan).includes("t0ken-of-plans"));
    assert.deepEqual(plan.parameters, { token: { secret: "file token" }, size: 7 });
    assert.equal(plan.sources.size, "command line");
    const [a, b, z] = plan.steps;
    assert.deepEqual(a.with, { run: "curl -H '***' -n '7'" });
    assert.deepEqual([b.needs, b.layer, b.with], [["a"], 1, undefined]);
    assert.equal(b.forEach, "glob ***/*.csv batch 7");
    assert.deepEqual([z.list, z.layer], ["finally", 0]);
    await assert.rejects(Deno.stat(`${folder}/none`), Deno.errors.NotFound);
  }));

Deno.test("resume uses the stored text; a changed module stops it unless changes are accepted (R4)", async () => {
  const stores = await Deno.makeTempDir({ prefix: "spanloop-stored-" });
  await inFolder(async (folder, engine) => {
    const file = `${folder}/w.yaml`;
    await Deno.writeTextFile(`${folder}/step.ts`, "export default () => ({ says: 1 });\n");
    await Deno.writeTextFile(
      file,
      `
name: stored
steps:
  - id: dies
    run: test -e died || { touch died; kill -9 $PPID; sleep 60; }
  - id: module
    uses: script
    with: { module: ./step.ts }
`,
    );
    const died = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "--no-check",
        new URL("./run_logged.ts", import.meta.url).pathname,
        file,
        engine.location,
      ],
      stdout: "null",
    }).output();
    assert.equal(died.signal, "SIGKILL");
    const [run] = await engine.runs();
    assert.deepEqual(Object.keys(run.modules), [`${folder}/step.ts`]);

    await Deno.writeTextFile(file, "name: stored\nsteps:\n  - id: other\n    run: touch other\n");
    await Deno.writeTextFile(`${folder}/step.ts`, "export default () => ({ says: 2 });\n");
    await assert.rejects(engine.resume(run.runId), /changed since it started: .*step\.ts/);
    const report = await engine.resume(run.runId, { acceptChanges: true });
    assert.equal(report.status, "succeeded");
    assert.deepEqual(report.steps.map(({ id }) => id), ["dies", "module"], "the stored text");
    assert.deepEqual(report.steps[1].outputs, { says: 2 });
    await assert.rejects(engine.resume(run.runId), /has ended \(succeeded\); rerun/);
  }, `sqlite:${stores}/store.db`);
  await Deno.remove(stores, { recursive: true });
});

Deno.test("rerun --failed and --from start a linked run that keeps the outcomes before it (R5)", () =>
  inFolder(async (folder, engine) => {
    await Deno.writeTextFile(
      `${folder}/w.yaml`,
      `
name: again
params: { size: { type: integer, default: 1 } }
steps:
  - id: load
    for_each: { list: [1, 2, 3], batch: 2 }
    run: echo load >> log; cat
  - id: check
    run: echo check >> log; test -e mended
  - id: after
    run: echo after >> log; echo \${{ steps.load.outputs[1].stdout }} \${{ params.size }}
  - id: beside
    needs: []
    run: echo beside >> log
`,
    );
    const log = () => {
      const lines = Deno.readTextFileSync(`${folder}/log`).trim().split("\n").sort();
      Deno.writeTextFileSync(`${folder}/log`, "");
      return lines;
    };
    const first = await engine.run(`${folder}/w.yaml`, { given: { text: { size: "7" } } });
    assert.equal(first.status, "failed");
    assert.deepEqual(log(), ["beside", "check", "load", "load"]);
    await Deno.writeTextFile(`${folder}/mended`, "");

    const second = await engine.rerun(first.run_id, { failed: true });
    assert.deepEqual(log(), ["after", "check"], "what succeeded is not run again");
    assert.equal(second.status, "succeeded");
    assert.notEqual(second.run_id, first.run_id);
    const [load, , after] = second.steps;
    assert.deepEqual([load.status, load.reason, load.items, load.attempts], [
      "succeeded",
      "reuse",
      3,
      0,
    ]);
    assert.equal(
      (after.outputs as { stdout: string }).stdout,
      "3 7",
      "with its outputs and values",
    );
    const { summary } = await engine.history(second.run_id);
    assert.equal(summary.rerun?.runId, first.run_id);

    const third = await engine.rerun(second.run_id, { from: "after" });
    assert.deepEqual(log(), ["after"], "of a rerun's reused outcomes too");
    assert.equal(third.status, "succeeded");
    await engine.rerun(first.run_id, { from: "load" });
    assert.deepEqual(log(), ["after", "check", "load", "load"], "from load on, beside is kept");
    await engine.rerun(first.run_id);
    assert.deepEqual(
      log(),
      ["after", "beside", "check", "load", "load"],
      "with neither, everything",
    );
    await assert.rejects(engine.rerun(first.run_id, { from: "chek" }), /did you mean check/);
  }));
