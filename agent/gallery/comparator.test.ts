import { expect, test } from 'vitest';
import type { Embedding } from '../template/template.ts';
import { cosineComparator } from './comparator.ts';

const at = (degrees: number): Embedding => ({
  modelSha256: 'aa',
  values: Float32Array.of(Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)),
});

test('the score of two pictures is the cosine of the angle between them', () => {
  expect(cosineComparator.compare(at(10), at(70))).toBeCloseTo(0.5, 6);
  expect(cosineComparator.compare(at(0), at(180))).toBeCloseTo(-1, 6);
});

test('a search names each resident once, by the best of his or her pictures, best first', () => {
  const search = cosineComparator.enrol([
    { residentId: 'bob', embedding: at(90) },
    { residentId: 'ann', embedding: at(60) },
    { residentId: 'bob', embedding: at(30) },
  ]);
  const found = search(at(40));
  expect(found.map(({ residentId }) => residentId)).toEqual(['bob', 'ann']);
  expect(found[0]?.score).toBeCloseTo(Math.cos(Math.PI / 18), 6);
  expect(cosineComparator.enrol([])(at(0))).toEqual([]);
});

test('embeddings of different models are never compared', () => {
  const other = { ...at(0), modelSha256: 'bb' };
  expect(() => cosineComparator.compare(at(0), other)).toThrow(TypeError);
});
