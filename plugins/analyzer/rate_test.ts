import assert from "node:assert/strict";
import { randomOf } from "./_test_series.ts";
import { rateOf } from "./rate.ts";

const SEED = 20_261_121;
console.log(`seed ${SEED}`);

Deno.test("Wilson's interval is that of the textbook", () => {
  // R. G. Newcombe, "Two-sided confidence intervals for the single proportion", 1998, table I: methods 3.
  const near = (count: number, of: number, low: number, high: number) => {
    const found = rateOf(count, of);
    assert.ok(Math.abs(found.low - low) < 5e-5, `${found.low}`);
    assert.ok(Math.abs(found.high - high) < 5e-5, `${found.high}`);
  };
  near(81, 263, 0.2553, 0.3662);
  near(15, 148, 0.0624, 0.1605);
  near(0, 20, 0, 0.1611);
  near(1, 29, 0.0061, 0.1718);
});

Deno.test("the interval holds the true share about 95 times of 100", () => {
  const random = randomOf(SEED);
  for (const share of [0.01, 0.1, 0.5]) {
    let held = 0;
    for (let i = 0; i < 2_000; i++) {
      let count = 0;
      for (let j = 0; j < 200; j++) if (random() < share) count++;
      const { low, high } = rateOf(count, 200);
      if (low <= share && share <= high) held++;
    }
    console.log(`${share}: ${held / 2_000}`);
    assert.ok(held >= 0.93 * 2_000 && held <= 0.98 * 2_000, `${share}: ${held}`);
  }
});
