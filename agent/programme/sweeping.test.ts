import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { layoutOf } from '../io/process/environment.ts';
import { dayMs, hourMs, minuteMs, type ProgrammeDevice } from '../test/fakes/programme-device.ts';
import { programmeDevice } from '../test/fakes/quick-device.ts';

const waiting = async ({ commands }: ProgrammeDevice) => (await commands.status()).records.waiting;

async function recording(options: Parameters<typeof programmeDevice>[0] = {}) {
  const device = programmeDevice(options);
  await device.start();
  await device.on();
  device.visit(4);
  await device.passUntil(14);
  return device;
}

describe('S0-13 a record that is never sent', () => {
  test('is gone within the hour in which its month ends, by itself', async () => {
    const device = await recording({ world: { hasCloud: false } });
    await device.pass(27 * dayMs, hourMs);
    expect(await waiting(device)).toBe(4);
    await device.pass(4 * dayMs, hourMs);
    expect(await waiting(device)).toBe(0);
  });

  test.each([-10, 10])(
    'is gone after a month though the clock has jumped by %d years',
    async (years) => {
      const device = await recording({ world: { hasCloud: false } });
      device.world.wallOffsetMs = years * 365 * dayMs;
      device.world.isSynchronised = false;
      await device.pass(31 * dayMs, hourMs);
      expect(await waiting(device)).toBe(0);
    },
  );

  test('goes at once when the clock is believed for the first time after forty days without power', async () => {
    const device = await recording({ world: { hasCloud: false } });
    await device.stop();
    device.time.advance(40 * dayMs);
    device.world.isSynchronised = false;
    await device.start();
    await device.pass(2 * minuteMs, 1_000);
    expect(await waiting(device)).toBe(4);
    device.world.isSynchronised = true;
    await device.pass(1_000);
    expect(await waiting(device)).toBe(0);
  });
});

describe('a batch that waits for its receipt', () => {
  /** Every answer of the store is lost. */
  const lost = () =>
    recording({ fate: (step) => (step === 'put' ? { doneBut: 'reset' } : 'fine') });
  const outboxOf = ({ layout }: ProgrammeDevice) => readdirSync(layout.outbox);

  test('S0-13 goes when no bucket may keep it for even a day, with the records that may lie there', async () => {
    const device = await lost();
    device.cloud.knowsBatches = false;
    await device.passUntil(2);
    expect(outboxOf(device)).toHaveLength(1);
    // No link from now on: only the sweep is left to do it.
    device.cloud.link = { kind: 'not-linked' };
    await device.pass(20 * dayMs, hourMs);
    expect(outboxOf(device)).toHaveLength(1);
    expect(await waiting(device)).toBe(4);
    let days = 20;
    for (; outboxOf(device).length > 0; days++) await device.pass(dayMs, hourMs);
    expect(days).toBeLessThanOrEqual(30);
    expect(await waiting(device)).toBe(0);
  });

  test('goes also while nobody believes the clock', async () => {
    const device = await lost();
    await device.passUntil(2);
    device.world.isSynchronised = false;
    device.world.wallOffsetMs = -9 * 365 * dayMs;
    await device.pass(31 * dayMs, hourMs);
    expect(outboxOf(device)).toEqual([]);
  });

  test('stays while it can still be sent', async () => {
    const device = await lost();
    await device.passUntil(2);
    await device.pass(5 * dayMs, hourMs);
    expect(outboxOf(device)).toHaveLength(1);
  });
});

test('what cannot be swept holds up nothing else: the list of what was sent ends, though the database cannot be opened', async () => {
  const device = await recording();
  await device.passUntil(2);
  await device.stop();
  expect(device.cloud.objects.size).toBe(1);
  const { records } = layoutOf(device.place.dataDir);
  for (const suffix of ['', '-wal', '-shm']) rmSync(records + suffix, { force: true });
  mkdirSync(records);
  writeFileSync(join(records, 'in-the-way'), '');
  await device.start();
  expect(device.programme.consent.programme().sent).toHaveLength(1);
  await device.pass(32 * dayMs, 6 * hourMs);
  expect(device.programme.consent.programme().sent).toEqual([]);
});

test('receipts and the history end with their time', async () => {
  const device = await recording({ world: { hasCloud: false } });
  await device.off();
  expect(readdirSync(device.layout.receipts)).toHaveLength(1);
  await device.pass(1_097 * dayMs, dayMs);
  expect(readdirSync(device.layout.receipts)).toEqual([]);
  expect(device.programme.ledger.entries().map(({ what }) => what)).toEqual(['expired']);
});
