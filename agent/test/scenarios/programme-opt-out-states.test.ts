import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { searchMarkers, takeMarkers } from '../../io/files/marker-search.ts';
import { type FoundState, foundStates } from '../fakes/found-states.ts';
import { loopVolume, noLoopVolume } from '../fakes/loop-volume.ts';
import { hourMs, leftOn, minuteMs, type ProgrammeDevice } from '../fakes/programme-device.ts';
import { programmeDevice } from '../fakes/quick-device.ts';

/** With records, a batch that waits for its receipt, and things to remember. */
async function participant(options: Parameters<typeof programmeDevice>[0] = {}) {
  const device = programmeDevice({
    fate: (step) => (step === 'put' ? { doneBut: 'reset' } : 'fine'),
    ...options,
  });
  await device.start();
  await device.on();
  device.visit(20);
  await device.passUntil(2);
  device.visit(10);
  await device.passUntil(4);
  expect(readdirSync(device.layout.outbox)).toHaveLength(1);
  expect(existsSync(device.layout.memory)).toBe(true);
  return device;
}

function markersOf({ layout, programme }: ProgrammeDevice) {
  const { consent } = programme.consent.programme();
  const texts = { 'consent id': consent.state === 'granted' ? consent.consentId : 'none' };
  const { ueip, epochKey, recordsRoom } = layout;
  const taken = takeMarkers({ folder: ueip, secrets: [epochKey], noise: [recordsRoom], texts });
  // The cloud has to be told by it what it is to erase, so it stays until that has expired.
  return { all: taken.all.filter(({ name }) => name !== 'consent id') };
}

/** As it may be found at the start when somebody opts out. */
const found: Record<string, FoundState> = {
  ...foundStates,
  'a key that others may read': ({ epochKey }) => chmodSync(epochKey, 0o644),
  'a damaged memory': ({ memory }) => writeFileSync(memory, 'x'),
  'a damaged batch, and one that nobody knows': ({ outbox }) => {
    for (const name of readdirSync(outbox)) truncateSync(join(outbox, name), 9);
    writeFileSync(join(outbox, 'other.batch'), 'y');
    mkdirSync(join(outbox, 'folder'));
  },
  'a history that was changed': ({ ledger }) => writeFileSync(ledger, '{"at":1,"hash":"00'),
  'a folder where the history was': ({ ledger }) => {
    rmSync(ledger);
    mkdirSync(ledger);
  },
};

test.each(Object.entries(found))(
  'S0-26 S0-29 a device that starts with %s can be opted out: nothing is left, and it says so once that is so',
  async (_, damage) => {
    const before = await participant();
    const markers = markersOf(before);
    const ranMs = before.time.clock.monotonicMs();
    await before.stop();
    damage(before.layout);
    const device = programmeDevice({ dataDir: before.place.dataDir, ranMs });
    await device.start();
    expect((await device.off()).kind).toBe('erased');
    expect(leftOn(device)).toEqual([]);
    expect(searchMarkers(device.place.dataDir, markers).found).toEqual([]);
    const { consent, wipe } = device.programme.consent.programme();
    expect([consent.state, wipe]).toEqual(['withdrawn', 'none']);
    device.visit(3);
    await device.pass(3 * hourMs, 10 * minuteMs);
    expect(leftOn(device)).toEqual([]);
    await device.stop();
    await device.start();
    expect(device.programme.consent.programme().wipe).toBe('none');
  },
);

/** What may happen while it records. */
const atWork: Record<string, (device: ProgrammeDevice) => void> = {
  'is recording': (device) => {
    device.visit(3);
    device.programme.work();
    device.visit(2);
  },
  'is offline': (device) => {
    device.cloud.link = { kind: 'not-linked' };
  },
  'has lost its database': ({ layout }) => rmSync(layout.records),
  'has lost its key': ({ layout }) => rmSync(layout.epochKey),
  'has had its database damaged': ({ layout }) =>
    writeFileSync(layout.records, randomBytes(8192), { flag: 'r+' }),
  'has lost the folder of the programme': ({ layout }) => rmSync(layout.ueip, { recursive: true }),
  'does not know the time any more': ({ world }) => {
    world.isSynchronised = false;
    world.wallOffsetMs = -10 * 365 * 24 * hourMs;
  },
};

test.each(Object.entries(atWork))(
  'S0-26 S0-28 a device that %s is opted out without a restart',
  async (_, happens) => {
    const device = await participant();
    const markers = markersOf(device);
    happens(device);
    expect((await device.off()).kind).toBe('erased');
    expect(leftOn(device)).toEqual([]);
    expect(searchMarkers(device.place.dataDir, markers).found).toEqual([]);
    device.visit(3);
    await device.pass(3 * hourMs, 10 * minuteMs);
    expect(leftOn(device)).toEqual([]);
    Object.assign(device.world, { isSynchronised: true, wallOffsetMs: 0 });
    expect((await device.on()).kind).toBe('granted');
  },
);

describe.skipIf(noLoopVolume !== undefined)(
  `on a volume of its own (${noLoopVolume ?? 'ext4'})`,
  () => {
    test('S0-26 S0-29 an opt-out works with not a byte left on the volume', async () => {
      const volume = loopVolume(16 << 20);
      volume.mount();
      const device = await participant({ dataDir: join(volume.mountPoint, 'data') });
      const filler = join(volume.mountPoint, 'filler');
      for (const size of [1 << 20, 1 << 16, 1 << 12, 512, 1]) {
        try {
          for (;;) writeFileSync(filler, Buffer.alloc(size), { flag: 'a' });
        } catch (fault) {
          expect(String(fault)).toContain('ENOSPC');
        }
      }
      expect(() => writeFileSync(join(volume.mountPoint, 'one-more'), 'x')).toThrow(/ENOSPC/);
      const told = await device.off();
      expect(told.kind).toBe('erased');
      expect(leftOn(device)).toEqual([]);
      await device.stop();
      rmSync(filler);
      await device.start();
      expect(device.programme.consent.programme()).toMatchObject({
        consent: { state: 'withdrawn' },
        wipe: 'none',
      });
      await device.stop();
      volume.unmount();
    });

    test('S0-26 on a volume that can only be read an opt-out fails and says so; nothing is recorded, and it works once it can be written', async () => {
      const volume = loopVolume(16 << 20);
      volume.mount();
      const device = await participant({ dataDir: join(volume.mountPoint, 'data') });
      const { waiting } = (await device.commands.status()).records;
      await device.stop();
      volume.unmount();
      volume.mount('ro');
      await device.start();
      await expect(device.off()).rejects.toMatchObject({ code: 'STORE_READ_ONLY' });
      device.visit(5);
      await device.pass(2 * hourMs, 10 * minuteMs);
      expect(device.programme.consent.coverage().kind).toBe('not-covered');
      await device.stop();
      volume.unmount();
      volume.mount();
      await device.start();
      expect((await device.commands.status()).records.waiting).toBe(waiting);
      expect((await device.off()).kind).toBe('erased');
      expect(leftOn(device)).toEqual([]);
      await device.stop();
      volume.unmount();
    });
  },
);

test('nothing of what a device was told to forget is left in what a copy of its folder holds', async () => {
  const device = await participant();
  const key = readFileSync(device.layout.epochKey);
  await device.off();
  const files = readdirSync(device.place.dataDir, { recursive: true, encoding: 'utf8' });
  expect(files.some((name) => name.startsWith('ueip'))).toBe(false);
  for (const name of ['ledger.jsonl', 'consent/ueip.1', 'consent/ueip.2']) {
    expect(readFileSync(join(device.place.dataDir, name)).includes(key)).toBe(false);
  }
});
