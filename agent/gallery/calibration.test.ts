import { expect, test } from 'vitest';
import { calibrate } from './calibration.ts';

const keys = (...thresholds: number[]) =>
  thresholds.map((threshold) => ({ threshold, missRate: 0.05 }));

test('the threshold is that of the strictest key, rounded up', () => {
  expect(calibrate(keys(0.4857, 0.4932, 0.49)).threshold).toBe(0.495);
});

test('a threshold that is round already stays', () => {
  expect(calibrate(keys(0.45)).threshold).toBe(0.45);
  expect(calibrate(keys(0.07)).threshold).toBe(0.07);
});

test('the least excess is rounded up, never down', () => {
  expect(calibrate(keys(0.4501)).threshold).toBe(0.455);
  expect(calibrate(keys(-0.0049)).threshold).toBe(0);
});

test('without a key there is nothing to calibrate', () => {
  expect(() => calibrate([])).toThrow(TypeError);
});
