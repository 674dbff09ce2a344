import { expect, test } from 'vitest';
import { seededChance } from '../io/process/seeded-chance.ts';
import { chiSquare, chiSquareLimit } from '../test/fakes/chi-square.ts';
import { watchedRandom } from '../test/fakes/seeded-random.ts';
import { shuffled, uniformBelow } from './random.ts';

test('every order of four is equally likely', () => {
  const random = seededChance('shuffle');
  const orders = new Map<string, number>();
  const trials = 24_000;
  for (let i = 0; i < trials; i++) {
    const order = shuffled('abcd', random).join('');
    orders.set(order, (orders.get(order) ?? 0) + 1);
  }
  expect(orders.size).toBe(24);
  expect(chiSquare([...orders.values()], () => trials / 24)).toBeLessThan(chiSquareLimit(23));
});

test('everything put in comes out once', () => {
  const items = Array.from({ length: 1024 }, (_, i) => i);
  expect(shuffled(items, seededChance('all')).sort((a, b) => a - b)).toEqual(items);
  expect(shuffled([], seededChance('none'))).toEqual([]);
});

test('no number is more likely where the limit does not divide 2^32', () => {
  // 2^32 modulo this limit, without drawing again, gives the lower third twice as often.
  const limit = 3 * 2 ** 30;
  const random = seededChance('uniform');
  const thirds = [0, 0, 0];
  for (let i = 0; i < 9000; i++) {
    const third = Math.floor((3 * uniformBelow(limit, random)) / limit);
    thirds[third] = (thirds[third] ?? 0) + 1;
  }
  expect(chiSquare(thirds, () => 3000)).toBeLessThan(chiSquareLimit(2));
});

test('the largest number there is can be drawn, and the one beyond is drawn again', () => {
  const draws = [0xffffffff, 0xfffffffe];
  const random = () => {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, draws.shift() ?? 0);
    return bytes;
  };
  expect(uniformBelow(3, random)).toBe(2);
  expect(draws).toEqual([]);
});

test('what was drawn for an order is zeroed', () => {
  const { random, given } = watchedRandom('draws');
  shuffled('abcdefgh', random);
  expect(given.some(({ was }) => was.some((byte) => byte !== 0))).toBe(true);
  expect(given.every(({ memory }) => memory.every((byte) => byte === 0))).toBe(true);
});

test.each([0, -1, 1.5, 2 ** 32 + 1, Number.NaN])('a limit of %s is refused', (limit) => {
  expect(() => uniformBelow(limit, seededChance('limit'))).toThrow(TypeError);
});

test('a source that gives fewer bytes than asked for is refused', () => {
  expect(() => uniformBelow(2, () => new Uint8Array(3))).toThrow(/4 random bytes/);
});
