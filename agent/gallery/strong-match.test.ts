import { expect, test } from 'vitest';
import { isStrong } from './strong-match.ts';

const settings = { threshold: 0.5, margin: 0.05 };

test.each([
  [0.6, undefined, true],
  [0.599, undefined, false],
  [0.7, 0.59, true],
  [0.7, 0.601, false],
  [0.9, -0.2, true],
  [Number.NEGATIVE_INFINITY, undefined, false],
])('a score of %d before %d is beyond doubt: %s', (score, runnerUp, strong) => {
  expect(isStrong(score, runnerUp, settings)).toBe(strong);
});
