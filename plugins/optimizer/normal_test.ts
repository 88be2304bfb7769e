import assert from "node:assert/strict";
import { below, expectedGain } from "./normal.ts";

Deno.test("the normal distribution agrees with tables in both tails", () => {
  // M. Abramowitz and I. A. Stegun, "Handbook of Mathematical Functions", 1964, tables 26.1 and 26.2.
  for (
    const [z, chance] of [
      [0, 0.5],
      [1, 0.841344746068543],
      [-1, 0.158655253931457],
      [-3, 0.00134989803163009],
      [-5, 2.86651571879194e-7],
      [-8, 6.22096057427178e-16],
    ]
  ) assert.ok(Math.abs(below(z) / chance - 1) < 1e-8, `${z}: ${below(z)}`);
  assert.equal(below(-40), 0);
  assert.equal(below(40), 1);
});

Deno.test("the expected gain is that of a normal value cut at 0", () => {
  assert.equal(expectedGain(2, 0), 2);
  assert.equal(expectedGain(-2, 0), 0);
  let sum = 0;
  const step = 0.001;
  for (let z = -8; z < 8; z += step) {
    sum += step * Math.max(0, -0.3 + 0.5 * z) * Math.exp(-z * z / 2) / Math.sqrt(2 * Math.PI);
  }
  assert.ok(Math.abs(expectedGain(-0.3, 0.5) - sum) < 1e-6);
});
