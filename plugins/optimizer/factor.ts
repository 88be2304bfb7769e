import { CholeskyDecomposition, Matrix } from "ml-matrix";

/** The lower triangle L of a symmetric positive definite matrix A = L Lᵀ, and what is solved with it. */
export interface Factor {
  /** L⁻¹ b. */
  forward(b: ArrayLike<number>): Float64Array;
  /** A⁻¹ b. */
  solve(b: ArrayLike<number>): Float64Array;
  /** The diagonal of A⁻¹. */
  inverseDiagonal(): Float64Array;
  /** The logarithm of the determinant of A. */
  readonly logDeterminant: number;
}

/**
 * Factors the n by n matrix of which `entry` gives the lower triangle. Throws RangeError if it is not positive definite
 * to the last digits: a covariance with noise on its diagonal is.
 */
export function factor(n: number, entry: (i: number, j: number) => number): Factor {
  const matrix = new Matrix(n, n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      const value = entry(i, j);
      matrix.set(i, j, value);
      matrix.set(j, i, value);
    }
  }
  const decomposition = new CholeskyDecomposition(matrix);
  if (!decomposition.isPositiveDefinite()) {
    throw new RangeError("The matrix is not positive definite");
  }
  // Plain rows: the search substitutes thousands of times, where the library's get() costs ten times as much.
  const lower = decomposition.lowerTriangularMatrix.to2DArray();
  let logDeterminant = 0;
  for (let i = 0; i < n; i++) logDeterminant += 2 * Math.log(lower[i][i]);
  const forward = (b: ArrayLike<number>) => {
    const out = new Float64Array(n);
    for (let i = 0; i < n; i++) {
      const row = lower[i];
      let sum = b[i];
      for (let k = 0; k < i; k++) sum -= row[k] * out[k];
      out[i] = sum / row[i];
    }
    return out;
  };
  const solve = (b: ArrayLike<number>) => {
    const out = forward(b);
    for (let i = n - 1; i >= 0; i--) {
      const value = out[i] /= lower[i][i];
      const row = lower[i];
      for (let k = 0; k < i; k++) out[k] -= row[k] * value;
    }
    return out;
  };
  const inverseDiagonal = () => {
    const out = new Float64Array(n);
    const unit = new Float64Array(n);
    for (let j = 0; j < n; j++) {
      unit.fill(0);
      unit[j] = 1;
      const column = forward(unit);
      for (let i = j; i < n; i++) out[j] += column[i] * column[i];
    }
    return out;
  };
  return { forward, solve, inverseDiagonal, logDeterminant };
}
