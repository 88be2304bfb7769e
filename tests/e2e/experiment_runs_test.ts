import assert from "node:assert/strict";
import type { JsonObject } from "../../engine/core/json.ts";
import type { Arm } from "../../engine/core/proposal.ts";
import type { Attributes } from "../../engine/core/span.ts";
import type { RunSummary } from "../../engine/core/store.ts";
import { drawArm } from "../../engine/run/trial.ts";
import { Scene } from "../chaos/scene.ts";
import { spansOf } from "../chaos/snapshot.ts";
import { next, tries } from "./experiment_scene.ts";

// Runs that are of one arm as a whole while an experiment is open.

const PARAMS = `
params:
  batch: { type: integer, default: 2, tune: { min: 0, max: 50, apply: live, mode: auto } }
  pinned: { type: integer, default: 1, tune: { min: 0, max: 50, mode: auto } }
tune: { objective: { minimize: duration / items, of: work } }
`;

const part = (attributes: Attributes) =>
  ["id", "arm", "pair"].map((name) => attributes[`spanloop.experiment.${name}`]);

/** The runs of a workflow, oldest first. */
async function runsOf(scene: Scene, workflow: string): Promise<readonly RunSummary[]> {
  const { runs } = await scene.state();
  return runs.map(({ summary }) => summary).filter((one) => one.workflow === workflow);
}

/** An experiment whose first run, at an exposure of a half, is of this arm. */
function firstOf(arm: Arm): string {
  const id = Array.from({ length: 64 }, (_, i) => `tuner@w/${i}/0`)
    .find((id) => drawArm({ id, exposure: 0.5 }, 0).arm === arm);
  assert.ok(id !== undefined);
  return id;
}

Deno.test("one run of each block has the candidate's values, in all of its spans; one with a given value has no part (V3)", () =>
  Scene.play({
    "w.yaml": `
name: w
${PARAMS}
env: { PINNED: "\${{ params.pinned }}" }
steps:
  - { id: work, run: "echo $PINNED \${{ params.pinned }} \${{ params.batch }}" }
`,
  }, async (scene) => {
    const experiment = { id: "tuner@w/3/0", values: { pinned: 9, batch: 8 }, exposure: 1 / 3 };
    const version = await next(scene, "w", { experiment });
    const file = `${scene.folder}/w.yaml`;
    await scene.engine(async (engine) => {
      const said = (report: { readonly steps: readonly { readonly outputs: unknown }[] }) =>
        (report.steps[0].outputs as JsonObject).stdout;
      let candidates = 0;
      for (let index = 0; index < 9; index++) {
        const { arm } = drawArm(experiment, index);
        const report = await engine.run(file);
        assert.equal(said(report), arm === "candidate" ? "9 9 8" : "1 1 2");
        assert.equal(report.parameters.pinned, arm === "candidate" ? 9 : 1);
        if (arm === "candidate") candidates++;
        if (index === 4) {
          const given = await engine.run(file, { given: { text: { pinned: "1" } } });
          assert.equal(said(given), "1 1 2");
        }
        if (index === 6) await engine.rerun(report.run_id);
      }
      // One of three, and then one of each two.
      assert.equal(candidates, 4);
      // Of those that begin together each has a number of its own.
      await Promise.all(Array.from({ length: 6 }, () => engine.run(file)));
    });
    const runs = await runsOf(scene, "w");
    assert.equal(runs.length, 17);
    assert.equal(runs[5].trial, undefined, "its value was given");
    const [rerun] = runs.filter(({ rerun }) => rerun !== undefined);
    assert.deepEqual(rerun.trial, runs.find(({ runId }) => runId === rerun.rerun?.runId)?.trial);
    assert.equal(rerun.params.pinned, drawArm(experiment, 6).arm === "candidate" ? 9 : 1);
    const trials = runs.filter((run) => run !== rerun).flatMap(({ trial }) => trial ?? []);
    trials.slice(0, 9).forEach(({ index }, place) => assert.equal(index, place));
    assert.deepEqual(
      trials.map(({ index }) => index).sort((a, b) => a - b),
      Array.from({ length: 15 }, (_, i) => i),
    );
    for (const trial of trials) {
      assert.deepEqual(trial, {
        experiment: experiment.id,
        index: trial.index,
        ...drawArm(experiment, trial.index),
      });
    }
    const { runs: all } = await scene.state();
    for (const { summary: { trial, params, sources, snapshot }, records } of all) {
      const expected = trial === undefined
        ? [undefined, undefined, undefined]
        : [trial.experiment, trial.arm, trial.pair];
      for (const { start: { span, role } } of spansOf(records)) {
        assert.deepEqual(part(span.attributes), expected, role);
        assert.equal(span.attributes["spanloop.parameter.pinned"], params.pinned);
        assert.equal(
          span.attributes["spanloop.parameters.version"],
          role === "run" ? version : undefined,
        );
      }
      assert.equal(snapshot, version);
      if (trial?.arm === "candidate") assert.equal(sources.pinned, "tuned");
    }
    await scene.assertSound();
  }));

Deno.test("a run of the candidate's keeps its live values until the experiment is over, and so does its resume (A6, A2)", () =>
  Scene.play({
    "w.yaml": `
name: w
${PARAMS}
steps:
  - { id: first, run: "echo first \${{ params.batch }}" }
  - { id: work, run: ". ./die.sh; die here; echo \${{ params.batch }}" }
  - { id: wait, run: "echo waits >> log; until test -e go; do sleep 0.01; done" }
  - { id: last, run: "echo \${{ params.batch }} \${{ params.pinned }}" }
`,
  }, async (scene) => {
    const id = firstOf("candidate");
    await next(scene, "w", {
      experiment: { id, values: { pinned: 9, batch: 8 }, exposure: 0.5 },
    });
    await scene.crash("w.yaml");
    const running = await scene.resume();
    await scene.untilSaid("log", "waits");
    const over = await next(scene, "w", { values: { batch: 4 } });
    await new Promise((resolve) => setTimeout(resolve, 1_000)); // heard within 500 ms (R8)
    scene.write("go", "");
    const { report, stderr } = await running.end;
    assert.equal(report?.status, "succeeded", stderr);
    const said = (id: string) =>
      (report.steps.find((step) => step.id === id)?.outputs as JsonObject).stdout;
    assert.deepEqual([said("first"), said("work"), said("last")], ["first 8", "8", "4 9"]);
    for (const key of ["run", "first", "work", "wait"]) {
      for (const { start: { span } } of await scene.spans(key)) {
        assert.deepEqual(part(span.attributes), [id, "candidate", 0], key);
      }
    }
    const [last] = await scene.spans("last");
    assert.deepEqual(part(last.start.span.attributes), [undefined, undefined, undefined]);
    assert.equal(last.start.span.attributes["spanloop.parameters.version"], over);
    await scene.assertSound();
  }));

Deno.test("with too few items for slices the whole step is of the run's arm; sub-workflows take part (A6, S6)", () =>
  Scene.play({
    "w.yaml": `
name: w
steps:
  - { id: call, uses: workflow, with: { file: ./child.yaml } }
`,
    "child.yaml": `
name: child
${PARAMS}
steps:
  - id: work
    for_each: { list: [1, 2, 3, 4, 5, 6], batch: "\${{ params.batch }}" }
    run: "true"
  - { id: after, run: "echo \${{ params.batch }}" }
`,
  }, async (scene) => {
    const experiment = { id: "tuner@child/1/0", values: { batch: 3 }, exposure: 0.5 };
    const version = await next(scene, "child", { experiment });
    await scene.engine(async (engine) => {
      for (let index = 0; index < 4; index++) {
        const report = await engine.run(`${scene.folder}/w.yaml`);
        assert.equal(report.status, "succeeded");
        const { arm, pair } = drawArm(experiment, index);
        const batches = await tries(scene, "child");
        assert.equal(batches.length, arm === "candidate" ? 2 : 3);
        for (const one of batches) {
          assert.deepEqual([one.arm, one.pair, one.slice], [arm, pair, undefined]);
          assert.equal(one.params.batch, arm === "candidate" ? 3 : 2);
          assert.equal(one.version, arm === "candidate" ? version : undefined);
        }
      }
    });
    const runs = await runsOf(scene, "child");
    assert.deepEqual(
      runs.map(({ trial }) => trial),
      [0, 1, 2, 3].map((index) => ({ experiment: experiment.id, index })),
    );
    const others = await runsOf(scene, "w");
    assert.ok(others.every(({ trial }) => trial === undefined));
    for (const key of ["run", "work", "after"]) {
      for (const { start: { span } } of await scene.spans(key, "child")) {
        assert.equal(span.attributes["spanloop.experiment.id"], undefined, key);
        assert.equal(span.attributes["spanloop.parameter.batch"], 2, "only the step's batches");
      }
    }
    await scene.assertSound();
  }));

Deno.test("a whole step that was under way in a crash is of its arm no more (J2, A2, A6)", () =>
  Scene.play({
    "w.yaml": `
name: w
${PARAMS}
steps:
  - id: work
    for_each: { list: [1, 2, 3, 4, 5, 6], batch: "\${{ params.batch }}" }
    run: . ./die.sh; test \${{ from }} = 0 || die here
`,
  }, async (scene) => {
    const id = firstOf("incumbent");
    await next(scene, "w", { experiment: { id, values: { batch: 4 }, exposure: 0.5 } });
    await scene.crash("w.yaml");
    assert.equal((await scene.finish()).status, "succeeded");
    assert.deepEqual(
      (await tries(scene, "w")).map(({ from, to, arm, outcome }) => [from, to, arm, outcome]),
      [
        [0, 2, "incumbent", "succeeded"],
        [2, 4, "incumbent", "interrupted"],
        [2, 4, "incumbent", "succeeded"],
        [4, 6, undefined, "succeeded"],
      ],
    );
    await scene.assertSound();
  }));

Deno.test("a candidate with which a run has no values stops no run, and is told", () =>
  Scene.play({
    "split.yaml": `
name: split
${PARAMS}
env: { TENTH: "\${{ 10 / params.batch }}" }
steps:
  - id: work
    for_each: { list: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12] }
    run: echo $TENTH
`,
    "whole.yaml": `
name: whole
${PARAMS}
env: { TENTH: "\${{ 10 / params.pinned }}" }
steps: [{ id: work, run: echo $TENTH }]
`,
  }, async (scene) => {
    const open = (workflow: string, values: JsonObject) =>
      next(scene, workflow, { experiment: { id: `tuner@${workflow}/1/0`, values, exposure: 1 } });
    await open("split", { batch: 0 });
    await open("whole", { pinned: 0 });
    await scene.engine(async (engine) => {
      const told: string[] = [];
      engine.onLog(({ body }) => told.push(body), "warn");
      for (const workflow of ["split", "whole"]) {
        for (let turn = 0; turn < 3; turn++) {
          const report = await engine.run(`${scene.folder}/${workflow}.yaml`);
          assert.equal(report.status, "succeeded");
          assert.deepEqual([report.parameters.batch, report.parameters.pinned], [2, 1]);
        }
        const lines = told.splice(0).filter((line) =>
          line.includes(`(tuner@${workflow}/1/0) is not tried in this run: `)
        );
        assert.equal(lines.length, 3, "once a run");
        for (const line of lines) assert.match(line, /divide 10 by zero/);
        for (const { records } of (await scene.state()).runs) {
          for (const { start } of spansOf(records)) {
            assert.equal(start.span.attributes["spanloop.experiment.arm"], undefined);
          }
        }
      }
    });
    await scene.assertSound();
  }));
