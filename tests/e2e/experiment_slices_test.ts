import assert from "node:assert/strict";
import type { JsonObject } from "../../engine/core/json.ts";
import type { Arm } from "../../engine/core/proposal.ts";
import { type Seeded, seeded } from "../../engine/core/seeded_test.ts";
import { Scene } from "../chaos/scene.ts";
import { next, tries, type Try } from "./experiment_scene.ts";

// Runs whose for_each step is cut into slices while an experiment is open.

interface SliceSeen {
  readonly experiment: unknown;
  readonly arm: Arm;
  readonly pair: number;
  readonly slice: readonly [from: number, to: number];
  readonly tries: readonly Try[];
  /** What part C's reader calls whole: its ranges cover it, and no try at them was interrupted. */
  readonly whole: boolean;
}

/** The slices of a run in their order; asserts what holds of each, whole or not (A6). */
function slicesOf(all: readonly Try[], what: string): readonly SliceSeen[] {
  const groups = Map.groupBy(
    all.filter(({ slice }) => slice !== undefined),
    ({ experiment, pair, arm }) => `${experiment} ${pair} ${arm}`,
  );
  const seen = [...groups.values()].map((tries): SliceSeen => {
    const [{ experiment, arm, pair, slice }] = tries;
    assert.ok(arm !== undefined && pair !== undefined && slice !== undefined);
    const covered = new Set<number>();
    for (const one of tries) {
      assert.deepEqual(one.slice, slice, `one slice an arm and a pair: ${what}`);
      assert.deepEqual(one.params, tries[0].params, `one set of values: ${what}`);
      assert.equal(one.version, tries[0].version, what);
      assert.ok(one.from >= slice[0] && one.to <= slice[1], `within its slice: ${what}`);
      if (one.outcome === "interrupted") continue;
      for (let item = one.from; item < one.to; item++) covered.add(item);
    }
    const whole = covered.size === slice[1] - slice[0] &&
      tries.every(({ outcome }) => outcome !== "interrupted");
    return { experiment, arm, pair, slice, tries, whole };
  }).sort((a, b) => a.slice[0] - b.slice[0]);
  for (const one of seen) {
    const mine = new Set(one.tries);
    // Nothing else is under way from the first hand-out of a slice that is whole to its last end.
    const began = Math.min(...one.tries.map(({ began }) => began));
    const ended = Math.max(...one.tries.map(({ ended }) => ended));
    for (const other of all) {
      if (mine.has(other) || !one.whole) continue;
      assert.ok(other.ended < began || other.began > ended, `alone: ${what}`);
    }
  }
  return seen;
}

/** Asserts that the batches' ranges cover `[0, total)` once each. */
function assertCovered(all: readonly Try[], total: number, what: string): void {
  const ranges = new Map(all.map(({ from, to }) => [from, to]));
  let at = 0;
  while (at < total) {
    const to = ranges.get(at);
    assert.ok(to !== undefined, `no range begins at ${at}: ${what}`);
    at = to;
  }
  assert.equal(at, total, what);
  assert.equal(new Set(all.map(({ from }) => from)).size, ranges.size);
  for (const [from] of ranges) {
    const ends = all.filter((one) => one.from === from && one.outcome === "succeeded");
    assert.equal(ends.length, 1, `the items from ${from} succeed once (J2): ${what}`);
  }
}

/** How many of some tries were under way at once. */
function atOnce(tries: readonly Try[]): number {
  return Math.max(
    ...tries.map(({ began }) =>
      tries.filter((one) => one.began <= began && one.ended > began).length
    ),
  );
}

/** Holds a run in the middle of a slice: its batches wait while there is the file `hold`. */
async function holdInSlice(scene: Scene, experiment: string): Promise<void> {
  await scene.until(`a slice of ${experiment} is under way`, async () => {
    scene.write("hold", "");
    // What is under way now is held; nothing is handed out once its concurrency is used up.
    await new Promise((resolve) => setTimeout(resolve, 100));
    const last = (await tries(scene, "w")).at(-1);
    if (last?.slice && last.experiment === experiment && last.to + 20 < last.slice[1]) return true;
    Deno.removeSync(`${scene.folder}/hold`);
    return false;
  });
}

/** Lets it go on once it has heard of what was changed meanwhile: within 500 ms (R8). */
async function goOn(scene: Scene): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  Deno.removeSync(`${scene.folder}/hold`);
}

const list = (count: number) => JSON.stringify(Array.from({ length: count }, (_, i) => i));

const PARAMS = `
params:
  batch: { type: integer, default: 2, tune: { min: 1, max: 50, apply: live, mode: auto } }
  width: { type: integer, default: 2, tune: { min: 1, max: 16, apply: live, mode: auto } }
  pinned: { type: integer, default: 1, tune: { min: 1, max: 50, mode: auto } }
tune: { objective: { minimize: duration / items, of: each } }
`;

Deno.test("both arms have whole slices of a run, each alone, with its own batches and concurrency (A6)", () =>
  Scene.play({
    "w.yaml": `
name: w
${PARAMS}
max_concurrency: \${{ params.width }}
steps:
  - id: each
    for_each: { list: ${list(400)}, batch: "\${{ params.batch }}", concurrency: 16 }
    retry: { attempts: 2, initial: 1ms }
    env: { RULED: "\${{ params.batch }}" }
    run: |
      echo $RULED=\${{ params.batch }}=\${{ params.width }} >> log
      test \${{ from }} != 100 -o $SPANLOOP_ATTEMPT = 2 || exit 75
      sleep 0.01
  - { id: after, run: "echo \${{ params.batch }}" }
`,
  }, async (scene) => {
    const version = await next(scene, "w", {
      experiment: { id: "tuner@w/1/0", values: { batch: 5, width: 4 }, exposure: 0.4 },
    });
    const report = await scene.engine((engine) => engine.run(`${scene.folder}/w.yaml`));
    assert.equal(report.status, "succeeded");
    assert.deepEqual(report.parameters, { batch: 2, width: 2, pinned: 1 });
    assert.equal(
      (report.steps[1].outputs as JsonObject).stdout,
      "2",
      "the rest is the incumbent's",
    );
    const all = await tries(scene, "w");
    assertCovered(all, 400, "one run");
    const slices = slicesOf(all, "one run");
    assert.equal(slices.length, 4, "two pairs: eight waves of 20 are 40 % of 400");
    assert.ok(slices.every(({ whole }) => whole));
    assert.deepEqual(slices.map(({ pair }) => pair), [0, 0, 1, 1]);
    for (const { arm, experiment, tries } of slices) {
      const candidate = arm === "candidate";
      assert.equal(experiment, "tuner@w/1/0");
      assert.deepEqual(
        tries[0].params,
        candidate ? { batch: 5, width: 4, pinned: 1 } : { batch: 2, width: 2, pinned: 1 },
      );
      assert.equal(tries[0].version, candidate ? version : undefined);
      assert.ok(tries.every(({ from, to }) => to - from === (candidate ? 5 : 2)), "whole batches");
      assert.equal(atOnce(tries), candidate ? 4 : 2);
    }
    const shared = slices.filter(({ arm }) => arm === "candidate")
      .reduce((sum, { slice }) => sum + slice[1] - slice[0], 0);
    assert.equal(shared, 160);
    // Both tries at what failed once are of the same slice.
    const retried = all.filter(({ from, to }) => from <= 100 && to > 100);
    assert.equal(retried.at(-1)?.outcome, "succeeded");
    assert.deepEqual(retried[0].slice, retried.at(-1)?.slice);
    // In the shell the values were those that the spans say.
    for (const line of new Set(scene.read("log").trim().split("\n"))) {
      assert.ok(line === "2=2=2" || line === "5=5=4", line);
    }
    const { runs: [{ summary }] } = await scene.state();
    assert.deepEqual(summary.trial, { experiment: "tuner@w/1/0", index: 0 });
    const { trials } = await scene.engine((engine) => engine.history(summary.runId));
    const told = { step: "each", of: 400, slices: 2 };
    assert.deepEqual(
      trials.map(({ experiment, arms }) => ({
        experiment,
        arms: arms.map(({ values: _, ...arm }) => arm),
      })),
      [{
        experiment: "tuner@w/1/0",
        arms: [
          { arm: "incumbent", items: 32, ...told },
          { arm: "candidate", items: 160, ...told },
        ],
      }],
    );
    const [run] = await scene.spans("run");
    assert.equal(run.start.span.attributes["spanloop.experiment.id"], undefined);
    await scene.assertSound();
  }));

Deno.test("any sizes, concurrencies and exposures: every item once, slices whole, the candidate's share kept (A6, F2)", () =>
  Scene.play(
    { "noop.ts": "export default () => {};" },
    (scene) =>
      scene.engine(async (engine) => {
        const random = seeded("any slices");
        let pairs = 0;
        for (let round = 0; round < 25; round++) {
          const items = random.below(600);
          const [batch, width] = [1 + random.below(12), 1 + random.below(4)];
          const values = { batch: 1 + random.below(12), width: 1 + random.below(4) };
          const exposure = random.pick([0.05, 0.2, 0.5, 1]);
          const what = `round ${round}, seed ${random.seed}: ${items} items, ${batch} x ${width}, ${
            JSON.stringify(values)
          } ${exposure}`;
          const lines = Array.from({ length: items }, (_, id) =>
            JSON.stringify({ id, text: "x".repeat(random.below(50)) }) + "\n");
          scene.write("items.ndjson", lines.join(""));
          scene.write(
            "w.yaml",
            `
name: w${round}
params:
  batch: { type: integer, default: ${batch}, tune: { min: 1, max: 50, apply: live, mode: auto } }
  width: { type: integer, default: ${width}, tune: { min: 1, max: 16, apply: live, mode: auto } }
tune: { objective: { minimize: duration / items, of: each } }
steps:
  - id: each
    for_each:
      ${random.pick(["file: items.ndjson", `list: ${list(items)}`])}
      batch: "\${{ params.batch }}"
      concurrency: "\${{ params.width }}"
    uses: script
    with: { module: ./noop.ts }
`,
          );
          await next(scene, `w${round}`, { experiment: { id: `x${round}`, values, exposure } });
          const report = await engine.run(`${scene.folder}/w.yaml`);
          assert.equal(report.status, "succeeded", what);
          const all = await tries(scene, `w${round}`);
          assertCovered(all, items, what);
          const slices = slicesOf(all, what);
          assert.ok(
            slices.every(({ whole }) =>
              whole
            ),
            what,
          );
          for (const { arm, tries, slice } of slices) {
            const size = arm === "candidate" ? values.batch : batch;
            assert.ok(tries.every(({ from, to }) => to - from === size), `whole batches: ${what}`);
            const most = arm === "candidate" ? values.width : width;
            assert.ok(atOnce(tries) <= most, what);
            const waves = (slice[1] - slice[0]) / (size * most);
            assert.ok(waves >= 1 && Number.isInteger(waves), `whole waves: ${what}`);
          }
          const wave = values.batch * values.width;
          const share = slices.filter(({ arm }) => arm === "candidate")
            .reduce((sum, { slice }) => sum + slice[1] - slice[0], 0);
          assert.ok(share <= Math.max(Math.min(exposure, 0.5) * items, wave), what);
          assert.ok(share <= items / 2, what);
          assert.ok(slices.every(({ pair }, index) => pair === index >> 1), what);
          pairs += slices.length / 2;
        }
        assert.ok(pairs > 20, `${pairs} pairs, seed ${random.seed}`);
      }),
  ));

Deno.test("an experiment's end or change is seen at the next hand-out; what it cuts short is not whole (A6)", () =>
  Scene.play({
    "w.yaml": `
name: w
${PARAMS}
steps:
  - id: each
    for_each: { list: ${
      list(1_500)
    }, batch: "\${{ params.batch }}", concurrency: "\${{ params.width }}" }
    run: |
      sleep 0.03
      while test -e hold; do sleep 0.01; done
`,
  }, async (scene) => {
    const experiment = { id: "first", values: { batch: 5, width: 1 }, exposure: 0.5 };
    const versions = [await next(scene, "w", { experiment })];
    const running = scene.start("w.yaml");
    await holdInSlice(scene, "first");
    // A verdict: its candidate rules from now on, and another one is tried.
    versions.push(
      await next(scene, "w", {
        values: experiment.values,
        experiment: { id: "second", values: { batch: 3 }, exposure: 0.5 },
      }),
    );
    await goOn(scene);
    await holdInSlice(scene, "second");
    versions.push(await next(scene, "w", { values: { batch: 7 } }));
    await goOn(scene);
    const { report, stderr } = await running.end;
    assert.equal(report?.status, "succeeded", stderr);
    const all = await tries(scene, "w");
    assertCovered(all, 1_500, "three versions");
    const slices = slicesOf(all, "three versions");
    for (const id of ["first", "second"]) {
      const mine = slices.filter(({ experiment }) => experiment === id);
      assert.ok(mine.length > 0, id);
      mine.slice(0, -1).forEach((slice) => assert.ok(slice.whole, id));
      assert.ok(!mine.at(-1)?.whole, `${id} was cut short`);
    }
    const pairs = slices.filter(({ arm }) => arm === "candidate").map(({ pair }) => pair);
    assert.deepEqual(pairs, [...new Set(pairs)], "pairs of one run have numbers of their own");
    assert.ok(
      Math.min(...slices.filter((one) => one.experiment === "second").map(({ pair }) => pair)) >
        Math.max(...slices.filter((one) => one.experiment === "first").map(({ pair }) => pair)),
    );
    const second = all.filter(({ experiment }) => experiment === "second");
    for (const { arm, params } of second) assert.equal(params.batch, arm === "candidate" ? 3 : 5);
    const last = all.filter(({ version }) => version === versions[2]);
    assert.equal(last[0].from, all.findLast(({ version }) => version !== versions[2])?.to);
    for (const { params, experiment, version } of last) {
      assert.deepEqual([params.batch, experiment, version], [7, undefined, versions[2]]);
    }
    await scene.assertSound();
  }));

Deno.test("killed again and again in slices, a run covers its items once and goes on with new pairs (J2, F2, A2, A6)", () =>
  Scene.play({
    "w.yaml": `
name: w
${PARAMS}
steps:
  - id: each
    for_each: { list: ${
      list(600)
    }, batch: "\${{ params.batch }}", concurrency: "\${{ params.width }}" }
    run: sleep 0.005
`,
  }, async (scene) => {
    const random: Seeded = seeded("slices");
    const what = `seed ${random.seed}`;
    const version = await next(scene, "w", {
      experiment: { id: "tuner@w/7/0", values: { batch: 5 }, exposure: 0.5 },
    });
    const death = () => ({ kill: `commit:${10 + random.below(70)}` });
    let running = scene.start("w.yaml", death());
    for (let kills = 0;;) {
      const { code, report, error, stderr } = await running.end;
      if (report !== undefined) {
        assert.equal(report.status, "succeeded", `${what}: ${report.error?.message}`);
        break;
      }
      if (error?.code === "run.ended") break;
      assert.equal(code, 137, `${what}: ${error?.message} ${stderr}`);
      running = await scene.resume(++kills < 5 ? death() : {});
    }
    const all = await tries(scene, "w");
    assertCovered(all, 600, what);
    for (const { arm, params, version: by } of all) {
      assert.equal(params.batch, arm === "candidate" ? 5 : 2, what);
      assert.equal(by, arm === "candidate" ? version : undefined, what);
    }
    const slices = slicesOf(all, what);
    assert.ok(slices.some(({ whole }) => whole), `some are whole: ${what}`);
    const byPair = Map.groupBy(slices, ({ pair }) => pair);
    let after = 0;
    for (const [, two] of [...byPair].sort(([a], [b]) => a - b)) {
      assert.ok(two.length <= 2 && two[0].arm !== two[1]?.arm, what);
      assert.ok(two[0].slice[0] >= after, `in the order of the items: ${what}`);
      after = two[0].slice[0];
    }
    // A slice that is not whole is followed by none of its pair.
    for (const [, two] of byPair) assert.ok(two[0].whole || two.length === 1, what);
    const { runs: [{ summary }] } = await scene.state();
    assert.deepEqual(summary.trial, { experiment: "tuner@w/7/0", index: 0 });
    await scene.assertSound();
  }));
