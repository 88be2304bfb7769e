import assert from "node:assert/strict";
import type { ValueSource } from "../core/parameter.ts";
import { loadWorkflow } from "../spec/load.ts";
import { drawArm, isSplit, takesPart } from "./trial.ts";

Deno.test("of each block of runs one is the candidate's, at any place in it", () => {
  for (
    const [exposure, length] of [[0.5, 2], [0.4, 3], [1 / 3, 3], [0.1, 10], [0.001, 10], [1, 2]]
  ) {
    const places = new Array(length).fill(0);
    const draws = 3_000;
    for (let draw = 0; draw < draws; draw++) {
      const of = { id: `optimizer@w/${draw}/0`, exposure };
      const arms = Array.from({ length }, (_, i) => drawArm(of, i));
      assert.ok(arms.every(({ pair }) => pair === 0));
      const at = arms.flatMap(({ arm }, place) => arm === "candidate" ? [place] : []);
      assert.equal(at.length, 1, `draw ${draw} of ${length}`);
      places[at[0]]++;
    }
    const fair = draws / length;
    for (const count of places) {
      // Six standard deviations; the draws are the same each time.
      assert.ok(Math.abs(count - fair) < 6 * Math.sqrt(fair), `${exposure}: ${places}`);
    }
  }
  // Later blocks are shorter: here of 10, 5, 3, and then 2 runs.
  const arms = Array.from({ length: 38 }, (_, i) => drawArm({ id: "a/1/0", exposure: 0.1 }, i));
  const blocks = Map.groupBy(arms, ({ pair }) => pair);
  assert.deepEqual([...blocks.keys()], Array.from({ length: 13 }, (_, i) => i));
  for (const block of blocks.values()) {
    assert.equal(block.filter(({ arm }) => arm === "candidate").length, 1);
  }
});

Deno.test("experiments draw their own places", () => {
  const places = (id: string) =>
    Array.from({ length: 40 }, (_, i) => drawArm({ id, exposure: 0.25 }, i).arm).join();
  assert.equal(places("a/1/0"), places("a/1/0"));
  assert.notEqual(places("a/1/0"), places("a/2/0"));
});

Deno.test("a value that was given for a run keeps it out of the experiment (V3)", () => {
  const given = (b: ValueSource) => takesPart({ values: { a: 1, b: 2 } }, { a: "tuned", b });
  assert.ok(given("tuned") && given("default"));
  for (const source of ["command line", "params file", "environment", "caller"] as const) {
    assert.ok(!given(source), source);
  }
});

Deno.test("only the items of the objective's for_each are cut, and only for live parameters (A6)", () => {
  const text = (of: string, by: string, guards = "[]") => `
name: w
params:
  size: { type: integer, default: 2, tune: { min: 1, max: 9, apply: live } }
  codec: { type: integer, default: 2, tune: { min: 1, max: 9 } }
tune: { objective: { minimize: "${by}", of: ${of} }, guards: ${guards} }
steps:
  - { id: plain, run: "true" }
  - { id: each, for_each: { list: [1] }, run: "true" }
`;
  const splitBy = (by: string, of: string, names: string[], guards?: string) => {
    const source = {
      bytes: new TextEncoder().encode(text(of, by, guards)),
      file: "/w.yaml",
      display: "w",
    };
    const { workflow, diagnostics } = loadWorkflow(source);
    assert.ok(workflow !== undefined, diagnostics[0]?.message);
    return isSplit(workflow, { values: Object.fromEntries(names.map((name) => [name, 5])) });
  };
  const split = (of: string, ...names: string[]) => splitBy("duration / items", of, names);
  assert.equal(split("each", "size"), true);
  assert.equal(split("each", "size", "codec"), false);
  assert.equal(split("each", "codec"), false);
  assert.equal(split("plain", "size"), false);
  // Slices have as many waves, not as many items.
  for (const by of ["items / duration", "duration / items + 0.1 * failed / items"]) {
    assert.equal(splitBy(by, "each", ["size"]), true, by);
  }
  for (
    const by of ["duration", "attempts", "failed", "queue_time", "duration / items + queue_time"]
  ) assert.equal(splitBy(by, "each", ["size"]), false, by);
  // What no slice tells of is judged before a change is kept, too.
  const guarded = (metric: string, of: string) =>
    splitBy("duration / items", "each", ["size"], `[{ metric: ${metric}, of: ${of}, below: 1 }]`);
  assert.equal(guarded("error_rate", "each"), true);
  assert.equal(guarded("duration", "each"), true);
  assert.equal(guarded("error_rate", "plain"), false);
  assert.equal(guarded("duration", "plain"), false);
  assert.equal(guarded("queue_time", "each"), false);
});
