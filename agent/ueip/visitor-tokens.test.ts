import { describe, expect, test } from 'vitest';
import { hammingTopK } from '../gallery/top-k.ts';
import { seededChance } from '../io/process/seeded-chance.ts';
import type { Kernels } from '../ports.ts';
import { project } from '../template/projection.ts';
import { anotherLook, randomFaces } from '../test/fakes/random-faces.ts';
import { watchedRandom } from '../test/fakes/seeded-random.ts';
import { createVisitorTokens } from './visitor-tokens.ts';
import { maxVisitors } from './visitors.ts';

const dimensions = 256;
const day = '2027-03-01';
const chance = seededChance('visitors');
const faces = randomFaces(maxVisitors + 1, dimensions, chance);
const [ann, ben] = faces;
if (!ann || !ben) throw new Error('two faces were asked for');

test('a visitor who comes again on the same day is known again, another is not', () => {
  const { tokens } = watched();
  const first = tokenOf(tokens.mark(day, ann.values));
  const stranger = tokenOf(tokens.mark(day, ben.values));
  expect(first).toHaveLength(8);
  expect(stranger).not.toEqual(first);
  expect(tokenOf(tokens.mark(day, anotherLook(ann, 0.6, chance).values))).toEqual(first);
  expect(tokenOf(tokens.mark(day, anotherLook(ben, 0.6, chance).values))).toEqual(stranger);
});

test('a resemblance too weak to be one person is none', () => {
  const { tokens } = watched();
  const first = tokenOf(tokens.mark(day, ann.values));
  expect(tokenOf(tokens.mark(day, anotherLook(ann, 0.15, chance).values))).not.toEqual(first);
});

test('S0-15 a token has no bit of the face in it: it is what chance gave', () => {
  const { tokens, given } = watched();
  const token = tokenOf(tokens.mark(day, ann.values));
  expect(given.filter(({ was }) => Buffer.from(was).equals(token))).toHaveLength(1);
});

test.each([
  ['the next day', (tokens: Tokens) => tokens.keepOnly('2027-03-02'), '2027-03-02'],
  ['a second start on the same day', (tokens: Tokens) => tokens.end(), day],
])('S0-15 the same face has an unrelated token after %s', (_, rotate, date) => {
  const { tokens } = watched();
  const before = tokens.mark(day, ann.values);
  rotate(tokens);
  const after = tokens.mark(date, ann.values);
  expect(after.epoch).not.toBe(before.epoch);
  expect(tokenOf(after)).not.toEqual(tokenOf(before));
});

test('S0-15 codes, signs and tokens of an epoch are zeroed in memory when it ends', () => {
  const { tokens, given, seen } = watched();
  const handedOut = tokenOf(tokens.mark(day, ann.values));
  const copy = handedOut.slice();
  const registered = seen.at(-1);
  const token = given.find(({ was }) => Buffer.from(was).equals(handedOut));
  if (!registered || !token) throw new Error('nothing was seen');
  expect(registered.codes.some((byte) => byte !== 0)).toBe(true);
  tokens.end();
  for (const bytes of [registered.codes, registered.signs, token.memory]) {
    expect(bytes.every((byte) => byte === 0)).toBe(true);
  }
  expect(handedOut, 'what was handed out is a copy').toEqual(copy);
});

test('an attempt without a face has no token', () => {
  const { tokens } = watched();
  expect(tokens.mark(day, undefined)).toMatchObject({ kind: 'visitor', visitor: null });
});

describe('when more come than the register holds', () => {
  test('the newcomer begins a new epoch', () => {
    const { tokens } = watched();
    const epochs = faces.map(({ values }) => tokens.mark(day, values).epoch);
    expect(new Set(epochs.slice(0, maxVisitors)).size).toBe(1);
    expect(epochs[maxVisitors]).not.toBe(epochs[0]);
  });

  test('whoever is known is still known while it is full', () => {
    const { tokens } = watched();
    const first = tokens.mark(day, ann.values);
    for (const { values } of faces.slice(1, maxVisitors)) tokens.mark(day, values);
    expect(tokens.mark(day, ann.values)).toEqual(first);
  });
});

type Tokens = ReturnType<typeof createVisitorTokens>;

/** Tokens with a view of the memory that codes and signs stand in. */
function watched() {
  const { random, given } = watchedRandom('watched');
  const seen: { signs: Uint8Array; codes: Uint8Array }[] = [];
  let lastSigns: Uint8Array = new Uint8Array(0);
  const kernels: Pick<Kernels, 'project' | 'hammingTopK'> = {
    project(signs, q, y) {
      lastSigns = signs;
      project(signs, q, y);
    },
    hammingTopK(codes, count, probe, rows, distances) {
      seen.push({ signs: lastSigns, codes });
      return hammingTopK(codes, count, probe, rows, distances);
    },
  };
  return { tokens: createVisitorTokens({ dimensions, kernels, random }), given, seen };
}

function tokenOf(mark: ReturnType<Tokens['mark']>): Uint8Array {
  if (mark.kind !== 'visitor' || mark.visitor === null) throw new Error('a face has a token');
  return mark.visitor;
}
