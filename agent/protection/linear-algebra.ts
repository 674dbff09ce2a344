/** Dense, row after row. */
export type Matrix = {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float64Array;
};

export function matrix(rows: number, columns: number): Matrix {
  return { rows, columns, values: new Float64Array(rows * columns) };
}

/** The memory of one row. */
export function rowOf({ values, columns }: Matrix, row: number): Float64Array {
  return values.subarray(row * columns, (row + 1) * columns);
}

export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}

/** target += factor · source */
export function addScaled(
  target: Float64Array,
  source: ArrayLike<number>,
  factor: number,
): Float64Array {
  for (let i = 0; i < target.length; i++) {
    target[i] = (target[i] ?? 0) + factor * (source[i] ?? 0);
  }
  return target;
}

export function meanVector(vectors: readonly ArrayLike<number>[]): Float64Array {
  const mean = new Float64Array(vectors[0]?.length ?? 0);
  for (const vector of vectors) addScaled(mean, vector, 1 / vectors.length);
  return mean;
}

/** 0 where one of them is 0. */
export function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const norms = Math.sqrt(dot(a, a) * dot(b, b));
  return norms > 0 ? dot(a, b) / norms : 0;
}

/**
 * X with A·X = B, for a symmetric positive definite A of which only the lower half is read, by
 * Cholesky: A = L·Lᵀ, then forwards and backwards. n³/3 + 2·n²·columns multiplications.
 * @throws TypeError where A is not positive definite
 */
export function solvePositive(a: Matrix, b: Matrix): Matrix {
  const n = a.rows;
  if (a.columns !== n || b.rows !== n) throw new TypeError('the matrices do not fit together');
  const lower = choleskyOf(a).values;
  const x: Matrix = { ...b, values: b.values.slice() };
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) subtractRow(x, i, j, lower[i * n + j] ?? 0);
    scale(rowOf(x, i), 1 / (lower[i * n + i] ?? Number.NaN));
  }
  for (let i = n - 1; i >= 0; i--) {
    scale(rowOf(x, i), 1 / (lower[i * n + i] ?? Number.NaN));
    for (let j = 0; j < i; j++) subtractRow(x, j, i, lower[i * n + j] ?? 0);
  }
  return x;
}

/** Row `to` less `factor` times row `from`; without views, of which there would be n². */
function subtractRow({ values, columns }: Matrix, to: number, from: number, factor: number): void {
  for (let k = 0, p = to * columns, q = from * columns; k < columns; k++, p++, q++) {
    values[p] = (values[p] ?? 0) - factor * (values[q] ?? 0);
  }
}

function choleskyOf(a: Matrix): Matrix {
  const n = a.rows;
  const lower = matrix(n, n);
  const { values } = lower;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let rest = a.values[i * n + j] ?? 0;
      for (let k = 0, p = i * n, q = j * n; k < j; k++, p++, q++) {
        rest -= (values[p] ?? 0) * (values[q] ?? 0);
      }
      if (j < i) values[i * n + j] = rest / (values[j * n + j] ?? Number.NaN);
      else if (rest > 0) values[i * n + i] = Math.sqrt(rest);
      else throw new TypeError('the matrix is not positive definite');
    }
  }
  return lower;
}

/** Largest eigenvalue first; row i of `vectors` is the unit eigenvector of `values[i]`. */
export type Eigen = { readonly values: Float64Array; readonly vectors: Matrix };

/**
 * Of a symmetric matrix, by cyclic Jacobi rotations until nothing worth rotating is left beside the
 * diagonal. About 6·n³ multiplications a sweep and some eight sweeps: for n up to a few hundred.
 */
export function symmetricEigen(a: Matrix): Eigen {
  const n = a.rows;
  if (a.columns !== n) throw new TypeError('only a square matrix has eigenvalues');
  const work: Matrix = { ...a, values: a.values.slice() };
  const vectors = matrix(n, n);
  for (let i = 0; i < n; i++) vectors.values[i * n + i] = 1;
  const enough = 1e-20 * dot(work.values, work.values);
  for (let sweep = 0; sweep < mostSweeps && besideDiagonal(work) > enough; sweep++) {
    for (let p = 0; p < n - 1; p++) {
      for (let q = p + 1; q < n; q++) rotate(work, vectors, p, q);
    }
  }
  const diagonal = Float64Array.from({ length: n }, (_, i) => work.values[i * n + i] ?? 0);
  const order = Array.from(diagonal.keys()).sort((i, j) => (diagonal[j] ?? 0) - (diagonal[i] ?? 0));
  const sorted = matrix(n, n);
  order.forEach((from, to) => {
    rowOf(sorted, to).set(rowOf(vectors, from));
  });
  return { values: Float64Array.from(order, (i) => diagonal[i] ?? 0), vectors: sorted };
}

/** Convergence is quadratic; more than a dozen sweeps are never seen. */
const mostSweeps = 40;

/** Sum of squares. */
function besideDiagonal({ values, rows }: Matrix): number {
  let sum = 0;
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < i; j++) sum += 2 * (values[i * rows + j] ?? 0) ** 2;
  }
  return sum;
}

/** Turns axes p and q so that a[p][q] becomes 0 (Golub and Van Loan, Matrix Computations, 8.5). */
function rotate(a: Matrix, vectors: Matrix, p: number, q: number): void {
  const n = a.rows;
  const { values } = a;
  const apq = values[p * n + q] ?? 0;
  if (apq === 0) return;
  const tau = ((values[q * n + q] ?? 0) - (values[p * n + p] ?? 0)) / (2 * apq);
  const tangent = (tau >= 0 ? 1 : -1) / (Math.abs(tau) + Math.sqrt(1 + tau * tau));
  const c = 1 / Math.sqrt(1 + tangent * tangent);
  const s = tangent * c;
  for (let k = 0; k < n; k++) {
    const akp = values[k * n + p] ?? 0;
    const akq = values[k * n + q] ?? 0;
    values[k * n + p] = c * akp - s * akq;
    values[k * n + q] = s * akp + c * akq;
  }
  turn(rowOf(a, p), rowOf(a, q), c, s);
  turn(rowOf(vectors, p), rowOf(vectors, q), c, s);
}

function turn(x: Float64Array, y: Float64Array, c: number, s: number): void {
  for (let k = 0; k < x.length; k++) {
    const [xk, yk] = [x[k] ?? 0, y[k] ?? 0];
    x[k] = c * xk - s * yk;
    y[k] = s * xk + c * yk;
  }
}

function scale(row: Float64Array, factor: number): void {
  for (let i = 0; i < row.length; i++) row[i] = (row[i] ?? 0) * factor;
}
