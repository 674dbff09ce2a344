import { expect, test } from 'vitest';
import type { Acquisition } from '../gallery/acquisition.ts';
import { seededChance } from '../io/process/seeded-chance.ts';
import { createDraws } from './draws.ts';
import { facesOfIdentities, facesOfPairs } from './labelled-faces.ts';

const draws = createDraws(seededChance('labels'));

test('folders that agree with every label say who is who, and further pairs are drawn', () => {
  const pairs = [pair('ann/1', 'ann/2', true), pair('bob/1', 'cid/1', false)];
  const faces = facesOfPairs(pairs, acquiredOf(pairs), draws, 50);
  expect(faces.samples.map(({ identity }) => identity)).toEqual(['ann', 'ann', 'bob', 'cid']);
  expect(faces.trials).toHaveLength(52);
  for (const { probe, reference, same } of faces.trials.slice(2)) {
    expect(same).toBe(false);
    expect(probe.split('/')[0]).not.toBe(reference.split('/')[0]);
  }
  expect(faces.pairs).toEqual(pairs);
});

test('where folders say nothing, only the listed pairs are compared', () => {
  const pairs = [pair('a', 'b', true), pair('b', 'c', true), pair('d', 'e', false)];
  const faces = facesOfPairs(pairs, acquiredOf(pairs), draws, 50);
  const names = new Map(faces.samples.map(({ picture, identity }) => [picture, identity]));
  expect(names.get('a')).toBe(names.get('c'));
  expect(new Set(names.values()).size).toBe(3);
  expect(faces.trials).toHaveLength(3);
});

test('one folder that contradicts a label is enough not to believe any', () => {
  const pairs = [pair('ann/1', 'ann/2', true), pair('bob/1', 'bob/2', false)];
  expect(facesOfPairs(pairs, acquiredOf(pairs), draws, 50).trials).toHaveLength(2);
});

test('a picture without a face is nobody', () => {
  const pairs = [pair('ann/1', 'ann/2', true)];
  const acquired = new Map(acquiredOf(pairs));
  acquired.set('ann/2', { kind: 'not-acquired', reasons: ['no-face'] });
  expect(facesOfPairs(pairs, acquired, draws).samples).toHaveLength(1);
});

test('of residents all pairs are made and as many of two persons, nobody in two folds', () => {
  const gallery = Array.from({ length: 20 }, (_, i) => ({ identity: `r${i}`, picture: `r${i}-0` }));
  const visits = [
    ...gallery.map(({ identity }) => ({ mated: identity, pictures: [`${identity}-1`] })),
    ...gallery.map((_, i) => ({ mated: null, pictures: [`s${i}`] })),
  ];
  const pictures = [
    ...gallery.map(({ picture }) => picture),
    ...visits.flatMap((visit) => visit.pictures),
  ];
  const acquired = new Map(pictures.map((picture) => [picture, face]));
  const faces = facesOfIdentities(gallery, visits, acquired, draws, 500);
  expect(faces.pairs.filter(({ same }) => same)).toHaveLength(20);
  expect(faces.pairs.filter(({ same }) => !same)).toHaveLength(20);
  const folds = new Map<string, Set<number | undefined>>();
  for (const { probe, reference, fold } of faces.pairs) {
    for (const picture of [probe, reference]) {
      const person = picture.split('-')[0] ?? '';
      folds.set(person, (folds.get(person) ?? new Set()).add(fold));
    }
  }
  expect(new Set([...folds.values()].map(({ size }) => size))).toEqual(new Set([1]));
  // Two strangers may be one person: they are never a pair.
  const drawn = faces.trials.slice(40);
  expect(drawn).toHaveLength(500);
  expect(drawn.some(({ probe, reference }) => `${probe}${reference}`.includes('s'))).toBe(true);
  for (const { probe, reference } of drawn) {
    expect(probe.startsWith('s') && reference.startsWith('s')).toBe(false);
  }
});

const face: Acquisition = {
  kind: 'acquired',
  embedding: { values: Float32Array.of(1), modelSha256: '' },
};

function pair(probe: string, reference: string, same: boolean) {
  return { probe, reference, same, fold: undefined };
}

function acquiredOf(pairs: readonly ReturnType<typeof pair>[]): ReadonlyMap<string, Acquisition> {
  return new Map(pairs.flatMap(({ probe, reference }) => [probe, reference]).map((p) => [p, face]));
}
