import fc from 'fast-check';
import { expect, test } from 'vitest';
import { seededChance } from '../io/process/seeded-chance.ts';
import { noisy, scoreBucket, tally, type VisitorDay } from './visitor-tally.ts';

const visitor: fc.Arbitrary<VisitorDay> = fc
  .tuple(fc.integer({ min: 0, max: 5 }), fc.boolean(), fc.integer({ min: 0, max: 7 }))
  .map(([failures, succeeded, score]) => ({
    failures,
    succeeded,
    firstFailureScore: failures > 0 ? score : undefined,
  }));

test('one visitor more or fewer changes the first count by at most 1 and one of the eight by at most 1', () => {
  fc.assert(
    fc.property(fc.array(visitor, { maxLength: 40 }), visitor, (others, one) => {
      const without = tally(others);
      const withOne = tally([...others, one]);
      const change = (key: number) =>
        (withOne.firstFailureByScore[key] ?? 0) - (without.firstFailureByScore[key] ?? 0);
      const changes = [0, 1, 2, 3, 4, 5, 6, 7].map(change);
      const first = withOne.failedAndNeverSucceeded - without.failedAndNeverSucceeded;
      expect(first === 0 || first === 1).toBe(true);
      expect(changes.every((by) => by === 0 || by === 1)).toBe(true);
      expect(changes.filter((by) => by === 1).length).toBe(one.failures > 0 ? 1 : 0);
    }),
  );
});

test('only who failed twice and never got in counts as turned away', () => {
  const days = [
    { failures: 1, succeeded: false, firstFailureScore: 0 },
    { failures: 2, succeeded: false, firstFailureScore: 3 },
    { failures: 9, succeeded: false, firstFailureScore: 3 },
    { failures: 9, succeeded: true, firstFailureScore: 7 },
    { failures: 0, succeeded: true, firstFailureScore: undefined },
  ];
  expect(tally(days)).toEqual({
    failedAndNeverSucceeded: 2,
    firstFailureByScore: [1, 0, 0, 2, 0, 0, 0, 1],
  });
});

test('every count has noise of its own, and over many days the noise is none', () => {
  const exact = { failedAndNeverSucceeded: 3, firstFailureByScore: [5, 0, 0, 0, 2, 0, 0, 0] };
  const random = seededChance('noise');
  const days = Array.from({ length: 3000 }, () => noisy(exact, random));
  const series = [
    days.map((day) => day.failedAndNeverSucceeded - 3),
    ...exact.firstFailureByScore.map((count, i) =>
      days.map((day) => (day.firstFailureByScore[i] ?? 0) - count),
    ),
  ];
  for (const noise of series) {
    const mean = noise.reduce((sum, value) => sum + value) / noise.length;
    // Six standard errors.
    expect(Math.abs(mean)).toBeLessThan((6 * 8.48) / Math.sqrt(noise.length));
    expect(new Set(noise).size).toBeGreaterThan(40);
  }
  for (const [i, a] of series.entries()) {
    for (const b of series.slice(i + 1)) expect(a).not.toEqual(b);
  }
});

test.each([
  [null, 0],
  [-1, 0],
  [0.0999, 0],
  [0.1, 1],
  [0.35, 3],
  [0.6999, 6],
  [0.7, 7],
  [1, 7],
])('a best score of %s falls into bucket %i', (score, bucket) => {
  expect(scoreBucket(score)).toBe(bucket);
});

test('a score that is no number is refused', () => {
  expect(() => scoreBucket(Number.NaN)).toThrow(TypeError);
});
