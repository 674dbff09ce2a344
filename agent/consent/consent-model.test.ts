import { expect, test } from 'vitest';
import { type Exploration, explore } from '../test/fakes/programme-exploration.ts';
import { invariants } from '../test/fakes/programme-invariants.ts';
import { moves } from '../test/fakes/programme-moves.ts';
import { mutants } from '../test/fakes/programme-mutants.ts';
import { type Limits, trueDevice } from '../test/fakes/programme-world.ts';

/** Each lets other things happen often: all of it at once would be millions of states. */
const explorations: Readonly<Record<string, Limits>> = {
  'a whole life, with a crash at any point and days that pass': {
    grants: 1,
    offs: 1,
    orders: 1,
    crashes: 1,
    days: 1,
    policy: 0,
    regions: 1,
  },
  'two grants, an opt-out and a crash': {
    grants: 2,
    offs: 1,
    orders: 1,
    crashes: 1,
    days: 0,
    policy: 0,
    regions: 1,
  },
  'policies and regions that change under two grants': {
    grants: 2,
    offs: 0,
    orders: 0,
    crashes: 1,
    days: 0,
    policy: 2,
    regions: 2,
  },
  'two opt-outs and two crashes': {
    grants: 1,
    offs: 2,
    orders: 0,
    crashes: 2,
    days: 0,
    policy: 0,
    regions: 1,
  },
  'objects that expire while their erasure is ordered': {
    grants: 1,
    offs: 1,
    orders: 1,
    crashes: 0,
    days: 3,
    policy: 0,
    regions: 1,
  },
};

const explored = new Map<string, Exploration>();

test.each(Object.keys(explorations))(
  'S0-26 S0-30 what was promised holds in every state of: %s',
  (name) => {
    const limits = explorations[name];
    if (!limits) throw new Error('no such exploration');
    const result = explore(trueDevice, limits);
    explored.set(name, result);
    expect(result.violation).toBeUndefined();
  },
  60_000,
);

test('the model is large enough, and everything that can happen does happen in it', () => {
  const results = [...explored.values()];
  expect(results.length).toBe(Object.keys(explorations).length);
  expect(Math.max(...results.map(({ states }) => states))).toBeGreaterThan(10_000);
  expect(Object.keys(invariants).length).toBeGreaterThanOrEqual(11);
  const made = new Set(results.flatMap((result) => [...result.made]));
  expect(moves.map(({ name }) => name).filter((name) => !made.has(name))).toEqual([]);
});

const killed = mutants.filter(({ killedBy }) => killedBy !== undefined);
const equivalent = mutants.filter((mutant) => mutant.equivalent !== undefined);

test.each(killed)('found out: $name', ({ device, limits, killedBy }) => {
  expect(explore(device, limits).violation?.invariant).toBe(killedBy);
});

test.each(equivalent)('makes no difference: $name, because $equivalent', ({ device, limits }) => {
  expect(explore(device, limits).violation).toBeUndefined();
});

test('every invariant finds out somebody, and nobody is unaccounted for', () => {
  const used = new Set(killed.map(({ killedBy }) => killedBy));
  expect(Object.keys(invariants).filter((name) => !used.has(name))).toEqual([]);
  expect(killed.length + equivalent.length).toBe(mutants.length);
  expect(killed.length).toBeGreaterThanOrEqual(14);
});
