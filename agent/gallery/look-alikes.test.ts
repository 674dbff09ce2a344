import { expect, test } from 'vitest';
import { kernelSets } from '../io/process/native.ts';
import { faceOf, testDevice, testModel } from '../test/fakes/test-device.ts';
import { createGallery } from './gallery.ts';
import { closestResidents } from './look-alikes.ts';
import { hammingTopK } from './top-k.ts';

const protector = testDevice(1)(1);

function galleryOf(...people: readonly (readonly [id: string, mix: number])[]) {
  const gallery = createGallery(protector);
  for (const [id, mix] of people)
    gallery.add(id, protector.template(faceOf(id, testModel, mix, 'twin')));
  return gallery;
}

test.each(kernelSets())(
  'the two who are most alike are named, with the score to expect ($name)',
  (kernels) => {
    const gallery = galleryOf(['ann', 0], ['bob', 0.75], ['cem', 0], ['dan', 0.75], ['dan', 0.74]);
    const found = closestResidents(gallery, kernels);
    expect(found).toMatchObject({ kind: 'found', residentIds: ['bob', 'dan'] });
    const [bob, dan] = ['bob', 'dan'].map((id) => faceOf(id, testModel, 0.75, 'twin').values);
    const cosine = bob?.reduce((sum, value, i) => sum + value * (dan?.[i] ?? 0), 0) ?? 0;
    expect(found.kind === 'found' && Math.abs(found.score - cosine)).toBeLessThan(0.06);
  },
);

test("a resident's own templates are no look-alikes", () => {
  const kernels = { hammingTopK };
  expect(closestResidents(galleryOf(), kernels)).toEqual({ kind: 'none' });
  expect(closestResidents(galleryOf(['ann', 0], ['ann', 0.1]), kernels)).toEqual({ kind: 'none' });
});

test('a gallery that is too large for comparing all with all says so', () => {
  const gallery = createGallery(protector);
  const template = protector.template(faceOf('ann'));
  for (let i = 0; i <= 4000; i++) gallery.add(`r${i}`, template);
  expect(closestResidents(gallery, { hammingTopK })).toEqual({ kind: 'too-many', templates: 4001 });
});
