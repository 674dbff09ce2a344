import fc from 'fast-check';
import { expect, test } from 'vitest';
import { kernelSets } from '../io/process/native.ts';
import { softScore } from '../template/soft-score.ts';
import type { Probe } from '../template/template.ts';
import { createGallery, type Gallery } from './gallery.ts';
import { search } from './search.ts';
import { hammingTopK } from './top-k.ts';

const scope = { modelSha256: 'm', version: 1 };

test('an empty gallery has no candidates', () => {
  expect(search(createGallery(scope), probe(1), { hammingTopK })).toEqual([]);
});

test('each resident comes once, with the best of his or her templates, best first', () => {
  const gallery = createGallery(scope);
  add(gallery, 'ann', 900);
  add(gallery, 'bob', 500);
  add(gallery, 'ann', 100);
  add(gallery, 'cem', 1500);
  const found = search(gallery, probe(1), { hammingTopK });
  expect(found.map(({ residentId, distanceBits }) => [residentId, distanceBits])).toEqual([
    ['ann', 100],
    ['bob', 500],
    ['cem', 1500],
  ]);
  expect(found[0]?.score).toBe(softScore(probe(1), codeAt(100)));
});

test('bits the probe is sure of count more than many it is not sure of', () => {
  const sure = probe(1);
  sure.projections.fill(1);
  sure.projections.fill(1000, 0, 8);
  const gallery = createGallery(scope);
  const wrongWhereSure = sure.code.slice();
  wrongWhereSure[0] = (wrongWhereSure[0] ?? 0) ^ 255;
  const wrongElsewhere = sure.code.slice();
  for (let i = 1; i < 5; i++) wrongElsewhere[i] = (wrongElsewhere[i] ?? 0) ^ 255;
  gallery.add('fewer-bits', { ...scope, code: wrongWhereSure });
  gallery.add('sure-bits', { ...scope, code: wrongElsewhere });
  const found = search(gallery, sure, { hammingTopK });
  expect(found.map(({ residentId }) => residentId)).toEqual(['sure-bits', 'fewer-bits']);
});

test.each([15, 16, 17, 64, 100])(
  'one resident with %i close templates does not hide the runner-up',
  (templates) => {
    const gallery = createGallery(scope);
    add(gallery, 'runner-up', 600);
    for (let i = 0; i < templates; i++) add(gallery, 'ann', 10 + i);
    for (let i = 0; i < 40; i++) add(gallery, `other-${i}`, 1900 + i);
    const found = search(gallery, probe(1), { hammingTopK });
    expect(found.slice(0, 2).map(({ residentId }) => residentId)).toEqual(['ann', 'runner-up']);
  },
);

test('the list is not widened where there is only one resident', () => {
  const gallery = createGallery(scope);
  for (let i = 0; i < 100; i++) add(gallery, 'ann', 10 + i);
  let scans = 0;
  const counting: typeof hammingTopK = (...all) => {
    scans++;
    return hammingTopK(...all);
  };
  expect(search(gallery, probe(1), { hammingTopK: counting })).toHaveLength(1);
  expect(scans).toBe(1);
});

test('a probe of another model or version is not compared', () => {
  const gallery = createGallery(scope);
  add(gallery, 'ann', 0);
  expect(() => search(gallery, { ...probe(1), version: 2 }, { hammingTopK })).toThrow(TypeError);
  expect(() => search(gallery, { ...probe(1), modelSha256: 'n' }, { hammingTopK })).toThrow(
    TypeError,
  );
});

test.each(kernelSets())(
  'the two best residents are those of a search without a shortlist ($name)',
  (kernels) => {
    const rows = fc.array(
      fc.record({
        id: fc.constantFrom('a', 'b', 'c', 'd'),
        bits: fc.integer({ min: 0, max: 4096 }),
      }),
      { minLength: 1, maxLength: 80 },
    );
    const same = (drawn: readonly { id: string; bits: number }[]) => {
      const gallery = createGallery(scope);
      for (const { id, bits } of drawn) add(gallery, id, bits);
      // The weights are all 1, so that the order by soft score is the order by distance.
      const even = probe(1);
      even.projections.fill(1);
      const nearest = new Map<string, number>();
      for (const { id, bits } of drawn) nearest.set(id, Math.min(nearest.get(id) ?? 4096, bits));
      const expected = [...nearest.values()].sort((a, b) => a - b).slice(0, 2);
      const found = search(gallery, even, kernels).slice(0, 2);
      expect(found.map(({ distanceBits }) => distanceBits)).toEqual(expected);
      for (const { residentId, distanceBits } of found) {
        expect(nearest.get(residentId)).toBe(distanceBits);
      }
    };
    fc.assert(fc.property(rows, same), { numRuns: 60 });
  },
);

/** A probe whose code is zeros, and weights that differ. */
function probe(seed: number): Probe {
  const projections = Int32Array.from({ length: 4096 }, (_, i) => ((i * 37 + seed) % 1000) - 500);
  return { ...scope, code: new Uint8Array(512), projections };
}

/** A code that differs from the probe's in `bits` bits. */
function codeAt(bits: number): Uint8Array {
  const code = new Uint8Array(512);
  for (let i = 0; i < bits; i++) code[i >> 3] = (code[i >> 3] ?? 0) | (1 << (i & 7));
  return code;
}

function add(gallery: Gallery, residentId: string, bits: number): void {
  gallery.add(residentId, { ...scope, code: codeAt(bits) });
}
