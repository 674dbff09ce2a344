import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PairScores } from './pair-scores.ts';
import { verificationAccuracy } from './verification-accuracy.ts';

type Row = readonly [score: number, same: 0 | 1, fold?: number];

function pairScores(rows: readonly Row[]): PairScores {
  return {
    scores: Float64Array.from(rows, ([score]) => score),
    same: Uint8Array.from(rows, ([, same]) => same),
    folds: undefined,
  };
}

/** Mated 0.9, 0.8, 0.7, 0.4, 0.3; non-mated 0.5, 0.35, 0.3, 0.2, 0.1. */
const byHand: readonly Row[] = [
  [0.9, 1],
  [0.8, 1],
  [0.7, 1],
  [0.4, 1],
  [0.3, 1],
  [0.5, 0],
  [0.35, 0],
  [0.3, 0],
  [0.2, 0],
  [0.1, 0],
];

test('at FMR 20 % the pairs worked out by hand give threshold 0.4 and FNMR 20 %', () => {
  const { operatingPoints } = verificationAccuracy(pairScores(byHand), [0.2]);
  expect(operatingPoints).toMatchObject([
    {
      kind: 'measured',
      fmrTarget: 0.2,
      threshold: 0.4,
      fmr: { events: 1, trials: 5 },
      fnmr: { events: 1, trials: 5, share: 0.2 },
      tmr: { events: 4, trials: 5, share: 0.8 },
    },
  ]);
});

test('the equal error rate of those pairs is 20 % at 0.4', () => {
  // At 0.4 one non-mated score (0.5) passes, and one mated score (0.3) does not.
  expect(verificationAccuracy(pairScores(byHand)).equalError).toEqual({
    rate: 0.2,
    fmr: 0.2,
    fnmr: 0.2,
    threshold: 0.4,
  });
});

test('scores that part everybody have an equal error rate of 0; equal scores have one of 50 %', () => {
  const parted = pairScores([
    [0.9, 1],
    [0.8, 1],
    [0.2, 0],
  ]);
  expect(verificationAccuracy(parted).equalError).toEqual({
    rate: 0,
    fmr: 0,
    fnmr: 0,
    threshold: 0.8,
  });
  const alike = pairScores([
    [0.5, 1],
    [0.5, 0],
  ]);
  expect(verificationAccuracy(alike).equalError?.rate).toBe(0.5);
});

test('a picture without a face refuses its pair: no error of the comparison, but one of the door', () => {
  const rows: readonly Row[] = [...byHand, [Number.NaN, 1], [Number.NaN, 1], [Number.NaN, 0]];
  const accuracy = verificationAccuracy(pairScores(rows), [0.2]);
  expect(accuracy).toMatchObject({
    matedPairs: 7,
    nonMatedPairs: 6,
    notAcquired: { matedPairs: 2, nonMatedPairs: 1 },
  });
  expect(accuracy.operatingPoints[0]).toMatchObject({
    fnmr: { events: 1, trials: 5 },
    frrWithFta: { events: 3, trials: 7 },
    fmr: { events: 1, trials: 5 },
    farWithFta: { events: 1, trials: 6 },
  });
});

test('1,500 impostor pairs support no statement about FMR 1e-4', () => {
  const rows = Array.from({ length: 3000 }, (_, i): Row => [i / 3000, i < 1500 ? 0 : 1]);
  const { operatingPoints } = verificationAccuracy(pairScores(rows));
  expect(operatingPoints.map((point) => point.kind)).toEqual([
    'measured',
    'measured',
    'not-supported',
  ]);
  expect(operatingPoints[2]).toEqual({
    kind: 'not-supported',
    fmrTarget: 1e-4,
    nonMatedPairsNeeded: 10_000,
  });
});

test('without mated pairs there are false matches and no equal error rate', () => {
  const accuracy = verificationAccuracy(pairScores([[0.1, 0], [0.2, 0]]), [0.5]); // biome-ignore format: one line
  expect(accuracy.equalError).toBeNull();
  expect(accuracy.operatingPoints[0]).toMatchObject({
    fmr: { share: 0.5 },
    fnmr: { share: null, low95: 0, high95: 1 },
  });
});

test('every figure equals the one found by trying all thresholds', () => {
  const score = fc.oneof(
    fc.integer({ min: -8, max: 8 }).map((n) => n / 8),
    fc.double({ min: -1, max: 1, noNaN: true }),
    fc.constant(Number.NaN),
  );
  const rows = fc.array(fc.tuple(score, fc.constantFrom<0 | 1>(0, 1)), {
    minLength: 1,
    maxLength: 80,
  });
  const target = fc.constantFrom(0.5, 0.2, 0.1, 0.05);
  fc.assert(
    fc.property(rows, target, (list, fmrTarget) => {
      const accuracy = verificationAccuracy(pairScores(list), [fmrTarget]);
      const seen = list.filter(([value]) => !Number.isNaN(value));
      const genuine = seen.filter(([, same]) => same === 1).map(([value]) => value);
      const impostor = seen.filter(([, same]) => same === 0).map(([value]) => value);
      const at = (t: number) => ({
        fmr: impostor.filter((s) => s >= t).length / impostor.length,
        fnmr: genuine.filter((s) => s < t).length / genuine.length,
      });
      const thresholds = [...seen.map(([value]) => value), 2];
      if (genuine.length > 0 && impostor.length > 0) {
        const gaps = thresholds.map((t) => Math.abs(at(t).fmr - at(t).fnmr));
        const smallest = Math.min(...gaps);
        const { fmr, fnmr, rate, threshold } = accuracy.equalError ?? expect.fail('no rate');
        expect(fmr).toBe(at(threshold).fmr);
        expect(fnmr).toBe(at(threshold).fnmr);
        expect(rate).toBe((fmr + fnmr) / 2);
        expect(Math.abs(fmr - fnmr)).toBeCloseTo(smallest, 12);
      } else {
        expect(accuracy.equalError).toBeNull();
      }
      const [point] = accuracy.operatingPoints;
      if (point?.kind !== 'measured') {
        expect(impostor.length * fmrTarget).toBeLessThan(1);
        return;
      }
      const permitted = thresholds.filter((t) => at(t).fmr <= fmrTarget);
      const least = Math.min(...permitted.map((t) => genuine.filter((s) => s < t).length));
      expect(point.fnmr.events).toBe(least);
      expect(point.fmr.events).toBe(impostor.filter((s) => s >= point.threshold).length);
    }),
  );
});

test('a higher target never raises the false non-matches', () => {
  const rows = fc.array(
    fc.tuple(fc.double({ min: -1, max: 1, noNaN: true }), fc.constantFrom<0 | 1>(0, 1)),
    { minLength: 30, maxLength: 100 },
  );
  fc.assert(
    fc.property(rows, (list) => {
      const points = verificationAccuracy(pairScores(list), [0.1, 0.2, 0.4]).operatingPoints;
      const misses = points.flatMap((p) => (p.kind === 'measured' ? [p.fnmr.events] : []));
      expect(misses).toEqual([...misses].sort((a, b) => b - a));
    }),
  );
});

test('scores that are not finite, and columns of different length, are programming mistakes', () => {
  expect(() => verificationAccuracy(pairScores([[Number.POSITIVE_INFINITY, 1]]))).toThrow(
    TypeError,
  );
  const pairs = pairScores(byHand);
  expect(() => verificationAccuracy({ ...pairs, same: new Uint8Array(3) })).toThrow(TypeError);
  expect(() => verificationAccuracy({ ...pairs, folds: new Int32Array(3) })).toThrow(TypeError);
  expect(() => verificationAccuracy({ ...pairs, same: pairs.same.map(() => 2) })).toThrow(
    TypeError,
  );
});
