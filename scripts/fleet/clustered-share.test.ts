import { expect, test } from 'vitest';
import { proportion } from '../../agent/gallery/proportion.ts';
import { clusteredShare, type DoorSums } from './clustered-share.ts';

test('doors that are all alike are worth as many attempts as they had', () => {
  const sums = sumsOf(Array.from({ length: 50 }, () => [2, 20] as const));
  const { share, low95, high95, designEffect } = clusteredShare(sums);
  const plain = proportion(100, 1000);
  expect(designEffect).toBe(1);
  expect([share, low95, high95]).toEqual([plain.share, plain.low95, plain.high95]);
});

test('where every failure is at one half of the doors, their number decides and not that of attempts', () => {
  const doors = Array.from({ length: 40 }, (_, n) => [n < 20 ? 25 : 0, 25] as const);
  const { low95, high95, designEffect } = clusteredShare(sumsOf(doors));
  const ofDoors = proportion(20, 40);
  expect(designEffect).toBeCloseTo((25 * 40) / 39, 9);
  expect(low95).toBeCloseTo(ofDoors.low95, 2);
  expect(high95).toBeCloseTo(ofDoors.high95, 2);
});

test('no failure at all still has an interval that begins at nothing', () => {
  const { share, low95, high95 } = clusteredShare(
    sumsOf([
      [0, 30],
      [0, 70],
    ]),
  );
  expect([share, low95]).toEqual([0, 0]);
  expect(high95).toBeCloseTo(proportion(0, 100).high95, 12);
});

test('nothing but failures has an interval that ends at all', () => {
  expect(
    clusteredShare(
      sumsOf([
        [30, 30],
        [70, 70],
      ]),
    ).high95,
  ).toBe(1);
});

test('of no attempts nothing is known', () => {
  expect(clusteredShare(sumsOf([]))).toEqual({ share: null, low95: 0, high95: 1, designEffect: 1 });
});

test('more failures than attempts are refused', () => {
  expect(() => clusteredShare(sumsOf([[3, 2]]))).toThrow(TypeError);
});

function sumsOf(doors: readonly (readonly [events: number, trials: number])[]): DoorSums {
  const sum = (of: (events: number, trials: number) => number) =>
    doors.reduce((all, [events, trials]) => all + of(events, trials), 0);
  return {
    doors: doors.length,
    events: sum((events) => events),
    trials: sum((_, trials) => trials),
    eventsSquared: sum((events) => events ** 2),
    trialsSquared: sum((_, trials) => trials ** 2),
    eventsTimesTrials: sum((events, trials) => events * trials),
  };
}
