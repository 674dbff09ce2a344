import { expect, test } from 'vitest';
import type { GalleryStore } from '../ports.ts';
import { memoryGalleryStore } from '../test/fakes/memory-gallery-store.ts';
import {
  enrolAll,
  faceOf,
  openedBy,
  rowOf,
  testDevice,
  testModel,
} from '../test/fakes/test-device.ts';
import { createGallery } from './gallery.ts';
import { loadGallery } from './gallery-loading.ts';
import { beginRenewal } from './generation.ts';
import { type OpenGeneration, probesFor, searchGenerations } from './open-generation.ts';
import { createTemplateRenewal } from './template-renewal.ts';
import { hammingTopK } from './top-k.ts';

const settings = { threshold: 0.5, margin: 0.05 };
const hourMs = 3_600_000;
const kernels = { hammingTopK };

/** Ann, Bob and Cem are enrolled, a renewal has begun. */
function door(store: GalleryStore = memoryGalleryStore()) {
  const device = testDevice(1);
  const [old, fresh] = [device(1), device(2)];
  enrolAll(store, old, ['ann', 'bob', 'cem']);
  store.updateGenerations((all) => beginRenewal(all, testModel, 0, 30));
  const open: OpenGeneration[] = [
    { protector: old, gallery: loadGallery(store, old).gallery, isRetiring: true, scoreShift: 0 },
    { protector: fresh, gallery: createGallery(fresh), isRetiring: false, scoreShift: 0 },
  ];
  const scheduled: (() => void)[] = [];
  const given: Uint8Array[] = [];
  let wallMs = 1_000_000_000;
  let rows = 0;
  const renewal = createTemplateRenewal({
    store,
    open: () => open,
    wallMs: () => wallMs,
    newRowId: () => `new-${rows++}`,
    later: (flush) => scheduled.push(flush),
    onStored: (residentId, template) => {
      given.push(template.code);
      open[1]?.gallery.add(residentId, template);
    },
    nameFault: String,
  });
  return {
    store,
    renewal,
    open,
    old,
    fresh,
    scheduled,
    given,
    sleep: (hours: number) => {
      wallMs += hours * hourMs;
    },
    match: (
      residentId: string,
      face = faceOf(residentId),
      runnerUpScore: number | undefined = 0.1,
    ) => renewal.offer({ residentId, runnerUpScore, ...settings }, [face]),
  };
}

const versionsOf = (store: GalleryStore, id: string) =>
  store.templatesOf(id).map(({ version }) => version);

test('a sure match becomes a template of the new version, beside the old one', () => {
  const { match, renewal, store, fresh } = door();
  match('ann');
  expect(versionsOf(store, 'ann')).toEqual([1]);
  renewal.flush();
  expect(versionsOf(store, 'ann')).toEqual([1, 2]);
  const gallery = openedBy(store, fresh);
  const [found] = searchGenerations(
    [{ protector: fresh, gallery, isRetiring: false, scoreShift: 0 }],
    [fresh.probe(faceOf('ann'))],
    kernels,
  );
  expect(found).toMatchObject({ residentId: 'ann', score: 1 });
});

test('the door does not wait for it: the store is written later, and once', () => {
  const { match, scheduled, store } = door();
  const before = store.revision();
  match('ann');
  match('ann');
  expect(store.revision()).toBe(before);
  for (const flush of scheduled) flush();
  expect(store.revision()).toBe(before + 1);
});

test('a match that opens the door is not sure enough for a new template', () => {
  const { match, renewal, store, old, open } = door();
  const face = faceOf('ann', testModel, 0.54, 'rain');
  const [found] = searchGenerations(open, [old.probe(face)], kernels);
  expect(found?.score).toBeGreaterThan(0.5);
  expect(found?.score).toBeLessThan(0.6);
  match('ann', face);
  renewal.flush();
  expect(versionsOf(store, 'ann')).toEqual([1]);
});

test('a double near by makes no new template: twice the margin is asked for', () => {
  const { match, renewal, store } = door();
  match('ann', faceOf('ann'), 0.91);
  renewal.flush();
  expect(versionsOf(store, 'ann')).toEqual([1]);
  match('ann', faceOf('ann'), 0.89);
  renewal.flush();
  expect(versionsOf(store, 'ann')).toEqual([1, 2]);
});

test('three new templates at most, and never two of one visit or one morning', () => {
  const { match, renewal, store, sleep } = door();
  for (const hours of [0, 1, 4, 2, 7, 30, 30]) {
    sleep(hours);
    match('ann');
    renewal.flush();
  }
  expect(versionsOf(store, 'ann')).toEqual([1, 2, 2, 2]);
  expect(renewal.counters()).toMatchObject({ stored: 3, declined: 2, failed: 0 });
});

test('a new template never vouches for another: small mistakes must not add up', () => {
  const { renewal, store, fresh, open } = door();
  // Of dan only a new template is there, nothing that is on its way out.
  store.enrol({ id: 'dan', label: null }, [rowOf(fresh, 'dan', faceOf('dan'))], 0);
  const { code, modelSha256, version } = fresh.template(faceOf('dan'));
  open[1]?.gallery.add('dan', { code, modelSha256, version });
  renewal.offer({ residentId: 'dan', runnerUpScore: 0, ...settings }, [faceOf('dan')]);
  renewal.flush();
  expect(versionsOf(store, 'dan')).toEqual([2]);
});

test('a resident erased in the meantime does not come back', () => {
  const { match, renewal, store } = door();
  match('ann');
  store.erase('ann');
  renewal.flush();
  expect(store.resident('ann')).toBeUndefined();
  expect(renewal.counters()).toMatchObject({ stored: 0, declined: 1 });
});

test('a version that has ended in the meantime gets no more templates', () => {
  const { match, renewal, store } = door();
  match('ann');
  store.updateGenerations((all) => all.map((each) => ({ ...each, retirement: null, endedAt: 5 })));
  renewal.flush();
  expect(store.templatesOf('ann')).toEqual([]);
});

test('a full disk is counted, not thrown, and the next match tries again', () => {
  const store = memoryGalleryStore();
  let isFull = true;
  const { addTemplate } = store;
  store.addTemplate = (...all) => {
    if (isFull) throw new Error('STORE_FULL');
    return addTemplate(...all);
  };
  const { match, renewal } = door(store);
  match('ann');
  expect(() => renewal.flush()).not.toThrow();
  expect(renewal.counters()).toEqual({
    stored: 0,
    declined: 0,
    failed: 1,
    lastFault: 'Error: STORE_FULL',
  });
  isFull = false;
  match('ann');
  renewal.flush();
  expect(versionsOf(store, 'ann')).toEqual([1, 2]);
});

test('keys that were wiped under its hands are counted, not thrown', () => {
  const { match, renewal, fresh } = door();
  fresh.wipe();
  expect(() => match('ann')).not.toThrow();
  expect(renewal.counters().failed).toBe(1);
});

test('no code is left in memory, stored or not', () => {
  const { match, renewal, given, sleep } = door();
  match('ann');
  renewal.flush();
  sleep(1);
  match('bob');
  renewal.flush();
  expect(given).toHaveLength(2);
  for (const code of given) expect(code.every((byte) => byte === 0)).toBe(true);
});

test('where nothing is on its way out a match changes nothing', () => {
  const { match, open, renewal, scheduled } = door();
  open.shift();
  match('ann');
  expect(scheduled).toEqual([]);
  expect(renewal.counters()).toMatchObject({ stored: 0, failed: 0 });
});

test('a change of model: the old recogniser vouches, the new one makes the template, of one frame', () => {
  const other = 'b'.repeat(64);
  const store = memoryGalleryStore();
  const device = testDevice(1);
  const [old, fresh] = [device(1), device(1, other)];
  enrolAll(store, old, ['ann', 'bob']);
  store.updateGenerations((all) => beginRenewal(all, other, 0, 30));
  const open: OpenGeneration[] = [
    { protector: fresh, gallery: createGallery(fresh), isRetiring: false, scoreShift: 0 },
    { protector: old, gallery: openedBy(store, old), isRetiring: true, scoreShift: -0.1 },
  ];
  const renewal = createTemplateRenewal({
    store,
    open: () => open,
    wallMs: () => 5,
    newRowId: () => 'new',
    later: () => {},
    onStored: () => {},
    nameFault: String,
  });
  const faces = [faceOf('ann', other), faceOf('ann')];
  const found = searchGenerations(open, probesFor(open, faces), kernels);
  expect(found[0]).toMatchObject({ residentId: 'ann', score: 0.9 });
  renewal.offer({ residentId: 'ann', runnerUpScore: found[1]?.score, ...settings }, faces);
  // Without the old recogniser's word there is nothing to go by.
  renewal.offer({ residentId: 'bob', runnerUpScore: 0, ...settings }, [faceOf('bob', other)]);
  renewal.flush();
  expect(store.templatesOf('ann').map(({ modelSha256 }) => modelSha256)).toEqual([
    testModel,
    other,
  ]);
  expect(store.templatesOf('bob')).toHaveLength(1);
  expect(openedBy(store, fresh).rowsOf('ann')).toBe(1);
});
