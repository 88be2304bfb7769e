import assert from "node:assert/strict";
import {
  betterBy,
  figure,
  median,
  objectiveTitle,
  objectiveValue,
  percent,
  seconds,
  times,
} from "./objective_text.ts";

const objective = (expression: string, direction: "minimize" | "maximize" = "minimize") => ({
  direction,
  expression,
  of: "load",
});

Deno.test("numbers have three significant digits, and units where the objective has one", () => {
  assert.deepEqual([0, 1, 0.012345, 12.3456, 999.6, 12_345, 1_234_567].map(figure), [
    "0",
    "1",
    "0.0123",
    "12.3",
    "1,000",
    "12,300",
    "1,230,000",
  ]);
  assert.deepEqual([3e-9, 5.1e-7, 1.234e-5, 0.000999, 0.0123, 1, 12.34, 75].map(seconds), [
    "3 ns",
    "510 ns",
    "12.3 µs",
    "999 µs",
    "12.3 ms",
    "1 s",
    "12.3 s",
    "1 m 15 s",
  ]);
  assert.equal(objectiveValue(5.12e-4, objective("duration / items")), "512 µs an item");
  assert.equal(objectiveValue(5.12e-4, objective("duration")), "512 µs");
  assert.equal(objectiveValue(1_234, objective("items / duration")), "1,230 items/s");
  assert.equal(objectiveValue(1_234, objective("failed * 2.0")), "1,230");
  assert.deepEqual([0, 0.0012, 0.02, 0.256, 1].map(percent), [
    "0 %",
    "0.12 %",
    "2 %",
    "26 %",
    "100 %",
  ]);
});

Deno.test("better is above 1, whichever way the objective goes", () => {
  assert.equal(betterBy(10, 5, objective("duration")), 2);
  assert.equal(betterBy(10, 5, objective("items / duration", "maximize")), 0.5);
  assert.deepEqual([1, 1.004, 1.05, 3.14, 12.6, 0.5, 1_234].map(times), [
    "as good",
    "as good",
    "1.05x better",
    "3.1x better",
    "13x better",
    "2x worse",
    "1,234x better",
  ]);
  assert.equal(
    objectiveTitle(objective("items / duration", "maximize")),
    "items / duration of load, more is better",
  );
});

Deno.test("the median is the middle, or between the two", () => {
  assert.equal(median([]), undefined);
  assert.equal(median([3]), 3);
  assert.equal(median([9, 1, 3]), 3);
  assert.equal(median([4, 1, 3, 9]), 3.5);
});
