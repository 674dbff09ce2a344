import { expect, test } from 'vitest';
import { project } from '../template/projection.ts';
import { createProtector } from '../template/protect.ts';
import { memoryGalleryStore } from '../test/fakes/memory-gallery-store.ts';
import { decide } from './decision.ts';
import { loadGallery } from './gallery-loading.ts';
import { search } from './search.ts';
import { hammingTopK } from './top-k.ts';

const modelSha256 = '1'.repeat(64);

test('after a restart the residents are recognised from the sealed templates', () => {
  const store = enrolled(device(1), ['ann', 'bob', 'cem']);
  const protector = device(1);
  const { gallery, refusedRowIds, otherVersions } = loadGallery(store, protector);
  expect([gallery.residents, refusedRowIds, otherVersions]).toEqual([3, [], 0]);
  const candidates = search(gallery, protector.probe(face('bob')), { hammingTopK });
  expect(decide(candidates, { threshold: 0.5, margin: 0.1 })).toMatchObject({
    kind: 'match',
    residentId: 'bob',
    score: 1,
  });
});

test('S2-18 a store copied to another device recognises nobody: every row refuses', () => {
  const store = enrolled(device(1), ['ann', 'bob']);
  const { gallery, refusedRowIds } = loadGallery(store, device(2));
  expect(gallery.rows).toBe(0);
  expect(refusedRowIds).toEqual(['row-ann', 'row-bob']);
});

test('a damaged row is counted by name, the others are loaded', () => {
  const store = enrolled(device(1), ['ann', 'bob']);
  const [row] = store.templatesOf('ann');
  if (!row) throw new Error('no row');
  const damaged = { ...row, rowId: 'row-2' };
  store.enrol({ id: 'ann', label: null }, [damaged], 2);
  const { gallery, refusedRowIds } = loadGallery(store, device(1));
  expect([gallery.rows, gallery.rowsOf('ann')]).toEqual([2, 1]);
  expect(refusedRowIds).toEqual(['row-2']);
});

test('templates under another key version are counted, and compared with nobody', () => {
  const store = enrolled(device(1, 1), ['ann']);
  const { gallery, refusedRowIds, otherVersions } = loadGallery(store, device(1, 2));
  expect([gallery.rows, refusedRowIds, otherVersions]).toEqual([0, [], 1]);
});

function device(n: number, version = 1) {
  const rootKey = new Uint8Array(32).fill(n);
  return createProtector({ rootKey, modelSha256, version, dimensions: 32, kernels: { project } });
}

function enrolled(protector: ReturnType<typeof device>, ids: readonly string[]) {
  const store = memoryGalleryStore();
  for (const id of ids) {
    const row = { rowId: `row-${id}`, residentId: id, label: null, createdAt: 0 };
    const { code, version } = protector.template(face(id));
    const template = { ...row, modelSha256, version, sealed: protector.seal(code, row) };
    store.enrol({ id, label: null }, [template], 0);
  }
  return store;
}

function face(name: string) {
  const seed = [...name].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 7);
  const values = Float32Array.from({ length: 32 }, (_, i) => Math.sin(seed * (i + 1) * 12.9898));
  return { values, modelSha256 };
}
