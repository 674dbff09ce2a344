import { expect, test } from 'vitest';
import { seededChance } from '../io/process/seeded-chance.ts';
import { createDraws } from './draws.ts';

const draws = createDraws(seededChance('draws'));

test('every number below the limit comes, about equally often', () => {
  const counts = new Int32Array(7);
  for (let i = 0; i < 70_000; i++) {
    const drawn = draws.below(7);
    counts[drawn] = (counts[drawn] ?? 0) + 1;
  }
  for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500);
});

test('normal numbers have the mean, the spread and the tails of the normal distribution', () => {
  const drawn = Float64Array.from({ length: 100_000 }, () => draws.normal());
  const mean = drawn.reduce((sum, value) => sum + value, 0) / drawn.length;
  const variance = drawn.reduce((sum, value) => sum + (value - mean) ** 2, 0) / drawn.length;
  expect(mean).toBeCloseTo(0, 1);
  expect(variance).toBeCloseTo(1, 1);
  const beyond = drawn.filter((value) => Math.abs(value) > 1.96).length / drawn.length;
  expect(beyond).toBeCloseTo(0.05, 2);
});

test('items are taken at most once, and each is as likely as any other', () => {
  const items = [0, 1, 2, 3, 4];
  const counts = new Int32Array(5);
  for (let i = 0; i < 10_000; i++) {
    const taken = draws.take(items, 2);
    expect(new Set(taken).size).toBe(2);
    for (const item of taken) counts[item] = (counts[item] ?? 0) + 1;
  }
  for (const count of counts) expect(Math.abs(count - 4000)).toBeLessThan(250);
  expect(draws.take(items, 9).toSorted()).toEqual(items);
  expect(items).toEqual([0, 1, 2, 3, 4]);
});

test('the same bytes give the same draws', () => {
  const [a, b] = [createDraws(seededChance('x')), createDraws(seededChance('x'))];
  expect(Array.from({ length: 3000 }, () => a.below(1000))).toEqual(
    Array.from({ length: 3000 }, () => b.below(1000)),
  );
  expect(a.bytes(32)).toEqual(b.bytes(32));
});

test.each([0, 1.5, 2 ** 33])('no number is below %s', (limit) => {
  expect(() => draws.below(limit)).toThrow(TypeError);
});
