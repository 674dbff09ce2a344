import { expect, test } from 'vitest';
import { seededChance } from '../io/process/seeded-chance.ts';
import { chiSquare, chiSquareLimit } from '../test/fakes/chi-square.ts';
import { backoffMs, mostTries } from './backoff.ts';

const smallest = () => new Uint8Array(4);

test.each([
  [1, 30_000],
  [2, 60_000],
  [3, 120_000],
  [4, 240_000],
  [5, 300_000],
  [60, 300_000],
])('after try %i it waits at most %i ms, and at least two seconds', (tries, mostMs) => {
  const random = seededChance(`waits ${tries}`);
  const waits = Array.from({ length: 2_000 }, () => backoffMs(tries, 0, random));
  expect(Math.max(...waits)).toBeLessThanOrEqual(mostMs);
  expect(Math.max(...waits)).toBeGreaterThan(mostMs * 0.98);
  expect(Math.min(...waits)).toBeGreaterThanOrEqual(2_000);
  expect(backoffMs(tries, 0, smallest)).toBe(2_000);
  const counts = Array.from({ length: 10 }, () => 0);
  for (const ms of waits) {
    const part = Math.min(9, Math.floor((ms / mostMs) * 10));
    counts[part] = (counts[part] ?? 0) + 1;
  }
  expect(chiSquare(counts, () => 200)).toBeLessThan(chiSquareLimit(9));
});

test('as long as the other side asks for', () => {
  expect(backoffMs(1, 1_200_000, seededChance('any'))).toBe(1_200_000);
  expect(backoffMs(1, 2_500, smallest)).toBe(2_500);
});

test('all tries fit into the quarter of an hour after the spread of the first', () => {
  let sum = 0;
  for (let tries = 1; tries < mostTries; tries++) {
    const random = seededChance(`sum ${tries}`);
    sum += Math.max(...Array.from({ length: 500 }, () => backoffMs(tries, 0, random)));
  }
  expect(sum).toBeLessThanOrEqual(900_000);
});
