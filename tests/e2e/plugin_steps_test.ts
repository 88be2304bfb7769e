// What plugins' steps ask of the engine, in real runs.
import assert from "node:assert/strict";
import { join } from "node:path";
import type { LedgerEntry, RunHistory, StepHistory } from "../../engine/engine.ts";
import type { JsonObject } from "../../mod.ts";
import { openStore } from "../../engine/store/open.ts";
import { type EngineFolder, inEngineFolder } from "./engine_folder.ts";

interface Scene extends EngineFolder {
  /** Runs a workflow of the folder in an engine of its own. */
  run(file: string): Promise<RunHistory>;
  /** What is written of a workflow's changes, newest first. */
  changes(file: string): Promise<readonly LedgerEntry[]>;
}

function scene(
  files: Readonly<Record<string, string>>,
  test: (scene: Scene) => Promise<void>,
): Promise<void> {
  return inEngineFolder(files, (inFolder) => {
    const { folder, engine } = inFolder;
    return test({
      ...inFolder,
      run: (file) =>
        engine(async (engine) => {
          const { run_id } = await engine.run(join(folder, file));
          return await engine.history(run_id);
        }),
      changes: (file) => engine((engine) => engine.tuning.history(join(folder, file))),
    });
  });
}

function stepOf({ steps }: RunHistory, id: string): StepHistory {
  return steps.find(({ report }) => report.id === id)!;
}

function outputs(history: RunHistory, step = "ask"): JsonObject {
  const { status, error, outputs } = stepOf(history, step).report;
  assert.equal(status, "succeeded", JSON.stringify(error));
  return outputs as JsonObject;
}

function failure(history: RunHistory, step = "ask"): string {
  const { status, error } = stepOf(history, step).report;
  assert.equal(status, "failed");
  return String(error?.message);
}

// Asks what `with` says, and gives back the answers.
const ASKER = `
import { definePlugin, TransientError } from "spanloop";
export default definePlugin({
  name: "asker", role: "optimizer", subscribe: { role: "attempt" }, actions: ["propose"],
  onSpan({ span }, { state }) {
    state.set("heard", Number(state.get("heard") ?? 0) + 1);
    state.set("last", String(span.stepId));
  },
  steps: {
    ask: {
      async run({ with: { about, propose, failFirst }, now, attempt, log, query, parameters, kept, ...context }) {
        const workflow = about as string | undefined;
        const spans = await query({ role: "run", ...workflow === undefined ? {} : { workflow } });
        const { version, parameters: { size } } = await parameters(workflow);
        const decisions = [];
        for (const size of (propose ?? []) as number[]) {
          decisions.push(await context.propose({
            changes: { size }, reason: "the step says so", ...workflow === undefined ? {} : { workflow },
          }));
        }
        log(JSON.stringify(decisions));
        if (failFirst && attempt === 1) throw new TransientError("once more");
        return {
          now, version, size: size.value, kept: await kept(workflow), decisions,
          runs: spans.map(({ runId, workflow }) => workflow + " " + runId),
        };
      },
    },
  },
});`;

const SIZE =
  "params: { size: { type: integer, default: 2, tune: { min: 1, max: 50, mode: auto } } }";

for (const trust of [true, false]) {
  const kind = trust ? "in process" : "in a sandbox";

  Deno.test(`a plugin's step ${kind} asks for spans, parameters, what its plugin keeps, and changes (P2, T4)`, () =>
    scene({
      "w.yaml": `
name: w
plugins: [{ use: ./asker.ts, trust: ${trust}, grant: { propose: [size] } }]
${SIZE}
steps:
  - { id: one, run: "echo \${{ params.size }}" }
  - { id: ask, uses: asker/ask, with: { propose: [6] } }`,
      "asker.ts": ASKER,
    }, async ({ run, changes }) => {
      const first = await run("w.yaml");
      const [asked] = [outputs(first)];
      assert.deepEqual([asked.version, asked.size, asked.runs], [0, 2, []]);
      const [entry] = await changes("w.yaml");
      assert.deepEqual(asked.decisions, [{
        outcome: "applied",
        rule: "accepted",
        message: entry.decision.message,
        change: entry.number,
      }]);
      // Decided as of the attempt, with its span for evidence.
      const { traceId, spanId, startTime } = stepOf(first, "ask").attempts[0].span;
      assert.deepEqual(entry.proposal.evidence, [{ traceId, spanId }]);
      assert.equal(entry.proposal.at, startTime);
      assert.equal(asked.now, Number(startTime) / 1e9);
      assert.deepEqual(entry.proposal.author, { kind: "plugin", name: "asker" });

      const second = await run("w.yaml");
      const again = outputs(second);
      assert.deepEqual([again.version, again.size], [1, 6]);
      assert.equal(outputs(second, "one").stdout, "6");
      assert.deepEqual(again.runs, [`w ${first.report.run_id}`]);
      assert.deepEqual(again.kept, { heard: 2, last: "ask" });
      assert.equal((again.decisions as readonly JsonObject[])[0].rule, "no_change");
    }));

  Deno.test(`a step ${kind} whose plugin may not propose is refused with a sentence, as an error that no retry helps`, () =>
    scene({
      "w.yaml": `
name: w
plugins: [{ use: ./asker.ts, trust: ${trust} }]
${SIZE}
steps:
  - { id: ask, uses: asker/ask, with: { propose: [6] }, retry: { attempts: 3, initial: 1ms, on: [transient] } }`,
      "asker.ts": ASKER,
    }, async ({ folder, run, changes }) => {
      const refused = await run("w.yaml");
      assert.match(failure(refused), /Nothing is proposed: it was not granted to propose/);
      assert.ok(failure(refused).includes(`\`grant\` at ${folder}/w.yaml:3`), failure(refused));
      const { error, attempts } = stepOf(refused, "ask").report;
      assert.deepEqual([error?.code, attempts], ["plugin.threw", 1]);
      assert.deepEqual(await changes("w.yaml"), []);
    }));
}

Deno.test("a step reaches its own workflow, and others that its plugin was granted", () =>
  scene({
    "other.yaml": `name: other\n${SIZE}\nplugins: [{ use: ./asker.ts }]
steps: [{ id: a, run: "true" }]`,
    "shut.yaml": `
name: shut
plugins: [{ use: ./asker.ts, grant: { propose: ["*"] } }]
steps:
  - { id: spans, uses: asker/spans, needs: [], with: { about: other } }
  - { id: parameters, uses: asker/parameters, needs: [], with: { about: other } }
  - { id: kept, uses: asker/kept, needs: [], with: { about: other } }
  - { id: propose, uses: asker/propose, needs: [], with: { about: other } }`,
    "open.yaml": `
name: open
plugins: [{ use: ./asker.ts, grant: { propose: ["*"], workflows: [oth*, nowhere] } }]
steps:
  - { id: spans, uses: asker/spans, needs: [], with: { about: other } }
  - { id: parameters, uses: asker/parameters, needs: [], with: { about: other } }
  - { id: kept, uses: asker/kept, needs: [], with: { about: other } }
  - { id: propose, uses: asker/propose, needs: [], with: { about: other } }
  - { id: nowhere, uses: asker/parameters, needs: [], with: { about: nowhere } }`,
    "asker.ts": `
import { definePlugin } from "spanloop";
const changes = { size: 7 };
export default definePlugin({
  name: "asker", role: "optimizer", subscribe: { workflow: "other", role: "attempt" }, actions: ["propose"],
  onSpan: ({ span }, { state }) => state.set("last", String(span.stepId)),
  steps: {
    spans: { run: async ({ query, with: { about } }) =>
      ({ got: (await query({ workflow: String(about) })).length }) },
    parameters: { run: async ({ parameters, with: { about } }) =>
      ({ got: Object.keys((await parameters(String(about))).parameters) }) },
    kept: { run: async ({ kept, with: { about } }) => ({ got: await kept(String(about)) }) },
    propose: { run: async ({ propose, with: { about } }) =>
      ({ got: (await propose({ workflow: String(about), changes, reason: "it is better" })).outcome }) },
  },
});`,
  }, async ({ run, changes }) => {
    outputs(await run("other.yaml"), "a");
    const shut = await run("shut.yaml");
    assert.match(failure(shut, "spans"), /Cannot query spans of other/);
    for (const step of ["parameters", "kept", "propose"]) {
      assert.match(
        failure(shut, step),
        /granted nothing of other: name that in `grant.workflows` at/,
      );
    }
    assert.deepEqual(await changes("other.yaml"), []);
    const open = await run("open.yaml");
    assert.deepEqual(
      ["spans", "parameters", "kept", "propose"].map((step) => outputs(open, step).got),
      [2, ["size"], { last: "a" }, "applied"],
    );
    assert.match(failure(open, "nowhere"), /There is no workflow nowhere in this store/);
    const [{ proposal, decision }] = await changes("other.yaml");
    assert.deepEqual([proposal.workflow, decision.values], ["other", { size: 7 }]);
  }));

Deno.test("what a plugin of that name keeps for all workflows is read by a step of the same plugin alone", () =>
  scene({
    "spanloop.yaml": "plugins: [{ use: ./asker.ts }]",
    "w.yaml": `name: w\n${SIZE}\nplugins: [{ use: ./asker.ts }]
steps: [{ id: ask, uses: asker/ask }]`,
    "v.yaml": `name: v\n${SIZE}
plugins: [{ use: ./asker.ts, grant: { workflows: [plain] } }]
steps: [{ id: ask, uses: asker/ask, with: { about: plain } }]`,
    "plain.yaml": `name: plain\n${SIZE}\nsteps: [{ id: a, run: "true" }]`,
    "asker.ts": ASKER,
  }, async ({ folder, run }) => {
    await run("plain.yaml");
    assert.deepEqual(outputs(await run("v.yaml")).kept, { heard: 1, last: "a" });
    // Another one of the same name, from elsewhere, has what v's own has heard alone.
    await Deno.mkdir(`${folder}/elsewhere`);
    await Deno.writeTextFile(`${folder}/elsewhere/asker.ts`, ASKER);
    const text = await Deno.readTextFile(`${folder}/v.yaml`);
    await Deno.writeTextFile(
      `${folder}/v.yaml`,
      text.replace("./asker.ts", "./elsewhere/asker.ts"),
    );
    assert.deepEqual(outputs(await run("v.yaml")).kept, { heard: 1, last: "ask" });
  }));

Deno.test("a retry that asks again is given what was decided, and nothing is decided twice (P2, T3)", () =>
  scene({
    "w.yaml": `
name: w
plugins: [{ use: ./asker.ts, grant: { propose: [size] } }]
${SIZE}
steps:
  - id: ask
    for_each: [a, b]
    uses: asker/ask
    with: { propose: [6, 7], failFirst: true }
    retry: { attempts: 2, initial: 1ms, on: [transient] }`,
    "asker.ts": ASKER,
  }, async ({ run, changes }) => {
    const history = await run("w.yaml");
    assert.equal(history.report.status, "succeeded");
    const entries = (await changes("w.yaml")).toReversed();
    assert.equal(entries.length, 4);
    assert.equal(new Set(entries.map(({ proposal: { id } }) => id)).size, 4);
    // Both attempts at each batch were told of the same two changes.
    const told = stepOf(history, "ask").attempts.map(({ tail }) =>
      (JSON.parse(String(tail)) as readonly JsonObject[]).map(({ change }) => change).join()
    );
    assert.deepEqual(told.toSorted(), ["1,2", "1,2", "3,4", "3,4"]);
  }));

Deno.test("a run that is resumed after kill -9 asks for the same change, which was made once (P2, T3, R5)", () =>
  scene({
    "w.yaml": `
name: w
plugins: [{ use: ./once.ts, trust: true, grant: { propose: [size] } }]
${SIZE}
steps: [{ id: ask, uses: once/ask }]`,
    "once.ts": `
import { definePlugin } from "spanloop";
export default definePlugin({
  name: "once", role: "optimizer", actions: ["propose"],
  steps: {
    ask: {
      async run({ propose }) {
        const decision = await propose({ changes: { size: 6 }, reason: "better" });
        const mark = new URL("mark", import.meta.url);
        try {
          await Deno.stat(mark);
        } catch {
          await Deno.writeTextFile(mark, JSON.stringify(decision));
          Deno.kill(Deno.pid, "SIGKILL");
        }
        return { ...decision };
      },
    },
  },
});`,
  }, async ({ folder, engine, changes }) => {
    const main = new URL("../../engine/cli/main.ts", import.meta.url).pathname;
    const { signal } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "--no-check",
        main,
        "run",
        "w.yaml",
        "--store",
        `sqlite:${folder}/store.db`,
      ],
      cwd: folder,
      // A task sets it.
      env: { INIT_CWD: "" },
      stdout: "null",
      stderr: "null",
    }).output();
    assert.equal(signal, "SIGKILL");
    const store = await openStore(`sqlite:${folder}/store.db`, { durability: "normal" });
    const [{ runId }] = await store.runs({});
    await store.close();
    const report = await engine((engine) => engine.resume(runId));
    const told = JSON.parse(await Deno.readTextFile(`${folder}/mark`));
    assert.deepEqual(report.steps[0].outputs, told);
    assert.equal(told.outcome, "applied");
    assert.equal((await changes("w.yaml")).length, 1);
  }));

Deno.test("a step's context ends with its attempt", () =>
  scene({
    "w.yaml": `
name: w
plugins: [{ use: ./late.ts }]
${SIZE}
steps:
  - { id: one, uses: late/keep }
  - { id: ask, uses: late/use }`,
    "late.ts": `
import { definePlugin, type PluginStepContext } from "spanloop";
let kept: PluginStepContext;
export default definePlugin({
  name: "late", role: "agent",
  steps: {
    keep: { run: (context) => void (kept = context) },
    use: { run: async () => { await kept.parameters(); } },
  },
});`,
  }, async ({ run }) => {
    assert.match(failure(await run("w.yaml")), /The step has returned, and its context with it/);
  }));

Deno.test("a workflow's plugin that was granted another one learns of it and changes it", () =>
  scene({
    "other.yaml": `name: other\n${SIZE}\nsteps: [{ id: a, run: "true" }]`,
    "loop.yaml": `
name: loop
plugins: [{ use: ./learner.ts, grant: { propose: ["*"], workflows: [other] } }]
steps:
  - { id: measure, uses: workflow, with: { file: ./other.yaml } }
  - { id: ask, uses: learner/ask }`,
    "learner.ts": `
import { definePlugin } from "spanloop";
export default definePlugin({
  name: "learner", role: "optimizer", subscribe: { workflow: "other", role: "run" }, actions: ["propose"],
  async onSpan({ span }, { state, parameters }) {
    const { version, parameters: { size } } = await parameters();
    state.set(String(span.workflow), Number(size.value));
    const changes = { size: Number(size.value) + 1 };
    return [{ type: "propose", changes, version, reason: "one more" }];
  },
  steps: { ask: { run: async ({ kept }) => ({ kept: await kept("other") }) } },
});`,
  }, async ({ run, changes }) => {
    assert.equal((await run("loop.yaml")).report.status, "succeeded");
    assert.deepEqual(outputs(await run("loop.yaml")).kept, { other: 2 });
    const applied = (await changes("other.yaml")).map(({ decision: { values } }) => values.size);
    assert.deepEqual(applied, [4, 3]);
  }));
