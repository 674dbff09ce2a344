import { expect, test } from 'vitest';
import { seededChance } from '../../agent/io/process/seeded-chance.ts';
import { createDraws } from '../../agent/protection/draws.ts';
import { cusum, cusumLimit } from './cusum.ts';

test('a small change that stays is found though no single day stands out', () => {
  const days = [0.3, -0.4, 0.1, 1.9, 2.1, 1.8, 2.2];
  expect(cusum(days, 5)).toMatchObject({ kind: 'drift', direction: 'up', sinceIndex: 3 });
  expect(cusum(days.slice(0, 5), 5).kind).toBe('steady');
});

test('a fall is found as a rise is', () => {
  expect(cusum([0, 0, -3, -3], 4)).toEqual({
    kind: 'drift',
    height: 5,
    direction: 'down',
    sinceIndex: 2,
  });
});

test('one odd day that passes is no drift', () => {
  expect(cusum([0, 4, -0.2, 0.1, -0.5, 0.4], 5).kind).toBe('steady');
});

test('no days are steady', () => {
  expect(cusum([], 1)).toEqual({ kind: 'steady', height: 0 });
});

test('the limit of a common table: 4.8 for an alarm in 370 points, of two sides', () => {
  // Hawkins, 1993: 4.77 for a reference value of one half.
  expect(cusumLimit(370, 1)).toBeCloseTo(4.77, 1);
});

test('series without a change alarm about as often as the limit allows', () => {
  const { normal } = createDraws(seededChance('cusum'));
  const [series, points] = [4000, 14];
  const limit = cusumLimit(points, 0.05);
  const alarms = Array.from({ length: series }, () =>
    cusum(Array.from({ length: points }, normal), limit),
  ).filter(({ kind }) => kind === 'drift').length;
  // A sum that begins at nothing is below its long run: fewer than 5 % of the series, not more.
  expect(alarms / series).toBeLessThan(0.05);
  expect(alarms).toBeGreaterThan(10);
});
