import { expect, test } from 'vitest';
import { seededChance } from '../io/process/seeded-chance.ts';
import { createDraws } from './draws.ts';
import {
  dot,
  type Matrix,
  matrix,
  rowOf,
  solvePositive,
  symmetricEigen,
} from './linear-algebra.ts';

const draws = createDraws(seededChance('linear algebra'));

test('a small system has the solution that it has on paper', () => {
  // 4x + 2y = 10, 2x + 3y = 9
  const x = solvePositive(of([4, 2], [2, 3]), of([10], [9]));
  expect(x.values[0]).toBeCloseTo(1.5, 12);
  expect(x.values[1]).toBeCloseTo(2, 12);
});

test('the solution of a large system, for several right sides, fulfils it', () => {
  const a = positive(60);
  const b = filled(60, 3);
  const x = solvePositive(a, b);
  const back = product(a, x);
  for (const [i, value] of b.values.entries()) expect(back.values[i]).toBeCloseTo(value, 8);
});

test('a matrix that is not positive definite is refused, and so are shapes that do not fit', () => {
  expect(() => solvePositive(of([1, 2], [2, 1]), of([1], [1]))).toThrow(/not positive definite/);
  expect(() => solvePositive(of([1, 0], [0, 1]), of([1]))).toThrow(TypeError);
});

test('eigenvalues and eigenvectors of a small matrix are those on paper', () => {
  const { values, vectors } = symmetricEigen(of([2, 1], [1, 2]));
  expect([...values].map((value) => Number(value.toFixed(12)))).toEqual([3, 1]);
  expect(Math.abs(dot(rowOf(vectors, 0), [1, 1]))).toBeCloseTo(Math.SQRT2, 12);
  expect(dot(rowOf(vectors, 1), [1, 1])).toBeCloseTo(0, 12);
});

test('eigenvectors are orthonormal, and the matrix only stretches them', () => {
  const a = positive(40);
  const { values, vectors } = symmetricEigen(a);
  for (let i = 0; i < 40; i++) {
    for (let j = 0; j < 40; j++) {
      expect(dot(rowOf(vectors, i), rowOf(vectors, j))).toBeCloseTo(i === j ? 1 : 0, 8);
      const stretched = dot(rowOf(a, j), rowOf(vectors, i));
      expect(stretched).toBeCloseTo((values[i] ?? 0) * (rowOf(vectors, i)[j] ?? 0), 6);
    }
  }
  expect([...values]).toEqual([...values].sort((x, y) => y - x));
});

function of(...rows: number[][]): Matrix {
  return {
    rows: rows.length,
    columns: rows[0]?.length ?? 0,
    values: Float64Array.from(rows.flat()),
  };
}

function filled(rows: number, columns: number): Matrix {
  const made = matrix(rows, columns);
  made.values.forEach((_, i) => {
    made.values[i] = draws.normal();
  });
  return made;
}

/** M·Mᵀ + I */
function positive(n: number): Matrix {
  const m = filled(n, n);
  const made = matrix(n, n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      made.values[i * n + j] = dot(rowOf(m, i), rowOf(m, j)) + (i === j ? 1 : 0);
    }
  }
  return made;
}

function product(a: Matrix, b: Matrix): Matrix {
  const made = matrix(a.rows, b.columns);
  for (let i = 0; i < a.rows; i++) {
    for (let k = 0; k < b.columns; k++) {
      let sum = 0;
      for (let j = 0; j < a.columns; j++) {
        sum += (a.values[i * a.columns + j] ?? 0) * (b.values[j * b.columns + k] ?? 0);
      }
      made.values[i * b.columns + k] = sum;
    }
  }
  return made;
}
