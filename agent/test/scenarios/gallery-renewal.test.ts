import { existsSync, readFileSync, rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openGalleryStore } from '../../io/store/gallery-store.ts';
import { galleryStatus, renewGallery, revokeGallery } from '../../renewal.ts';
import { sealed } from '../contracts/sealed-row.ts';
import { type StockedDevice, stockedDevice } from '../fakes/stocked-device.ts';
import { faceOf, rowOf, statesOf } from '../fakes/test-device.ts';

const dayMs = 86_400_000;
const start = Date.UTC(2026, 5, 1);
const begin = { graceDays: 30, now: false, mayLeave: false };
const end = { ...begin, now: true };

/** What the door does at a sure match. */
function retemplate(device: StockedDevice, id: string, version = 2): void {
  const row = rowOf(device.protector(version), id, faceOf(id, device.modelSha256), start);
  device.withStore((store) => expect(store.addTemplate(row, { most: 3, apartMs: 1 })).toBe(true));
}

const states = (device: StockedDevice) =>
  device.withStore((store) => statesOf(store.generations()));

test('a renewal begins, goes on beside the old templates, and ends when it is told to', () => {
  const device = stockedDevice(1);
  device.enrol(['ann', 'bob']);
  expect(renewGallery(device.place, begin, start)).toMatchObject({
    kind: 'begun',
    version: 2,
    left: ['ann', 'bob'],
    graceEndsAt: start + 30 * dayMs,
  });
  for (const id of ['ann', 'bob']) retemplate(device, id);
  expect(device.recognise('ann')).toEqual(['ann']);
  expect(renewGallery(device.place, end, start + 1)).toMatchObject({
    kind: 'ended',
    version: 2,
    renewed: ['ann', 'bob'],
    needEnrolment: [],
    graceEndsAt: null,
    overwritten: true,
  });
  expect(states(device)).toBe('1 ended, 2 stays');
  expect(['ann', 'bob'].map(device.recognise)).toEqual([['ann'], ['bob']]);
});

test('it does not end while somebody would be left without a template, unless that is said', () => {
  const device = stockedDevice(1);
  device.enrol(['ann', 'bob', 'cem']);
  renewGallery(device.place, begin, start);
  retemplate(device, 'bob');
  expect(() => renewGallery(device.place, end, start + 1)).toThrow(
    expect.objectContaining({
      code: 'CONFIRMATION_NEEDED',
      message: '2 of 3 residents would be left without a template and must be enrolled again',
    }),
  );
  expect(states(device)).toBe('1 retiring, 2 stays');
  const ended = renewGallery(device.place, { ...end, mayLeave: true }, start + 1);
  expect(ended).toMatchObject({ renewed: ['bob'], left: [], needEnrolment: ['ann', 'cem'] });
});

test('where none is under way, to end it at once means all there is: asked for twice', () => {
  const device = stockedDevice(1);
  device.enrol(['ann']);
  expect(() => renewGallery(device.place, end, start)).toThrow(/1 of 1 residents/);
  expect(states(device)).toBe('1 stays');
  renewGallery(device.place, { ...end, mayLeave: true }, start);
  expect(states(device)).toBe('1 ended, 2 stays');
});

test('a second renewal is refused while the first is under way', () => {
  const device = stockedDevice(1);
  device.enrol(['ann']);
  renewGallery(device.place, begin, start);
  expect(() => renewGallery(device.place, begin, start + 1)).toThrow(
    expect.objectContaining({ code: 'RENEWAL_REFUSED' }),
  );
});

test('the status names the versions, who is left, and the rows that do not open', async () => {
  const device = stockedDevice(1);
  device.enrol(['ann', 'bob', 'cem']);
  const { modelSha256 } = device;
  device.withStore((store) => {
    store.enrol({ id: 'cem', label: null }, [sealed('cem', 9, { modelSha256 })], 1);
    store.enrol({ id: 'dan', label: null }, [], 1);
  });
  renewGallery(device.place, begin, start);
  retemplate(device, 'bob');
  const status = await galleryStatus(device.place);
  expect(status).toMatchObject({
    residents: 4,
    renewed: ['bob'],
    left: ['ann', 'cem'],
    needEnrolment: ['dan'],
    generations: [
      {
        version: 1,
        state: 'retiring',
        from: 'this device',
        templates: 4,
        residents: 3,
        refusedRowIds: ['row-9'],
        graceEndsAt: start + 30 * dayMs,
        daysSeen: 0,
        graceDays: 30,
      },
      { version: 2, state: 'current', templates: 1, residents: 1, refusedRowIds: [] },
    ],
    lookAlikes: { kind: 'found', isWarning: false },
  });
});

test('residents who look alike are named, with a warning from near the threshold on', async () => {
  const device = stockedDevice(1);
  device.enrol(['ann', 'bob']);
  const twin = faceOf('ann', device.modelSha256, 0.5, 'bob');
  device.withStore((store) =>
    store.enrol({ id: 'eva', label: null }, [rowOf(device.protector(), 'eva', twin)], 1),
  );
  const { lookAlikes } = await galleryStatus(device.place);
  expect(lookAlikes).toMatchObject({ kind: 'found', isWarning: true });
  expect(lookAlikes.kind === 'found' && [...lookAlikes.residentIds].sort()).toContain('eva');
});

test('the status of a new device is empty, and makes no key', async () => {
  const device = stockedDevice();
  expect(await galleryStatus(device.place)).toMatchObject({
    residents: 0,
    generations: [],
    lookAlikes: { kind: 'none' },
  });
  expect(existsSync(device.keyFile)).toBe(false);
});

test('a revocation destroys the key and everything stored under it, and a running store sees it', () => {
  const device = stockedDevice(1);
  device.enrol(['resident-to-look-for', 'bob']);
  const running = openGalleryStore({ file: device.galleryFile });
  const before = running.revision();
  expect(revokeGallery(device.place, start)).toMatchObject({ key: 'destroyed', residents: 2 });
  expect(running.revision()).not.toBe(before);
  expect(running.residents()).toEqual([]);
  running.close();
  expect(existsSync(device.keyFile)).toBe(false);
  expect(readFileSync(device.galleryFile).includes('resident-to-look-for')).toBe(false);
  expect(states(device)).toBe('1 ended');
});

test('a revocation that died after the key is finished by asking again', () => {
  const device = stockedDevice(1);
  device.enrol(['ann']);
  rmSync(device.keyFile);
  expect(revokeGallery(device.place, start)).toEqual({
    key: 'absent',
    residents: 1,
    overwritten: true,
  });
  expect(device.withStore((store) => store.residents())).toEqual([]);
});

test('a key from a command cannot be destroyed here: the rest is, and that is said', () => {
  const device = stockedDevice(1);
  device.enrol(['ann']);
  const config = { ...device.place.config, 'key.command': ['print-the-key'] };
  const result = revokeGallery({ ...device.place, config }, start);
  expect(result).toMatchObject({ key: 'elsewhere', residents: 1 });
  expect(existsSync(device.keyFile)).toBe(true);
  expect(states(device)).toBe('1 ended');
});
