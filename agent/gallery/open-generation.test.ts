import fc from 'fast-check';
import { expect, test } from 'vitest';
import { faceOf, testDevice, testModel } from '../test/fakes/test-device.ts';
import { createGallery } from './gallery.ts';
import { type OpenGeneration, probesFor, searchGenerations } from './open-generation.ts';
import { hammingTopK } from './top-k.ts';

const other = 'b'.repeat(64);
const protectors = [1, 2].map((version) => testDevice(1)(version));
const earlier = testDevice(1)(1, other);
const kernels = { hammingTopK };
const people = ['ann', 'bob', 'cem', 'dan', 'eva', 'fay'];

test('of all generations the best score counts, each resident is named once, and two are named where two are enrolled', () => {
  const placed = fc.array(fc.tuple(fc.constantFrom(...people), fc.constantFrom(0, 1)), {
    minLength: 1,
    maxLength: 30,
  });
  fc.assert(
    fc.property(placed, fc.constantFrom(...people), (rows, visitor) => {
      const open = protectors.map((protector): OpenGeneration => {
        return { protector, gallery: createGallery(protector), isRetiring: false, scoreShift: 0 };
      });
      for (const [id, generation] of rows) {
        const each = open[generation];
        each?.gallery.add(id, each.protector.template(faceOf(id)));
      }
      const found = searchGenerations(open, probesFor(open, [faceOf(visitor)]), kernels);
      const enrolled = new Set(rows.map(([id]) => id));
      expect(new Set(found.map(({ residentId }) => residentId)).size).toBe(found.length);
      expect(found.length).toBeGreaterThanOrEqual(Math.min(2, enrolled.size));
      expect(found.map(({ score }) => score)).toEqual(
        found.map(({ score }) => score).toSorted((a, b) => b - a),
      );
      if (enrolled.has(visitor)) expect(found[0]).toMatchObject({ residentId: visitor, score: 1 });
    }),
    { numRuns: 60 },
  );
});

test('somebody who is only in the older generation is not taken for a look-alike in the newer', () => {
  const [old, fresh] = protectors;
  if (!old || !fresh) throw new Error('no protectors');
  const open = [old, fresh].map((protector, i) => {
    const generation = { protector, gallery: createGallery(protector), scoreShift: 0 };
    return { ...generation, isRetiring: i === 0 };
  });
  const bob = faceOf('bob', testModel, 0.4, 'ann');
  open[0]?.gallery.add('bob', old.template(bob));
  open[1]?.gallery.add('ann', fresh.template(faceOf('ann')));
  const [best] = searchGenerations(open, probesFor(open, [bob]), kernels);
  expect(best).toMatchObject({ residentId: 'bob', score: 1 });
});

test.each([
  ['older', [0, 0.5]],
  ['newer', [0.5, 0]],
])('a resident whose %s template fits better is judged by that one', (_, mixes) => {
  const open = protectors.map((protector, i): OpenGeneration => {
    const gallery = createGallery(protector);
    gallery.add('ann', protector.template(faceOf('ann', testModel, mixes[i], 'rain')));
    return { protector, gallery, isRetiring: i === 0, scoreShift: 0 };
  });
  const found = searchGenerations(open, probesFor(open, [faceOf('ann')]), kernels);
  expect(found).toMatchObject([{ residentId: 'ann', score: 1 }]);
});

test('scores of an earlier recogniser are moved by its threshold, and stay scores', () => {
  const one = (scoreShift: number): OpenGeneration[] => {
    const gallery = createGallery(earlier);
    gallery.add('ann', earlier.template(faceOf('ann', other)));
    return [{ protector: earlier, gallery, isRetiring: true, scoreShift }];
  };
  const score = (shift: number) => {
    const open = one(shift);
    return searchGenerations(open, probesFor(open, [faceOf('ann', other)]), kernels)[0]?.score;
  };
  expect([score(0), score(-0.3), score(0.3)]).toEqual([1, 0.7, 1]);
});

test('a generation for whose recogniser there is no embedding is not searched', () => {
  const gallery = createGallery(earlier);
  gallery.add('ann', earlier.template(faceOf('ann', other)));
  const open = [{ protector: earlier, gallery, isRetiring: true, scoreShift: 0 }];
  expect(searchGenerations(open, probesFor(open, [faceOf('ann')]), kernels)).toEqual([]);
});
