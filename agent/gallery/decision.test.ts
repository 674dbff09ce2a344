import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decide } from './decision.ts';
import type { Candidate } from './search.ts';

const settings = { threshold: 0.5, margin: 0.1 };

test('nobody enrolled, nobody named', () => {
  expect(decide([], settings)).toEqual({ kind: 'no-match', score: undefined });
});

test('a resident at the threshold, with nobody near, is named', () => {
  expect(decide([candidate('ann', 0.5)], settings)).toEqual({
    kind: 'match',
    residentId: 'ann',
    score: 0.5,
    runnerUpScore: undefined,
  });
  expect(decide([candidate('ann', 0.75), candidate('bob', 0.5)], settings)).toEqual({
    kind: 'match',
    residentId: 'ann',
    score: 0.75,
    runnerUpScore: 0.5,
  });
});

test('below the threshold nobody is named, not even without a rival', () => {
  const near = candidate('ann', 0.4999);
  expect(decide([near], settings)).toEqual({ kind: 'no-match', score: 0.4999 });
});

test('two residents too close to each other: neither is named', () => {
  const twins = [candidate('ann', 0.75), candidate('bob', 0.7)];
  expect(decide(twins, settings)).toEqual({ kind: 'ambiguous', score: 0.75, runnerUpScore: 0.7 });
});

test('the runner-up may be below the threshold and still too close', () => {
  const pair = [candidate('ann', 0.52), candidate('bob', 0.49)];
  expect(decide(pair, settings).kind).toBe('ambiguous');
});

test('two templates of one resident are no rivals', () => {
  const both = [candidate('ann', 0.75), candidate('ann', 0.74)];
  expect(decide(both, settings).kind).toBe('match');
});

test('equal scores name nobody, even with a margin of 0', () => {
  const equal = [candidate('ann', 0.75), candidate('bob', 0.75)];
  expect(decide(equal, { threshold: 0.5, margin: 0 }).kind).toBe('ambiguous');
});

test.each([
  { threshold: Number.NaN, margin: 0 },
  { threshold: 0.5, margin: -0.1 },
  { threshold: 0.5, margin: Number.NaN },
])('settings that say nothing open no door: %o', (bad) => {
  expect(() => decide([candidate('ann', 1)], bad)).toThrow(TypeError);
});

test('a score that is not a number names nobody', () => {
  expect(() => decide([candidate('ann', Number.NaN)], settings)).toThrow(TypeError);
});

// Steps of 1/64 are exact in floating point: sums and differences hide no rounding.
const score = fc.integer({ min: -64, max: 64 }).map((n) => n / 64);
const margin = fc.integer({ min: 0, max: 64 }).map((n) => n / 64);
const candidates = fc.array(
  fc.record({ residentId: fc.constantFrom('a', 'b', 'c', 'd'), score, distanceBits: fc.nat() }),
  { maxLength: 12 },
);

test('the order of the candidates does not matter', () => {
  const shuffled = candidates.chain((all) =>
    fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
  );
  fc.assert(
    fc.property(shuffled, score, margin, ([one, other], threshold, gap) => {
      const limits = { threshold, margin: gap };
      expect(decide(other, limits)).toEqual(decide(one, limits));
    }),
  );
});

test('whoever is named reaches the threshold and leads every other resident by the margin', () => {
  fc.assert(
    fc.property(candidates, score, margin, (all, threshold, gap) => {
      const decision = decide(all, { threshold, margin: gap });
      if (decision.kind !== 'match') return;
      const own = all.filter(({ residentId }) => residentId === decision.residentId);
      const others = all.filter(({ residentId }) => residentId !== decision.residentId);
      expect(Math.max(...own.map((one) => one.score))).toBe(decision.score);
      expect(decision.score).toBeGreaterThanOrEqual(threshold);
      for (const other of others) expect(decision.score - other.score).toBeGreaterThanOrEqual(gap);
    }),
  );
});

test('nobody is named when the best score is below the threshold, and only then it is "no match"', () => {
  fc.assert(
    fc.property(candidates, score, margin, (all, threshold, gap) => {
      const below = all.every((one) => one.score < threshold);
      expect(decide(all, { threshold, margin: gap }).kind === 'no-match').toBe(below);
    }),
  );
});

test('a higher threshold or margin never names anybody new', () => {
  fc.assert(
    fc.property(candidates, score, margin, margin, margin, (all, threshold, gap, up, wider) => {
      const strict = decide(all, { threshold: threshold + up, margin: gap + wider });
      if (strict.kind !== 'match') return;
      expect(decide(all, { threshold, margin: gap })).toEqual(strict);
    }),
  );
});

function candidate(residentId: string, score: number): Candidate {
  return { residentId, score, distanceBits: 0 };
}
