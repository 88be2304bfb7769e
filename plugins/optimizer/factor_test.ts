import assert from "node:assert/strict";
import { factor } from "./factor.ts";

const MATRIX = [[4, 2, 0.6], [2, 5, 1], [0.6, 1, 3]];

Deno.test("a factor solves what it was made of", () => {
  const made = factor(3, (i, j) => MATRIX[i][j]);
  const solved = made.solve([1, 2, 3]);
  MATRIX.forEach((row, i) => {
    const back = row.reduce((sum, value, j) => sum + value * solved[j], 0);
    assert.ok(Math.abs(back - (i + 1)) < 1e-12);
  });
  const determinant = 4 * (5 * 3 - 1) - 2 * (2 * 3 - 0.6) + 0.6 * (2 - 5 * 0.6);
  assert.ok(Math.abs(made.logDeterminant - Math.log(determinant)) < 1e-12);
  const diagonal = made.inverseDiagonal();
  [0, 1, 2].forEach((i) => {
    const unit = [0, 0, 0];
    unit[i] = 1;
    assert.ok(Math.abs(diagonal[i] - made.solve(unit)[i]) < 1e-12);
  });
});

Deno.test("what is not positive definite is refused", () => {
  assert.throws(() => factor(2, (i, j) => i === j ? 1 : 2), RangeError);
});
