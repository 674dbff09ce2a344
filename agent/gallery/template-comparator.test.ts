import fc from 'fast-check';
import { expect, test } from 'vitest';
import { seededChance } from '../io/process/seeded-chance.ts';
import { project } from '../template/projection.ts';
import { createProtector } from '../template/protect.ts';
import type { Embedding } from '../template/template.ts';
import { randomFaces } from '../test/fakes/random-faces.ts';
import { cosineComparator } from './comparator.ts';
import { templateComparator } from './template-comparator.ts';
import { hammingTopK } from './top-k.ts';

const modelSha256 = 'ab'.repeat(32);
const dimensions = 64;

const comparator = templateComparator(
  createProtector({
    rootKey: new Uint8Array(32).fill(7),
    modelSha256,
    version: 1,
    dimensions,
    kernels: { project },
  }),
  { hammingTopK },
);

/** Directions like those of embeddings: no few values outweigh the others, as in those of a model. */
const embeddings = fc.nat().map((seed): Embedding => {
  const [face] = randomFaces(1, dimensions, seededChance(`comparator ${seed}`));
  const values = face?.values ?? new Float32Array(dimensions);
  const norm = Math.hypot(...values);
  return { modelSha256, values: values.map((value) => value / norm) };
});

test('templates score two pictures nearly as their cosine does', () => {
  fc.assert(
    fc.property(embeddings, embeddings, (a, b) => {
      const { compare } = comparator;
      // 4,096 signs leave a deviation of about 0.015.
      expect(Math.abs(compare(a, b) - cosineComparator.compare(a, b))).toBeLessThan(0.1);
      expect(compare(a, a)).toBeCloseTo(1, 6);
    }),
    { numRuns: 30 },
  );
});

test('a search of templates finds whom the comparison of pairs finds', () => {
  fc.assert(
    fc.property(fc.array(embeddings, { minLength: 3, maxLength: 6 }), (list) => {
      const [probe, ...references] = list;
      if (!probe) expect.fail('the list has three');
      const enrolled = references.map((embedding, i) => ({ residentId: `r${i}`, embedding }));
      const scores = references.map((embedding) => comparator.compare(probe, embedding));
      const found = comparator.enrol(enrolled)(probe);
      expect(found.map(({ score }) => score)).toEqual([...scores].sort((a, b) => b - a));
    }),
    { numRuns: 20 },
  );
});
