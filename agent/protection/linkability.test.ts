import fc from 'fast-check';
import { expect, test } from 'vitest';
import { seededChance } from '../io/process/seeded-chance.ts';
import { createDraws } from './draws.ts';
import { areaUnderRoc, linkability, linkabilityFloor } from './linkability.ts';

const draws = createDraws(seededChance('linkability'));

test('scores that are distributed alike link nothing beyond the floor', () => {
  const [mated, nonMated] = [normal(20_000, 0), normal(20_000, 0)];
  const { dSys, bins } = linkability(mated, nonMated);
  expect(bins).toBe(100);
  expect(dSys).toBeLessThan(0.04);
  expect(Math.abs(dSys - linkabilityFloor(mated, nonMated, draws).mean)).toBeLessThan(0.01);
});

test('the very same scores link nothing at all', () => {
  const scores = normal(1000, 0);
  expect(linkability(scores, scores).dSys).toBe(0);
  expect(linkability([0.5, 0.5, 0.5], [0.5, 0.5]).dSys).toBe(0);
});

test('scores that do not overlap link always', () => {
  expect(linkability(even(500, 0, 1), even(500, 2, 3)).dSys).toBeCloseTo(1, 12);
});

test('of scores that overlap by half, the other half links', () => {
  // On [0, 1] and [0.5, 1.5]: below 0.5 only mated scores lie (D = 1), from there on both alike (D = 0).
  const { dSys } = linkability(even(30_000, 0, 1), even(30_000, 0.5, 1.5));
  expect(dSys).toBeCloseTo(0.5, 2);
});

test('where mated scores are three times as likely, they link by a half', () => {
  // In one half LR = 3: D = 2·3/4 - 1 = 0.5, for three quarters of the mated scores.
  const mated = [...even(7500, 0, 0.5), ...even(2500, 0.5, 1)];
  const nonMated = [...even(2500, 0, 0.5), ...even(7500, 0.5, 1)];
  expect(linkability(mated, nonMated).dSys).toBeCloseTo(0.375, 6);
});

test('the floor of few scores is higher than that of many', () => {
  const few = linkabilityFloor(normal(300, 0), normal(300, 0), draws).mean;
  const many = linkabilityFloor(normal(30_000, 0), normal(30_000, 0), draws).mean;
  expect(many).toBeGreaterThan(0);
  expect(few).toBeGreaterThan(2 * many);
});

test('the floor knows no labels: scores that link always have that of scores that never do', () => {
  const apart = linkabilityFloor(normal(5000, 0), normal(5000, 9), draws);
  expect(apart.highest).toBeLessThan(0.08);
  expect(apart.highest).toBeGreaterThan(apart.mean);
});

test('there is one bin for ten mated scores, at least two and at most a hundred', () => {
  const bins = (mated: number) => linkability(normal(mated, 0), normal(5000, 0)).bins;
  expect([5, 309, 1000, 5000].map(bins)).toEqual([2, 30, 100, 100]);
});

test('without scores of both kinds, or with one that is no number, nothing is measured', () => {
  expect(() => linkability([], [1])).toThrow(TypeError);
  expect(() => linkability([1], [])).toThrow(TypeError);
  expect(() => linkability([1], [Number.NaN])).toThrow(TypeError);
});

test('the area under the ROC is the share of pairs in the right order, ties by half', () => {
  const distances = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 30 });
  const same = (mated: number[], nonMated: number[]) => {
    let won = 0;
    for (const a of mated) for (const b of nonMated) won += a < b ? 1 : a === b ? 0.5 : 0;
    expect(areaUnderRoc(mated, nonMated)).toBeCloseTo(won / (mated.length * nonMated.length), 12);
  };
  fc.assert(fc.property(distances, distances, same));
});

function normal(count: number, mean: number): Float64Array {
  return Float64Array.from({ length: count }, () => mean + draws.normal());
}

function even(count: number, from: number, to: number): number[] {
  return Array.from({ length: count }, (_, i) => from + ((i + 0.5) / count) * (to - from));
}
