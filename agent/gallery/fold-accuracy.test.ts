import fc from 'fast-check';
import { expect, test } from 'vitest';
import { foldAccuracy } from './fold-accuracy.ts';
import type { PairScores } from './pair-scores.ts';

type Row = readonly [score: number, same: 0 | 1, fold: number];

function pairScores(rows: readonly Row[]): PairScores {
  return {
    scores: Float64Array.from(rows, ([score]) => score),
    same: Uint8Array.from(rows, ([, same]) => same),
    folds: Int32Array.from(rows, ([, , fold]) => fold),
  };
}

function measured(rows: readonly Row[]) {
  const result = foldAccuracy(pairScores(rows));
  return result.kind === 'measured' ? result : expect.fail(result.why);
}

test('each fold is judged by the threshold of the others, as worked out by hand', () => {
  // Fold 1 parts at (0.3 + 0.7) / 2 = 0.5, which judges one of fold 2's four wrongly (0.55).
  // Fold 2 parts at (0.55 + 0.8) / 2 = 0.675, which judges fold 1 rightly.
  const { folds, accuracy, meanThreshold } = measured([
    [0.9, 1, 1],
    [0.7, 1, 1],
    [0.3, 0, 1],
    [0.1, 0, 1],
    [0.9, 1, 2],
    [0.8, 1, 2],
    [0.55, 0, 2],
    [0.2, 0, 2],
  ]);
  expect(folds).toMatchObject([
    { fold: 1, pairs: 4, accuracy: 1 },
    { fold: 2, pairs: 4, accuracy: 0.75 },
  ]);
  expect(folds[0]?.threshold).toBeCloseTo(0.675, 12);
  expect(folds[1]?.threshold).toBeCloseTo(0.5, 12);
  expect(meanThreshold).toBeCloseTo(0.5875, 12);
  expect(accuracy.mean).toBe(0.875);
  // Two values a quarter apart: sample deviation 0.25 / √2, error of the mean 0.25 / 2.
  expect(accuracy.standardDeviation).toBeCloseTo(0.25 / Math.SQRT2, 12);
  expect(accuracy.standardError).toBeCloseTo(0.125, 12);
});

test('of equally good thresholds the strictest is taken: in doubt the door stays shut', () => {
  // In fold 2 both 0.5 (accept 0.6 and above) and 0.75 (accept 0.9 only) judge three of four rightly.
  const { folds } = measured([
    [0.65, 1, 1],
    [0.9, 1, 2],
    [0.6, 0, 2],
    [0.6, 1, 2],
    [0.1, 0, 2],
  ]);
  expect(folds[0]?.threshold).toBeCloseTo(0.75, 12);
});

test('a pair without a comparison is judged to be two persons', () => {
  const { folds } = measured([
    [0.9, 1, 1],
    [0.1, 0, 1],
    [Number.NaN, 1, 1],
    [0.9, 1, 2],
    [0.1, 0, 2],
    [Number.NaN, 0, 2],
  ]);
  expect(folds).toMatchObject([
    { pairs: 3, acquiredPairs: 2, accuracy: 1, accuracyWithFta: 2 / 3 },
    { pairs: 3, acquiredPairs: 2, accuracy: 1, accuracyWithFta: 1 },
  ]);
});

test('where there is nothing to cross-validate, the reason is said', () => {
  const why = (rows: readonly Row[]) => {
    const result = foldAccuracy(pairScores(rows));
    return result.kind === 'not-supported' ? result.why : expect.fail('was measured');
  };
  expect(why([[0.1, 0, 3]])).toBe('there are fewer than two folds');
  expect(
    why([
      [0.1, 0, 3],
      [Number.NaN, 1, 4],
    ]),
  ).toBe('no pair of fold 4 was acquired');
  expect(foldAccuracy({ ...pairScores([]), folds: undefined })).toEqual({
    kind: 'not-supported',
    why: 'the pairs have no folds',
  });
});

test('every threshold is as good on the other folds as any that can be tried', () => {
  const score = fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: -5, max: 5 }).map((n) => n / 4) },
    { weight: 2, arbitrary: fc.double({ min: -1, max: 1, noNaN: true }) },
    { weight: 1, arbitrary: fc.constant(Number.NaN) },
  );
  const row = fc.tuple(score, fc.constantFrom<0 | 1>(0, 1), fc.integer({ min: 1, max: 4 }));
  fc.assert(
    fc.property(fc.array(row, { minLength: 4, maxLength: 60 }), (rows) => {
      const result = foldAccuracy(pairScores(rows));
      if (result.kind !== 'measured') return;
      const seen = rows.filter(([value]) => !Number.isNaN(value));
      const right = (list: readonly Row[], t: number) =>
        list.filter(([value, same]) => value >= t === (same === 1)).length;
      for (const { fold, threshold, accuracy, pairs } of result.folds) {
        const others = seen.filter(([, , of]) => of !== fold);
        const own = seen.filter(([, , of]) => of === fold);
        const possible = [...seen.map(([value]) => value), 9].map((t) => right(others, t));
        expect(right(others, threshold)).toBe(Math.max(...possible));
        expect(accuracy).toBe(right(own, threshold) / own.length);
        expect(pairs).toBe(rows.filter(([, , of]) => of === fold).length);
      }
    }),
  );
});
