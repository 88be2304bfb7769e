import assert from "node:assert/strict";
import { Harm, logCount, RATES } from "./harm.ts";
import type { Observation } from "./observation.ts";

const SPACE = { choices: [0], origin: [0] };

function told(point: number, failed: number, items: number): Observation {
  return {
    values: {},
    key: String(point),
    point: [point],
    hours: 0,
    epoch: 0,
    run: 0,
    log: 0,
    items,
    failed,
  };
}

Deno.test("counts are negative binomial: their chances add up to 1, with the stated mean and variance", () => {
  const [mean, dispersion] = [12, 0.3];
  let [sum, first, second] = [0, 0, 0];
  for (let count = 0; count < 400; count++) {
    const chance = Math.exp(logCount(count, mean, dispersion));
    sum += chance;
    first += chance * count;
    second += chance * count * count;
  }
  assert.ok(Math.abs(sum - 1) < 1e-6);
  assert.ok(Math.abs(first - mean) < 1e-4);
  assert.ok(Math.abs(second - first * first - (mean + dispersion * mean * mean)) < 1e-2);
});

Deno.test("what has failed too often is harmful, what has not is not, and what is far is unknown", () => {
  const many = Array.from({ length: 20 }, () => [told(0, 2, 1000), told(3, 60, 1000)]).flat();
  const harm = new Harm(SPACE, many, 0.02, RATES, 0);
  const chance = (point: number) => harm.worst({ point: [point], hours: 0, epoch: 0 });
  assert.ok(chance(0) < 1e-6);
  assert.ok(chance(3) > 0.999);
  assert.ok(chance(1.5) > chance(0) && chance(1.5) < chance(3));
  const sd = (point: number) => harm.at({ point: [point], hours: 0, epoch: 0 }).sd;
  assert.ok(sd(-6) > 4 * sd(0));
});

Deno.test("the rate is found although it varies more than chance", () => {
  const arms = [3, 14, 7, 2, 11, 9, 5, 16, 4, 9].map((failed) => told(0, failed, 1000));
  const { mean, sd } = new Harm(SPACE, arms, 0.02, RATES, 0).at({ point: [0], hours: 0, epoch: 0 });
  assert.ok(Math.abs(mean - Math.log(0.008)) < 0.1);
  // Ten gamma factors of variance 0.3 and 80 failures: the square root of 0.03 + 1 / 80.
  assert.ok(Math.abs(sd - 0.206) < 0.03, String(sd));
});

Deno.test("more items tell whether a rate is clear of the guard", () => {
  const harm = new Harm(SPACE, [told(0, 1, 200)], 0.02, RATES, 0);
  const rate = harm.at({ point: [0], hours: 0, epoch: 0 });
  assert.ok(harm.wouldClear(rate, 5000, 2.33) > harm.wouldClear(rate, 50, 2.33));
});
