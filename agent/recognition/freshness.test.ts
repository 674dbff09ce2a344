import { expect, test } from 'vitest';
import { isFresh } from './freshness.ts';

test.each([
  ['at once', 1000, true],
  ['at the limit', 2500, true],
  ['just after it', 2500.1, false],
  ['before it was taken', 999, false],
  ['at no moment', Number.NaN, false],
])('a frame of 1000 ms that is decided on %s', (_, nowMs, fresh) => {
  expect(isFresh(1000, nowMs, 1500)).toBe(fresh);
});

test('a frame without a capture time is never fresh', () => {
  expect(isFresh(Number.NaN, 1000, 1500)).toBe(false);
});
