import fc from 'fast-check';
import { expect, test } from 'vitest';
import { countAtLeast, nextAbove, thresholdForRate } from './score-threshold.ts';

const ascending = (...scores: number[]) => Float64Array.from(scores).sort();

test('a score equal to the threshold passes', () => {
  const scores = ascending(0.1, 0.2, 0.2, 0.3);
  expect([0.3, 0.2, 0.25, 0.31, 0].map((t) => countAtLeast(scores, t))).toEqual([1, 3, 1, 0, 4]);
  expect(countAtLeast(ascending(), 0.5)).toBe(0);
});

test('one of ten strangers may pass at 10 %: the threshold is the lowest score that keeps out the other nine', () => {
  const strangers = ascending(0.1, 0.11, 0.12, 0.13, 0.14, 0.15, 0.16, 0.17, 0.3, 0.5);
  expect(thresholdForRate(strangers, 10, 0.1, ascending(0.6))).toEqual({
    kind: 'measured',
    threshold: 0.5,
  });
  // A resident's score between the ninth and the tenth stranger lets this threshold be lower.
  expect(thresholdForRate(strangers, 10, 0.1, ascending(0.3, 0.4, 0.6))).toEqual({
    kind: 'measured',
    threshold: 0.4,
  });
});

test('of two strangers with the same score none passes where one may', () => {
  const strangers = ascending(0, 0, 0, 0, 0, 0, 0, 0, 0.7, 0.7);
  const found = thresholdForRate(strangers, 10, 0.1, ascending(0.7, 0.2));
  expect(found).toEqual({ kind: 'measured', threshold: nextAbove(0.7) });
});

test('a rate that so few trials cannot show is refused, with the number that would do', () => {
  const found = thresholdForRate(new Float64Array(1500), 1500, 1e-4, ascending(1));
  expect(found).toEqual({ kind: 'not-supported', trialsNeeded: 10_000 });
  expect(thresholdForRate(new Float64Array(99), 99, 0.01, ascending(1))).toMatchObject({
    trialsNeeded: 100,
  });
  expect(thresholdForRate(new Float64Array(100), 100, 0.01, ascending(1)).kind).toBe('measured');
});

test('0.29 of 100 is 29, whatever floating point makes of 0.29 · 100', () => {
  const strangers = Float64Array.from({ length: 100 }, (_, i) => i);
  expect(thresholdForRate(strangers, 100, 0.29, ascending())).toEqual({
    kind: 'measured',
    threshold: 71,
  });
});

test('where all who have a score may pass, the lowest score is the threshold', () => {
  expect(thresholdForRate(ascending(0.2), 1000, 0.01, ascending(0.3))).toEqual({
    kind: 'measured',
    threshold: 0.2,
  });
});

test('the threshold keeps to the rate, and no lower score that was seen does', () => {
  // Few distinct values, so that ties are the rule.
  const score = fc.integer({ min: -6, max: 6 }).map((n) => n / 8);
  const scores = fc.array(score, { minLength: 1, maxLength: 60 });
  const target = fc.double({ min: 0.001, max: 0.9, noNaN: true });
  fc.assert(
    fc.property(scores, scores, target, fc.nat(5), (unwanted, wanted, rate, unseen) => {
      const trials = unwanted.length + unseen;
      const found = thresholdForRate(ascending(...unwanted), trials, rate, ascending(...wanted));
      if (found.kind === 'not-supported') {
        expect(1 / trials).toBeGreaterThan(rate);
        expect(1 / found.trialsNeeded).toBeLessThanOrEqual(rate);
        expect(1 / (found.trialsNeeded - 1)).toBeGreaterThan(rate);
        return;
      }
      const share = (t: number) => unwanted.filter((s) => s >= t).length / trials;
      expect(share(found.threshold)).toBeLessThanOrEqual(rate);
      for (const lower of [...unwanted, ...wanted].filter((s) => s < found.threshold)) {
        expect(share(lower)).toBeGreaterThan(rate);
      }
    }),
  );
});

test('nothing lies between a number and the next above it', () => {
  expect(nextAbove(1)).toBe(1 + Number.EPSILON);
  expect(nextAbove(-1)).toBe(-1 + Number.EPSILON / 2);
  expect(nextAbove(0)).toBe(Number.MIN_VALUE);
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      const above = nextAbove(value);
      expect(above).toBeGreaterThan(value);
      const middle = value / 2 + above / 2;
      expect(middle <= value || middle >= above).toBe(true);
    }),
  );
});

test('a rate of 0 or 1, and more scores than trials, are programming mistakes', () => {
  expect(() => thresholdForRate(ascending(1), 1, 0, ascending())).toThrow(TypeError);
  expect(() => thresholdForRate(ascending(1), 1, 1, ascending())).toThrow(TypeError);
  expect(() => thresholdForRate(ascending(1, 2), 1, 0.5, ascending())).toThrow(TypeError);
});
