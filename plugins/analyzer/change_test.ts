import assert from "node:assert/strict";
import { normalOf, randomOf } from "./_test_series.ts";
import { median, shift, split } from "./change.ts";
import { trendOf } from "./trend.ts";

const SEED = 20_261_121;
console.log(`seed ${SEED}`);

Deno.test("the chance of a split is that with which a steady series has as clear a one", () => {
  const random = randomOf(SEED);
  const told = [0.05, 0.01].map((chance) => ({ chance, count: 0 }));
  const series = 5_000;
  for (let i = 0; i < series; i++) {
    const found = split(Array.from({ length: 64 }, () => normalOf(random)));
    for (const one of told) if (found !== undefined && found.chance <= one.chance) one.count++;
  }
  for (const { chance, count } of told) {
    console.log(`${chance}: ${count / series}`);
    assert.ok(count / series <= 1.1 * chance, `${chance}: ${count / series}`);
    assert.ok(count / series >= chance / 6, `${chance}: ${count / series}`);
  }
});

Deno.test("a split is found where the level changes, whatever the scale", () => {
  const random = randomOf(SEED);
  const values = Array.from({ length: 60 }, (_, i) => normalOf(random) + (i < 40 ? 0 : 4));
  for (const scaled of [values, values.map((value) => Math.exp(value)), values.map((v) => -v)]) {
    const found = split(scaled);
    assert.equal(found?.index, 40);
    assert.ok(found.chance < 1e-6);
  }
  assert.equal(split(values.slice(0, 8)), undefined);
  assert.equal(split(Array(30).fill(1)), undefined);
});

Deno.test("a shift is the median of all differences, and its interval holds it", () => {
  assert.deepEqual(shift([1, 2, 3], [11, 12, 13]).by, 10);
  const random = randomOf(SEED);
  let held = 0;
  for (let i = 0; i < 1_000; i++) {
    const draw = (by: number) => Array.from({ length: 15 }, () => by + normalOf(random));
    const { low, high } = shift(draw(0), draw(1));
    if (low <= 1 && 1 <= high) held++;
  }
  console.log(`held ${held} of 1,000`);
  assert.ok(held >= 930, `${held}`);
});

Deno.test("the median of an even number is between the middle two", () => {
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.equal(median([3, 1, 2]), 2);
});

Deno.test("a trend is told by its factor and its chance", () => {
  const random = randomOf(SEED);
  const rising = Array.from({ length: 32 }, (_, i) => Math.exp(0.02 * i + 0.05 * normalOf(random)));
  const up = trendOf(rising);
  assert.ok(up !== undefined && up.chance < 1e-4, `${up?.chance}`);
  assert.ok(Math.abs(up.factor / Math.exp(0.62) - 1) < 0.1, `${up.factor}`);
  let told = 0;
  for (let i = 0; i < 1_000; i++) {
    if (trendOf(Array.from({ length: 32 }, () => Math.exp(normalOf(random))))!.chance < 0.05) {
      told++;
    }
  }
  console.log(`${told} of 1,000 without a trend have one at 5 %`);
  assert.ok(told >= 25 && told <= 65, `${told}`);
  assert.equal(trendOf([1, 2, 3]), undefined);
});
