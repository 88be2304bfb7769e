import assert from "node:assert/strict";
import { Space, type Tunable } from "./space.ts";

const TUNABLES: readonly Tunable[] = [
  { name: "batch", kind: "integer", scale: "log", min: 1, max: 1000, maxStep: 4, default: 20 },
  { name: "rate", kind: "number", min: 0.5, max: 9.5, step: 0.25, maxStep: 0.6, default: 3 },
  { name: "codec", kind: "choice", choices: ["none", "gzip"], default: "none" },
];
const FROM = { batch: 20, rate: 3, codec: "none" };

Deno.test("a log scale counts in e-folds, a choice by its place, and both come back", () => {
  const space = new Space(TUNABLES);
  assert.deepEqual(space.encode(FROM), [Math.log(20), 6 * 2.5 / 9, 0]);
  assert.deepEqual(space.within(space.encode(FROM), FROM), FROM);
  assert.deepEqual(space.choices, [0, 0, 2]);
});

Deno.test("places out of reach come back at the border of maxStep, on the grid (P1)", () => {
  const space = new Space(TUNABLES);
  assert.deepEqual(space.within([99, 99, 1], FROM), { batch: 80, rate: 3.5, codec: "gzip" });
  assert.deepEqual(space.within([-99, -99, 0], FROM), { batch: 5, rate: 2.5, codec: "none" });
  assert.deepEqual(space.within([99, 99, 0], { ...FROM, batch: 900, rate: 9.5 }), {
    batch: 1000,
    rate: 9.5,
    codec: "none",
  });
});

Deno.test("a grid that maxStep does not reach leaves the incumbent's value", () => {
  const space = new Space([
    { name: "slots", kind: "integer", min: 0, max: 100, step: 50, maxStep: 10, default: 50 },
  ]);
  assert.deepEqual(space.within([6], { slots: 50 }), { slots: 50 });
  assert.equal(space.reaches({ slots: 100 }, { slots: 50 }), false);
  assert.equal(space.reaches({ slots: 50 }, { slots: 50 }), true);
});

Deno.test("the difference names what differs", () => {
  const space = new Space(TUNABLES);
  assert.equal(
    space.difference(FROM, { batch: 40, rate: 3, codec: "gzip" }),
    "batch 20 -> 40, codec none -> gzip",
  );
});

Deno.test("a number without a step is round, unless that would leave its bounds", () => {
  const space = new Space([{ name: "keep", kind: "number", min: 0, max: 0.12345, default: 0.1 }]);
  assert.deepEqual(space.within([2.71828], { keep: 0.1 }), { keep: 0.0559 });
  assert.deepEqual(space.within([9], { keep: 0.1 }), { keep: 0.123 });
  assert.deepEqual(
    new Space([{ name: "keep", kind: "number", min: 0, max: 0.9996, default: 0.1 }])
      .within([9], { keep: 0.1 }),
    { keep: 0.9996 },
  );
});
