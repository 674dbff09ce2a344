import { expect, test } from 'vitest';
import { t95, tAsNormal, upperTail } from './normal-distribution.ts';

test('the tail of the normal distribution is that of the tables, far out too', () => {
  expect(upperTail(0)).toBeCloseTo(0.5, 12);
  expect(upperTail(1.959963984540054)).toBeCloseTo(0.025, 12);
  expect(upperTail(-1)).toBeCloseTo(0.841344746068543, 12);
  // Abramowitz and Stegun, table 26.1 and 26.2.
  expect(upperTail(3) / 1.34989803163009e-3).toBeCloseTo(1, 9);
  expect(upperTail(5) / 2.866515718791939e-7).toBeCloseTo(1, 9);
  expect(upperTail(8) / 6.22096057427178e-16).toBeCloseTo(1, 9);
});

test('the series and the continued fraction meet where one takes over', () => {
  expect(upperTail(2.5 - 1e-9) / upperTail(2.5)).toBeCloseTo(1, 7);
});

test('what is not a number has no tail', () => {
  expect(() => upperTail(Number.NaN)).toThrow(TypeError);
});

test('a difference between few doors is worth less than the same between many', () => {
  // The 97.5 % points of Student's t with 9 and 30 degrees of freedom.
  expect(tAsNormal(2.262157, 9)).toBeCloseTo(1.96, 2);
  expect(tAsNormal(2.042272, 30)).toBeCloseTo(1.96, 3);
  expect(tAsNormal(-2.042272, 30)).toBeCloseTo(-1.96, 3);
  expect(tAsNormal(2, 1e9)).toBeCloseTo(2, 6);
});

test('95 % between few doors need more standard errors than between many', () => {
  expect(t95(9)).toBeCloseTo(2.262, 2);
  expect(t95(30)).toBeCloseTo(2.042, 3);
  expect(t95(1e9)).toBeCloseTo(1.95996, 4);
});
