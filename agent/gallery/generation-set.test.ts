import { expect, test } from 'vitest';
import type { GalleryStore, Generation } from '../ports.ts';
import type { Protector } from '../template/protect.ts';
import { memoryGalleryStore } from '../test/fakes/memory-gallery-store.ts';
import { enrolAll, faceOf, rowOf, testDevice, testModel } from '../test/fakes/test-device.ts';
import { beginRenewal, withEnded } from './generation.ts';
import { openGenerationSet } from './generation-set.ts';

const scoreShifts = new Map([[testModel, 0]]);

/** An agent at work on this store; `device` holds the root key that is read, and may be exchanged. */
async function agent(store: GalleryStore, device = { keyByte: 1 }) {
  const read: string[] = [];
  const made: Protector[] = [];
  const openKeys = async (generations: readonly Generation[]) => {
    await Promise.resolve();
    if (device.keyByte === 0) throw new Error('no key');
    return generations.map((each) => {
      read.push(`${each.version}`);
      const protector = testDevice(device.keyByte)(each.version);
      made.push(protector);
      return protector;
    });
  };
  const set = await openGenerationSet({ store, modelSha256: testModel, scoreShifts, openKeys });
  const known = () =>
    set.current().map(({ protector, gallery, isRetiring }) => {
      return `${protector.version}${isRetiring ? ' retiring' : ''}: ${gallery.rows}`;
    });
  const settle = () => new Promise((resolve) => setTimeout(resolve, 5));
  return { set, known, read, made, settle, device };
}

test('on a new device there is nobody, and the key of the first version is ready for an enrolment', async () => {
  const store = memoryGalleryStore();
  const { known, set } = await agent(store);
  expect(known()).toEqual(['1: 0']);
  expect(store.generations()).toEqual([]);
  const [first] = set.open;
  if (!first) throw new Error('no generation');
  enrolAll(store, first.protector, ['ann']);
  expect(known()).toEqual(['1: 1']);
});

test('a renewal begun by another process: the old templates serve on, the new key is read, nobody waits', async () => {
  const store = memoryGalleryStore();
  enrolAll(store, testDevice(1)(1), ['ann', 'bob']);
  const { known, settle, read } = await agent(store);
  store.updateGenerations((all) => beginRenewal(all, testModel, 5, 30));
  expect(known()).toEqual(['1 retiring: 2']);
  await settle();
  expect(known()).toEqual(['1 retiring: 2', '2: 0']);
  expect(read).toEqual(['1', '2']);
});

test('templates of a version that another process ended are known no more, and its keys are wiped', async () => {
  const store = memoryGalleryStore();
  enrolAll(store, testDevice(1)(1), ['ann']);
  store.updateGenerations((all) => beginRenewal(all, testModel, 5, 30));
  const { known, made, set } = await agent(store);
  const galleries = set.open.map(({ gallery }) => gallery);
  store.updateGenerations((all) => withEnded(all, ({ retirement }) => retirement !== null, 6));
  expect(known()).toEqual(['2: 0']);
  expect(() => made[0]?.probe(faceOf('ann'))).toThrow(/wiped/);
  expect(galleries[0]?.rows).toBe(0);
});

test('after a revocation by another process a running agent knows nobody, and has no key left', async () => {
  const store = memoryGalleryStore();
  enrolAll(store, testDevice(1)(1), ['ann', 'bob']);
  const { known, made, settle, read } = await agent(store);
  store.eraseAll(9);
  expect(known()).toEqual([]);
  await settle();
  expect(known()).toEqual([]);
  expect(read).toEqual(['1']);
  expect(() => made[0]?.probe(faceOf('ann'))).toThrow(/wiped/);
});

test('residents enrolled under a new root key after a revocation are known without a restart', async () => {
  const store = memoryGalleryStore();
  enrolAll(store, testDevice(1)(1), ['ann']);
  const { known, settle, device } = await agent(store);
  store.eraseAll(9);
  device.keyByte = 2;
  enrolAll(store, testDevice(2)(2), ['cem']);
  known();
  await settle();
  expect(known()).toEqual(['2: 1']);
});

test('rows of which none opens make it read the key again, once', async () => {
  const store = memoryGalleryStore();
  const { known, settle, device, read } = await agent(store);
  device.keyByte = 2;
  enrolAll(store, testDevice(2)(1), ['ann']);
  expect(known()).toEqual(['1: 0']);
  await settle();
  expect(known()).toEqual(['1: 1']);
  enrolAll(store, testDevice(3)(1), ['bob']);
  for (let i = 0; i < 3; i++) {
    known();
    await settle();
  }
  expect(read).toEqual(['1', '1']);
  device.keyByte = 1;
  store.erase('ann');
  for (let i = 0; i < 5; i++) {
    known();
    await settle();
  }
  expect(read).toEqual(['1', '1', '1']);
});

test('a key that cannot be read keeps nobody out who is known, and is asked for again at the next change', async () => {
  const store = memoryGalleryStore();
  enrolAll(store, testDevice(1)(1), ['ann']);
  const { known, settle, device } = await agent(store);
  device.keyByte = 0;
  store.updateGenerations((all) => beginRenewal(all, testModel, 5, 30));
  known();
  await settle();
  expect(known()).toEqual(['1 retiring: 1']);
  device.keyByte = 1;
  await settle();
  expect(known()).toEqual(['1 retiring: 1']);
  enrolAll(store, testDevice(1)(1), ['bob']);
  known();
  await settle();
  expect(known()).toEqual(['1 retiring: 2', '2: 0']);
});

test('one more template of its own is added, all the others are not read again', async () => {
  const store = memoryGalleryStore();
  enrolAll(store, testDevice(1)(1), ['ann']);
  const { known, set } = await agent(store);
  known();
  const [gallery] = set.open.map((each) => each.gallery);
  const add = (createdAt: number) => {
    const protector = testDevice(1)(1);
    const row = rowOf(protector, 'ann', faceOf('ann'), createdAt);
    expect(store.addTemplate(row, { most: 9, apartMs: 1 })).toBe(true);
    set.added('ann', protector.template(faceOf('ann')));
  };
  add(5);
  expect(known()).toEqual(['1: 2']);
  expect(set.open[0]?.gallery).toBe(gallery);
  // Another process was faster: now everything is read.
  enrolAll(store, testDevice(1)(1), ['bob']);
  add(10);
  expect(known()).toEqual(['1: 4']);
  expect(set.open[0]?.gallery).not.toBe(gallery);
});

test('generations of a recogniser that is not here are left alone', async () => {
  const store = memoryGalleryStore();
  enrolAll(store, testDevice(1)(1, 'b'.repeat(64)), ['ann']);
  const { known } = await agent(store);
  expect(known()).toEqual(['1: 0']);
});

test('after a wipe no template and no key is left', async () => {
  const store = memoryGalleryStore();
  enrolAll(store, testDevice(1)(1), ['ann']);
  const { set, made } = await agent(store);
  const [first] = set.open;
  const { codes } = first?.gallery ?? { codes: new Uint8Array(1).fill(1) };
  set.wipe();
  expect(codes.every((byte) => byte === 0)).toBe(true);
  for (const protector of made) expect(() => protector.probe(faceOf('ann'))).toThrow(/wiped/);
});
