import { expect, test } from 'vitest';
import { seededChance } from '../io/process/seeded-chance.ts';
import { createDraws } from './draws.ts';
import type { FaceSample } from './labelled-faces.ts';
import {
  countEpochs,
  distancesAcross,
  distancesWithin,
  longestRun,
  type Mark,
} from './telemetry-marks.ts';

test('only codes of one epoch are compared with each other', () => {
  const marks = [
    mark('ann', 'e1', 0b0000),
    mark('ann', 'e1', 0b0001),
    mark('bob', 'e1', 0b1111),
    mark('ann', 'e2', 0b1111),
  ];
  expect(distancesWithin(marks)).toEqual({ mated: [1], nonMated: [4, 3] });
  expect(countEpochs(marks)).toBe(2);
});

test('across two lots a picture is compared with itself, and others with other persons', () => {
  const people = Array.from({ length: 20 }, (_, i) => `p${i}`);
  const first = people.map((person) => mark(person, 'e1', 0));
  const second = people.map((person, i) => mark(person, 'e2', i === 3 ? 0b11 : 0b1));
  const { mated, nonMated } = distancesAcross(first, second, createDraws(seededChance('x')));
  expect(mated).toEqual(people.map((_, i) => (i === 3 ? 2 : 1)));
  expect(nonMated).toHaveLength(160);
});

test('a run lasts as long as the epoch has one name, or the code of one face stays the same', () => {
  const run = (epochs: string, codes: string) =>
    longestRun([...epochs].map((epoch, i) => mark('ann', epoch, codes.charCodeAt(i))));
  expect(run('aabbb', '12345')).toBe(3);
  expect(run('abcde', '11112')).toBe(4);
  expect(run('aabba', '11221')).toBe(2);
  expect(longestRun([])).toBe(0);
});

function mark(identity: string, epoch: string, code: number): Mark {
  const embedding = { values: new Float32Array(1), modelSha256: '' };
  const sample: FaceSample = { picture: identity, identity, certain: true, embedding };
  return { sample, epoch, code: Uint8Array.of(code) };
}
