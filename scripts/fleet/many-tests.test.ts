import { expect, test } from 'vitest';
import { binomialTail, falseDiscoveries, holm } from './many-tests.ts';

test('the smallest chance has to be below the level divided by all tests, the next by one fewer', () => {
  expect(holm([0.012, 0.04, 0.0001, 0.6], 0.05)).toEqual([true, false, true, false]);
  expect(holm([0.013, 0.013, 0.013, 0.013], 0.05)).toEqual([false, false, false, false]);
  expect(holm([], 0.05)).toEqual([]);
});

test('after the first that says nothing none says anything', () => {
  expect(holm([0.001, 0.03, 0.049], 0.05)).toEqual([true, false, false]);
});

test('many small chances together are told where one of them alone is not', () => {
  expect(falseDiscoveries([0.01], 10, 0.05)).toEqual([false]);
  expect(falseDiscoveries([0.01, 0.009, 0.4], 10, 0.05)).toEqual([true, true, false]);
});

test('the tail of coins is what counting gives', () => {
  expect(binomialTail(3, 4, 0.5)).toBeCloseTo(5 / 16, 12);
  expect(binomialTail(0, 4, 0.5)).toBe(1);
  expect(binomialTail(5, 4, 0.5)).toBe(0);
  expect(binomialTail(4, 4, 0.1)).toBeCloseTo(1e-4, 12);
  expect(binomialTail(1, 1, 1)).toBe(1);
  expect(binomialTail(1, 5, 0)).toBe(0);
});

test('far out the tail is still more than nothing', () => {
  expect(binomialTail(60, 100, 0.02)).toBeGreaterThan(0);
  expect(binomialTail(60, 100, 0.02)).toBeLessThan(1e-70);
});
