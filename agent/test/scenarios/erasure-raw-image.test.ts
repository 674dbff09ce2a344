import { closeSync, mkdirSync, openSync, readdirSync, rmSync, statSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import { type Markers, searchMarkers, takeMarkers } from '../../io/files/marker-search.ts';
import {
  type ConsentingDevice,
  consentId,
  consentingDevice,
  leftOf,
} from '../fakes/consenting-device.ts';
import { type LoopVolume, loopVolume, noLoopVolume } from '../fakes/loop-volume.ts';

/** Where a file system in a file cannot be mounted (it takes root and a loop device), these are left out. */
describe.skipIf(noLoopVolume)('the raw medium', () => {
  /** Full: at its cap, older ones have given way. */
  const records = { small: 40, full: 9000 };

  test.each(['small', 'full'] as const)(
    'S0-29 holds nothing of a %s store after an opt-out: no sealed record, no key, no id',
    async (size) => {
      const { volume, device } = mounted(64, 4 << 20);
      device.optIn();
      const markers = stocked(device, records[size]);
      // An open file system, too, has its content in the image once it is synced.
      volume.sync();
      expect(placesOf(volume, markers), 'the search finds what is there').toBeGreaterThan(
        size === 'full' ? 15 : 4,
      );
      expect(await device.optOut()).toMatchObject({ kind: 'erased', unproven: [] });
      expect(leftOf(device)).toEqual([]);
      volume.unmount();
      expect(searchMarkers(volume.imageFolder, markers).found).toEqual([]);
    },
    60_000,
  );

  test('would still hold all of it, had the files only been removed', () => {
    const { volume, device } = mounted(64);
    device.optIn();
    const markers = stocked(device, records.small);
    volume.sync();
    device.close();
    rmSync(device.layout.ueip, { recursive: true });
    rmSync(dirname(device.layout.consent[0] ?? ''), { recursive: true });
    volume.unmount();
    const { found } = searchMarkers(volume.imageFolder, markers);
    const kinds = new Set(found.map(({ marker }) => marker.split('/').at(-1)));
    expect([...kinds].map((kind) => kind?.replace('-wal', '')).toSorted()).toEqual(
      expect.arrayContaining(['consent id', 'epoch.key', 'records.db']),
    );
  });

  test.each([
    ['rows that are still in the log', 100],
    ['rows that have long been in the database', 5000],
  ])(
    'S0-29 holds no unsealed row either, of %s, with a reader in the middle of them',
    async (_, rows) => {
      const { volume, device } = mounted(64);
      const marker = Buffer.from('a row that shall not stay');
      const markers = { all: [{ name: 'row', bytes: marker }] };
      mkdirSync(device.layout.ueip, { recursive: true });
      const db = new Database(device.layout.records);
      db.pragma('journal_mode = WAL');
      db.exec('CREATE TABLE record (line BLOB)');
      const insert = db.prepare('INSERT INTO record VALUES (?)');
      const row = Buffer.concat([marker, Buffer.alloc(2000, 1)]);
      for (let n = 0; n < rows; n += 100) {
        db.transaction(() => {
          for (let each = 0; each < 100; each++) insert.run(row);
        })();
      }
      const reader = new Database(device.layout.records);
      const reading = reader.prepare('SELECT line FROM record').iterate();
      reading.next();
      expect(searchMarkers(device.layout.ueip, markers).found).not.toEqual([]);
      expect(statSync(`${device.layout.records}-wal`).size).toBeGreaterThan(100_000);
      expect(await device.optOut()).toMatchObject({ kind: 'erased' });
      expect(leftOf(device)).toEqual([]);
      // The last to close a database would write what is in its log into it.
      reading.return?.();
      for (const each of [reader, db]) each.close();
      volume.unmount();
      expect(searchMarkers(volume.imageFolder, markers).found).toEqual([]);
    },
    60_000,
  );

  test('S0-26 without a byte of room, an opt-out erases all the same', async () => {
    const { volume, device } = mounted(24);
    device.optIn();
    const markers = stocked(device, 200);
    fill(join(volume.mountPoint, 'filler'));
    const outcome = await device.optOut();
    expect(outcome).toMatchObject({ kind: 'erased' });
    if (outcome.kind === 'erased') {
      const files = outcome.receipt.steps.find(({ step }) => step === 'files');
      expect(files).toMatchObject({ result: 'done', tries: 1 });
      expect(files?.code).toBeUndefined();
    }
    expect(device.programme()).toMatchObject({ consent: { state: 'withdrawn' }, wipe: 'none' });
    volume.unmount();
    expect(searchMarkers(volume.imageFolder, markers).found).toEqual([]);
  });

  test('S0-26 on a file system that has become read-only, an opt-out says that it failed', async () => {
    const { volume, device } = mounted(24);
    device.optIn();
    device.record(20);
    device.close();
    volume.unmount();
    volume.mount('ro');
    expect(await device.optOut()).toMatchObject({
      kind: 'not-decided',
      error: { code: 'STORE_READ_ONLY' },
    });
    expect(device.memory).toEqual({ recording: false, aborted: true });
    expect(leftOf(device).length).toBeGreaterThan(2);
    volume.unmount();
    volume.mount();
    expect((await device.optOut()).kind).toBe('erased');
    expect(leftOf(device)).toEqual([]);
  });

  test('of a volume that is given to the records alone is made anew by the command of the device maker', async () => {
    const { volume, device: plain } = mounted(24);
    const { ueip } = plain.layout;
    const own = loopVolume(8 << 20, ueip);
    own.mount();
    const maker = `umount ${ueip} && mkfs.ext4 -q -F ${own.image} && mount -o loop ${own.image} ${ueip}`;
    const device = consentingDevice(volume.mountPoint, { volumeErase: ['sh', '-c', maker] });
    // Without a consent beside it, nobody knows what the volume holds.
    await device.recover();
    device.optIn();
    const markers = stocked(device, 20);
    const outcome = await device.optOut();
    expect(outcome).toMatchObject({ kind: 'erased' });
    if (outcome.kind !== 'erased') return;
    expect(outcome.receipt.steps.at(-1)).toMatchObject({ step: 'volume', result: 'done' });
    expect(readdirSync(ueip)).toEqual(['lost+found']);
    own.unmount();
    for (const each of [own, volume]) {
      expect(searchMarkers(each.imageFolder, markers).found).toEqual([]);
    }
  });
});

function mounted(sizeMiB: number, maxBytes = 32 << 20) {
  const volume = loopVolume(sizeMiB << 20);
  volume.mount();
  return { volume, device: consentingDevice(volume.mountPoint, { maxBytes }) };
}

/** Records, a batch that waits, and what to look for afterwards. The store stays open, as at a door. */
function stocked(device: ConsentingDevice, records: number): Markers {
  for (let done = 0; done < records; done += 1000) device.record(Math.min(1000, records - done));
  const { ueip, epochKey, recordsRoom } = device.layout;
  return takeMarkers({
    folder: ueip,
    secrets: [epochKey],
    noise: [recordsRoom],
    texts: { 'consent id': consentId },
  });
}

function placesOf({ imageFolder }: LoopVolume, markers: Markers): number {
  return searchMarkers(imageFolder, markers).found.reduce((sum, { count }) => sum + count, 0);
}

function fill(file: string): void {
  const fd = openSync(file, 'w');
  try {
    for (let size = 1 << 20; size >= 512; size /= 2) {
      try {
        for (;;) writeSync(fd, Buffer.alloc(size, 1));
      } catch {
        // No room for so much; perhaps for half of it.
      }
    }
  } finally {
    closeSync(fd);
  }
}
