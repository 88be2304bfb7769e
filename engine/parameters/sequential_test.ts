import assert from "node:assert/strict";
import { evidenceAboveZero, halfWidth, interval, isFarAboveZero, median } from "./sequential.ts";

const VALUES = [0.31, 0.12, 0.4, 0.05, 0.22, 0.27, 0.18];

// The Bayes factor against a centre, by brute force: over the effect in deviations, standard normal, and the deviation,
// whose square is scaled inverse chi-square with 1.5 degrees of freedom and scale 0.18.
function factorAgainst(values: readonly number[], centre: number): number {
  const likelihood = (effect: number, deviation: number) =>
    values.reduce((product, value) => {
      const z = (value - centre) / deviation - effect;
      return product * Math.exp(-z * z / 2) / deviation;
    }, 1);
  let [against, by] = [0, 0];
  for (let log = Math.log(0.005); log < Math.log(30); log += 0.01) {
    const deviation = Math.exp(log);
    // Of the deviation's logarithm; constants cancel.
    const prior = deviation ** -1.5 * Math.exp(-1.5 * 0.18 ** 2 / (2 * deviation ** 2));
    by += prior * likelihood(0, deviation);
    for (let effect = -8; effect < 8; effect += 0.02) {
      against += prior * likelihood(effect, deviation) * 0.02 *
        Math.exp(-effect * effect / 2) / Math.sqrt(2 * Math.PI);
    }
  }
  return against / by;
}

Deno.test("an interval ends where the Bayes factor against its end is the level that it is allowed", () => {
  const { low, high } = interval(VALUES, 0.95);
  // Of the 20 that infinitely many looks would need.
  const level = 20 / 1.8;
  assert.ok(Math.abs(factorAgainst(VALUES, low) - level) < 0.05);
  assert.ok(Math.abs(factorAgainst(VALUES, high) - level) < 0.05);
  assert.ok(factorAgainst(VALUES, (low + high) / 2) < 1);
});

Deno.test("evidence for a centre above 0 is the Bayes factor against 0, and there is none for one below it", () => {
  const expected = factorAgainst(VALUES, 0);
  assert.ok(Math.abs(evidenceAboveZero(VALUES) / expected - 1) < 0.01, `${expected}`);
  assert.equal(evidenceAboveZero(VALUES.map((value) => -value)), 0);
  assert.ok(evidenceAboveZero([5]) < 2, "one value says little, whatever it is");
});

Deno.test("an interval has no ends before the third value, whatever the first two are", () => {
  for (const values of [[], [3], [3, 3]]) {
    const { low, high } = interval(values, 0.95);
    assert.deepEqual([low, high], [-Infinity, Infinity]);
  }
  const { low, high } = interval([3, 3, 3], 0.95);
  assert.ok(low > -Infinity && high < Infinity);
});

Deno.test("an interval moves with its values and turns with their sign", () => {
  const { low, high } = interval(VALUES, 0.95);
  const moved = interval(VALUES.map((value) => value + 5), 0.95);
  assert.ok(Math.abs(moved.low - low - 5) < 1e-9 && Math.abs(moved.high - high - 5) < 1e-9);
  const turned = interval(VALUES.map((value) => -value), 0.95);
  assert.ok(Math.abs(turned.low + high) < 1e-9 && Math.abs(turned.high + low) < 1e-9);
});

Deno.test("an interval narrows with more values and widens with more confidence", () => {
  const width = (values: readonly number[], confidence: number) => {
    const { low, high } = interval(values, confidence);
    return high - low;
  };
  assert.ok(width([...VALUES, ...VALUES], 0.95) < width(VALUES, 0.95));
  assert.ok(width(VALUES, 0.99) > width(VALUES, 0.95));
  assert.ok(halfWidth(60, 0.2, 0.95) < halfWidth(30, 0.2, 0.95));
});

Deno.test("one wild value counts as one that is merely far off", () => {
  const far = interval([...VALUES, 2], 0.95);
  const wild = interval([...VALUES, 2000], 0.95);
  assert.deepEqual(wild, far);
  assert.ok(far.low > 0, "the others still tell");
});

Deno.test("values that are mostly alike are not taken for the only ones that count", () => {
  // As ratios of small counts are: two thirds of them are 0.
  const { centre } = interval([0, 0, 0.7, 0, 0, 0.7, 0, 0, 0.7, 0, 0, 0.7], 0.95);
  assert.ok(Math.abs(centre - 0.7 / 3) < 1e-12);
});

Deno.test("values that are all alike have an interval too", () => {
  const { centre, low, high } = interval(new Array(20).fill(0.1), 0.95);
  assert.ok(Math.abs(centre - 0.1) < 1e-12);
  assert.ok(low > 0 && high < 0.2 && low < high);
});

Deno.test("only the first two values can be far off together, by a factor of 8", () => {
  assert.equal(isFarAboveZero([]), false);
  assert.equal(isFarAboveZero([Math.log(7.9)]), false);
  assert.equal(isFarAboveZero([Math.log(8.1)]), true);
  assert.equal(isFarAboveZero([Math.log(3), Math.log(3)]), true);
  assert.equal(isFarAboveZero([Math.log(3), Math.log(3), Math.log(3)]), false);
  assert.equal(isFarAboveZero([-Math.log(9)]), false);
});

Deno.test("the median is the middle value, or between the two", () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
});
