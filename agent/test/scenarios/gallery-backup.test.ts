import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { backUpGallery, restoreGallery } from '../../backup.ts';
import { beginRenewal, isLive, withEnded } from '../../gallery/generation.ts';
import { encodeBackup } from '../../io/store/backup-content.ts';
import { readBackup } from '../../io/store/backup-file.ts';
import { eraseResident } from '../../operations.ts';
import { revokeGallery } from '../../renewal.ts';
import { deriveKey } from '../../template/keys.ts';
import { sealed } from '../contracts/sealed-row.ts';
import { type StockedDevice, stockedDevice } from '../fakes/stocked-device.ts';
import { temporaryFolder } from '../fakes/temporary-folder.ts';
import { faceOf, rowOf, statesOf } from '../fakes/test-device.ts';

const passphrase = Buffer.from('correct horse battery');

async function backedUp(device: StockedDevice): Promise<string> {
  const file = join(temporaryFolder(), 'gallery.backup');
  await backUpGallery(device.place, file, passphrase, 1000);
  return file;
}

const restoredTo = (device: StockedDevice, file: string) =>
  restoreGallery(device.place, file, passphrase, 5000);
const idsOf = (device: StockedDevice) =>
  device.withStore((store) => store.residents().map(({ id }) => id));

test('S2-20 a replacement device recognises who is in the backup, under a key that it keeps sealed', async () => {
  const old = stockedDevice(1);
  old.enrol(['ann', 'bob']);
  old.withStore((store) =>
    store.enrol(
      { id: 'cem', label: 'Cem, 3rd floor' },
      [{ ...rowOf(old.protector(), 'cem', faceOf('cem', old.modelSha256), 77), label: 'glasses' }],
      76,
    ),
  );
  const file = await backedUp(old);
  const next = stockedDevice(2);
  expect(await restoredTo(next, file)).toEqual({
    createdAt: 1000,
    residents: 3,
    templates: 3,
    alreadyHere: [],
    erased: 0,
    foreignTemplates: 3,
    unknownModels: [],
  });
  expect(next.recognise('ann')).toEqual(['ann']);
  expect(next.recognise('bob')).toEqual(['bob']);
  expect(next.recognise('dan')).toEqual([]);
  next.withStore((store) => {
    expect(store.resident('cem')).toEqual({ id: 'cem', label: 'Cem, 3rd floor', enrolledAt: 76 });
    expect(store.templatesOf('cem')).toMatchObject([{ label: 'glasses', createdAt: 77 }]);
    const [generation] = store.generations();
    expect(generation?.retirement).toMatchObject({ since: 5000, graceDays: null });
    const matchKey = deriveKey(new Uint8Array(32).fill(1), 'match', {
      modelSha256: old.modelSha256,
      version: 1,
    });
    expect(Buffer.from(generation?.wrappedKey ?? []).includes(Buffer.from(matchKey))).toBe(false);
  });
});

test('S2-20 a device that has no key yet makes one for what it restores', async () => {
  const old = stockedDevice(1);
  old.enrol(['ann']);
  const next = stockedDevice();
  await restoredTo(next, await backedUp(old));
  expect(readFileSync(next.keyFile)).toHaveLength(32);
  expect(readFileSync(next.keyFile)).not.toEqual(readFileSync(old.keyFile));
  expect(idsOf(next)).toEqual(['ann']);
});

test('the root key is not in a backup, not even for whoever has the passphrase', async () => {
  const device = stockedDevice(1);
  device.enrol(['ann']);
  const { content } = await readBackup(await backedUp(device), passphrase);
  const all = Buffer.from(encodeBackup(content));
  const scope = { modelSha256: device.modelSha256, version: 1 };
  const rootKey = readFileSync(device.keyFile);
  expect(all.includes(rootKey)).toBe(false);
  for (const purpose of ['seal', 'wrap'] as const) {
    expect(all.includes(Buffer.from(deriveKey(rootKey, purpose, scope)))).toBe(false);
  }
  // Found where it should be: the search finds what it looks for.
  expect(all.includes(Buffer.from(deriveKey(rootKey, 'match', scope)))).toBe(true);
});

test('the device itself, its gallery lost, takes its templates back under their own version', async () => {
  const device = stockedDevice(1);
  device.enrol(['ann', 'bob']);
  const file = await backedUp(device);
  for (const suffix of ['', '-wal', '-shm']) rmSync(device.galleryFile + suffix, { force: true });
  expect(await restoredTo(device, file)).toMatchObject({ residents: 2, foreignTemplates: 0 });
  device.withStore((store) => {
    expect(statesOf(store.generations())).toBe('1 stays');
    expect(store.generations()[0]?.wrappedKey).toBeNull();
  });
  expect(device.recognise('ann')).toEqual(['ann']);
});

test('templates of a version that has ended here come back as guests, not under the ended version', async () => {
  const device = stockedDevice(1);
  device.enrol(['ann']);
  const file = await backedUp(device);
  device.withStore((store) => {
    store.updateGenerations((all) => beginRenewal(all, device.modelSha256, 1, 30));
    store.updateGenerations((all) => withEnded(all, ({ retirement }) => retirement !== null, 2));
    store.erase('ann');
  });
  expect(await restoredTo(device, file)).toMatchObject({ residents: 1, foreignTemplates: 1 });
  expect(device.withStore((store) => statesOf(store.generations()))).toBe(
    '1 ended, 2 stays, 3 retiring',
  );
  expect(device.recognise('ann')).toEqual(['ann']);
});

test('a backup made during a renewal brings both versions, each for itself', async () => {
  const old = stockedDevice(1);
  old.enrol(['ann', 'bob']);
  old.withStore((store) =>
    store.updateGenerations((all) => beginRenewal(all, old.modelSha256, 1, 30)),
  );
  old.withStore((store) => {
    const row = rowOf(old.protector(2), 'ann', faceOf('ann', old.modelSha256), 9);
    store.addTemplate(row, { most: 3, apartMs: 1 });
  });
  const file = await backedUp(old);
  const next = stockedDevice(2);
  next.enrol(['cem']);
  expect(await restoredTo(next, file)).toMatchObject({ templates: 3, foreignTemplates: 3 });
  const names = ['ann', 'bob', 'cem'].map((name) => next.recognise(name));
  expect(names).toEqual([['ann'], ['bob'], ['cem']]);
  const keys = next.withStore((store) => store.generations().map(({ wrappedKey }) => !!wrappedKey));
  expect(keys).toEqual([false, true, true]);
  for (const suffix of ['', '-wal', '-shm']) rmSync(old.galleryFile + suffix, { force: true });
  await restoredTo(old, file);
  expect(old.withStore((store) => statesOf(store.generations()))).toBe('1 retiring, 2 stays');
});

test('a backup of guests can be restored again, on the device and elsewhere', async () => {
  const first = stockedDevice(1);
  first.enrol(['ann']);
  const second = stockedDevice(2);
  await restoredTo(second, await backedUp(first));
  const file = await backedUp(second);
  second.withStore((store) => store.erase('ann'));
  expect(await restoredTo(second, file)).toMatchObject({ residents: 1 });
  expect(second.withStore((store) => store.generations())).toHaveLength(1);
  expect(second.recognise('ann')).toEqual(['ann']);
  const third = stockedDevice(3);
  await restoredTo(third, file);
  expect(third.recognise('ann')).toEqual(['ann']);
});

test('S4-38 an old backup does not bring back who was erased since, however often it is restored', async () => {
  const device = stockedDevice(1);
  device.enrol(['ann', 'bob']);
  const file = await backedUp(device);
  expect(await eraseResident(device.place, 'ann', 2000)).toEqual({
    overwritten: true,
    noTombstone: null,
  });
  for (let i = 0; i < 2; i++) {
    expect(await restoredTo(device, file)).toMatchObject({
      residents: 0,
      alreadyHere: ['bob'],
      erased: 1,
    });
    expect(idsOf(device)).toEqual(['bob']);
    expect(device.recognise('ann')).toEqual([]);
  }
  const later = await readBackup(await backedUp(device), passphrase);
  expect(later.content.residents.map(({ id }) => id)).toEqual(['bob']);
});

test('S4-38 the tombstone says nothing to others: not the id, nor anything it could be found by', async () => {
  const device = stockedDevice(1);
  device.enrol(['resident-to-look-for', 'bob']);
  await eraseResident(device.place, 'resident-to-look-for', 2000);
  const bytes = readFileSync(device.galleryFile);
  expect(bytes.includes('resident-to-look-for')).toBe(false);
  const [tomb] = device.withStore((store) => store.tombstones());
  expect(tomb?.digest).toHaveLength(32);
  const elsewhere = stockedDevice(2);
  elsewhere.enrol(['resident-to-look-for']);
  await eraseResident(elsewhere.place, 'resident-to-look-for', 2000);
  expect(elsewhere.withStore((store) => store.tombstones())[0]?.digest).not.toEqual(tomb?.digest);
});

test('somebody erased who was enrolled again stays as enrolled again', async () => {
  const device = stockedDevice(1);
  device.enrol(['ann']);
  const file = await backedUp(device);
  await eraseResident(device.place, 'ann', 2000);
  device.enrol(['ann']);
  const own = device.withStore((store) => store.templatesOf('ann').map(({ rowId }) => rowId));
  expect(await restoredTo(device, file)).toMatchObject({ alreadyHere: ['ann'], residents: 0 });
  const now = device.withStore((store) => store.templatesOf('ann').map(({ rowId }) => rowId));
  expect(now).toEqual(own);
});

test('the right to be erased does not wait for a key that is gone: it is done, and what is missing is said', async () => {
  const device = stockedDevice(1);
  device.enrol(['ann', 'bob']);
  rmSync(device.keyFile);
  const { noTombstone } = await eraseResident(device.place, 'ann', 2000);
  expect(noTombstone).toContain('is missing');
  expect(idsOf(device)).toEqual(['bob']);
  await expect(eraseResident(device.place, 'ann', 2000)).rejects.toMatchObject({
    code: 'SUBJECT_UNKNOWN',
  });
});

test('with another passphrase nothing is written, not even a folder', async () => {
  const old = stockedDevice(1);
  old.enrol(['ann']);
  const file = await backedUp(old);
  const next = stockedDevice();
  const wrong = restoreGallery(next.place, file, Buffer.from('correct house battery'), 5000);
  await expect(wrong).rejects.toMatchObject({ code: 'BACKUP_INVALID' });
  expect(existsSync(next.place.dataDir)).toBe(false);
});

test('a row that does not open here is counted and not carried; the others are', async () => {
  const device = stockedDevice(1);
  device.enrol(['ann']);
  const { modelSha256 } = device;
  device.withStore((store) =>
    store.enrol({ id: 'bob', label: null }, [sealed('bob', 9, { modelSha256 })], 1),
  );
  const file = join(temporaryFolder(), 'b');
  const result = await backUpGallery(device.place, file, passphrase, 1000);
  expect(result).toEqual({ residents: 2, templates: 1, refused: 1 });
});

test('a backup of nobody is one, and makes no key', async () => {
  const device = stockedDevice();
  const file = join(temporaryFolder(), 'b');
  const result = await backUpGallery(device.place, file, passphrase, 1000);
  expect(result).toEqual({ residents: 0, templates: 0, refused: 0 });
  expect(existsSync(device.keyFile)).toBe(false);
  expect(await restoredTo(stockedDevice(2), file)).toMatchObject({ residents: 0 });
});

test('where the key is missing nothing is backed up, and no file is left', async () => {
  const device = stockedDevice(1);
  device.enrol(['ann']);
  rmSync(device.keyFile);
  const folder = temporaryFolder();
  const refused = backUpGallery(device.place, join(folder, 'b'), passphrase, 1000);
  await expect(refused).rejects.toMatchObject({ code: 'KEY_INVALID' });
  expect(readdirSync(folder)).toEqual([]);
});

test('after a revocation a backup from before still serves whoever has its passphrase: that is said', async () => {
  const device = stockedDevice(1);
  device.enrol(['ann']);
  const file = await backedUp(device);
  revokeGallery(device.place, 3000);
  await restoredTo(device, file);
  expect(device.withStore((store) => store.generations().filter(isLive))).toMatchObject([
    { version: 2, endedAt: null },
  ]);
  expect(idsOf(device)).toEqual(['ann']);
});
