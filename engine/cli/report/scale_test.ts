import assert from "node:assert/strict";
import { linearScale, logScale } from "./scale.ts";

Deno.test("a log scale has few ticks that people count by, over a factor of two as over twelve decades", () => {
  for (
    const values of [[1, 1], [1, 1.3], [100, 230], [0.9, 11], [1e-6, 1], [1e-9, 1e6], [3e-300, 1]]
  ) {
    const { at, ticks } = logScale(values, 0, 100);
    assert.ok(ticks.length >= 2 && ticks.length <= 8, `${values}: ${ticks}`);
    for (const tick of ticks) {
      assert.ok(at(tick) > -1 && at(tick) < 101, `${values}: ${tick} at ${at(tick)}`);
      assert.ok(String(Number(tick.toPrecision(3))) === String(tick), `${tick}`);
    }
    for (const value of values) assert.ok(at(value) > 0 && at(value) < 100);
  }
});

Deno.test("a scale is upside down where its ends are, and keeps ratios", () => {
  const { at } = logScale([1, 100], 200, 0);
  assert.ok(at(1) > at(10) && at(10) > at(100));
  assert.ok(Math.abs((at(1) - at(10)) - (at(10) - at(100))) < 1e-9);
  const linear = linearScale(0, 10, 0, 100);
  assert.deepEqual([0, 5, 10].map(linear.at), [0, 50, 100]);
  assert.deepEqual(linear.ticks, [0, 5, 10]);
  assert.deepEqual(linearScale(0, 0.045, 0, 1).ticks, [0, 0.02, 0.04]);
});

Deno.test("values of which there is nothing to draw have a scale all the same", () => {
  for (const values of [[], [0], [-1, -2]]) {
    const { at, ticks } = logScale(values, 0, 100);
    assert.ok(Number.isFinite(at(1)) && ticks.every(Number.isFinite));
  }
  assert.ok(Number.isFinite(linearScale(3, 3, 0, 1).at(3)));
});
