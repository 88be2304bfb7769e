import assert from "node:assert/strict";
import { normalOf, randomOf } from "./_test_series.ts";
import { addTo, newSketch, quantileOf, readSketch, writeSketch } from "./sketch.ts";

const SEED = 20_261_121;
console.log(`seed ${SEED}`);

Deno.test("quantiles are within 2 % of the true ones, kept or merged", () => {
  const random = randomOf(SEED);
  const values = Array.from({ length: 20_000 }, () => Math.exp(normalOf(random)) / 100);
  const [all, some, others] = [newSketch(), newSketch(), newSketch()];
  values.forEach((value, i) => {
    addTo(all, value);
    addTo(i % 3 === 0 ? some : others, value);
  });
  const text = JSON.stringify(writeSketch(all));
  assert.ok(text.length < 3_000, `${text.length} bytes`);
  const merged = readSketch(writeSketch(some));
  merged.merge(others);
  values.sort((a, b) => a - b);
  for (const sketch of [all, readSketch(JSON.parse(text)), merged]) {
    assert.equal(sketch.count, values.length);
    for (const share of [0.01, 0.5, 0.95, 0.99]) {
      const exact = values[Math.ceil(share * values.length) - 1];
      const off = Math.abs(quantileOf(sketch, share) / exact - 1);
      assert.ok(off <= 0.0201, `${share}: off by ${off}`);
    }
  }
  assert.deepEqual(writeSketch(readSketch(JSON.parse(text))), JSON.parse(text));
});

Deno.test("of few values, too, a quantile is one that so many do not exceed", () => {
  for (let count = 1; count <= 40; count++) {
    const sketch = newSketch();
    for (let value = 1; value <= count; value++) addTo(sketch, 1.3 ** value);
    for (const share of [0, 0.5, 0.95, 0.99, 1]) {
      const exact = 1.3 ** Math.max(1, Math.ceil(share * count));
      const off = Math.abs(quantileOf(sketch, share) / exact - 1);
      assert.ok(off <= 0.0201, `${share} of ${count}: off by ${off}`);
    }
  }
});

Deno.test("a sketch of nothing, of no time at all and of a range without end stays small", () => {
  assert.deepEqual(writeSketch(readSketch(writeSketch(newSketch()))), []);
  assert.equal(quantileOf(newSketch(), 0.5), 0);
  const wide = newSketch();
  addTo(wide, 0);
  let count = 1;
  for (let power = -12; power <= 7; power += 0.01) {
    addTo(wide, 10 ** power);
    count++;
  }
  for (const sketch of [wide, readSketch(writeSketch(wide))]) {
    assert.equal(sketch.count, count);
    assert.ok(writeSketch(sketch).length <= 578, `${writeSketch(sketch).length}`);
    assert.equal(writeSketch(sketch).slice(1).reduce((sum, bin) => sum + Math.max(0, bin)), count);
    assert.ok(Math.abs(quantileOf(sketch, 1) / 1e5 - 1) <= 0.0201);
    assert.ok(Math.abs(quantileOf(sketch, 0) / 1e-5 - 1) <= 0.0201);
  }
});
