import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ringConsumer } from '../io/programme/attempt-ring.ts';
import { eventually } from '../test/fakes/eventually.ts';
import { systemError, withFailingCalls } from '../test/fakes/failing-calls.ts';
import { dayMs, hourMs, leftOn, type ProgrammeDevice } from '../test/fakes/programme-device.ts';
import { afterPowerCut, programmeDevice } from '../test/fakes/quick-device.ts';

const whats = ({ programme }: ProgrammeDevice) =>
  programme.ledger.entries().map(({ what }) => what);

async function recording(options: Parameters<typeof programmeDevice>[0] = {}) {
  const device = programmeDevice(options);
  await device.start();
  await device.on();
  device.visit(4);
  await device.passUntil(14);
  return device;
}

test('S0-28 S0-29 an opt-out erases records, key, outbox and memory at once, in the process that records', async () => {
  const device = await recording();
  device.visit(3);
  device.programme.work();
  device.visit(2);
  const told = await device.off({ verify: true });
  expect(told).toMatchObject({ kind: 'erased', records: 4, search: { found: [] } });
  expect(told.search?.files).toBeGreaterThan(3);
  expect(leftOn(device)).toEqual([]);
  expect(ringConsumer(device.ring).take(10, () => {})).toBe(0);
  device.visit(5);
  await device.pass(dayMs);
  expect(leftOn(device)).toEqual([]);
  expect(whats(device)).toEqual(['granted', 'withdrawn', 'erased']);
  const { receipt } = await device.commands.verify({ receipt: told.receipt });
  expect(receipt).toMatchObject({ epoch: 1 });
});

test('S0-30 a new opt-in starts from zero, under another id and another key', async () => {
  const device = await recording();
  const idOf = () => {
    const { consent } = device.programme.consent.programme();
    return consent.state === 'granted' ? consent.consentId : '';
  };
  const before = { id: idOf(), key: readFileSync(device.layout.epochKey) };
  await device.off();
  await device.on();
  expect(idOf()).not.toBe(before.id);
  expect(readFileSync(device.layout.epochKey)).not.toEqual(before.key);
  expect((await device.commands.status()).records.waiting).toBe(0);
});

describe('S0-26 S0-30 while a night’s pass is under way', () => {
  test.each(['link', 'grant', 'put', 'done'] as const)(
    'waiting for the answer to “%s”: it is cut off, and nothing of it comes back',
    async (step) => {
      const device = await recording({
        fate: (each) => (each === step ? 'done-then-black-hole' : 'fine'),
      });
      await device.passUntil(1);
      while (!device.cloud.steps.includes(step)) await device.pass(10_000, 10_000);
      const begun = device.cloud.steps.length;
      const told = await device.off();
      expect(told.kind).toBe('erased');
      expect(told.steps[1]).toMatchObject({ step: 'request', result: 'done' });
      expect(leftOn(device)).toEqual([]);
      await device.pass(3 * dayMs, hourMs);
      expect(device.cloud.steps).toHaveLength(begun);
      expect(leftOn(device)).toEqual([]);
      expect(device.time.pendingMs).toEqual([]);
    },
  );

  test('S0-31 S0-32 what may have arrived is known until it has expired there, or is ordered to be erased', async () => {
    const device = await recording({
      fate: (each) => (each === 'put' ? 'done-then-black-hole' : 'fine'),
    });
    await device.passUntil(1);
    while (!device.cloud.steps.includes('put')) await device.pass(10_000, 10_000);
    const told = await device.off({ eraseCloud: true });
    expect(told).toMatchObject({ kind: 'erased', ordersPending: 1 });
    expect(told.sentGoneByMs).toBeLessThan(device.trueMs() + 31 * dayMs);
    expect(whats(device)).toContain('erasure-ordered');
    expect(device.cloud.objects.size).toBe(1);
    await device.pass(2 * dayMs);
    expect(device.cloud.objects.size).toBe(0);
    expect(device.programme.isNeeded()).toBe(false);
    expect(whats(device).at(-1)).toBe('erasure-confirmed');
    expect(leftOn(device)).toEqual([]);
  });
});

test('S0-31 without the order nothing is asked of the cloud', async () => {
  const device = await recording();
  await device.passUntil(3);
  expect(device.cloud.objects.size).toBe(1);
  const told = await device.off();
  expect(told).toMatchObject({ ordersPending: 0 });
  const asked = device.cloud.steps.length;
  await device.pass(3 * dayMs);
  expect(device.cloud.steps).toHaveLength(asked);
});

describe('orders that come together are carried out one after the other:', () => {
  test('off and on', async () => {
    const device = await recording();
    const [off, on] = await Promise.all([device.off(), device.on()]);
    expect([off.kind, on.kind]).toEqual(['erased', 'granted']);
    expect(device.programme.consent.coverage()).toMatchObject({ kind: 'covered', epoch: 2 });
    device.visit(2);
    await device.pass(2 * hourMs);
    expect((await device.commands.status()).records.waiting).toBe(2);
  });

  test('off and off', async () => {
    const device = await recording();
    const both = await Promise.all([device.off(), device.off()]);
    expect(both.map(({ kind, records }) => [kind, records])).toEqual([
      ['erased', 4],
      ['erased', 0],
    ]);
    expect(whats(device)).toEqual(['granted', 'withdrawn', 'erased', 'erased']);
  });
});

test('S0-26 a decision that the medium does not take: it fails and says so, and nothing is recorded or sent all the same', async () => {
  const device = await recording();
  await withFailingCalls(
    ({ name }) => (/^(write|fsync|ftruncate)/.test(name) ? systemError('EROFS') : undefined),
    async () => {
      await expect(device.off()).rejects.toMatchObject({ code: 'STORE_READ_ONLY' });
      device.visit(5);
      await device.pass(hourMs);
    },
  );
  const asked = device.cloud.steps.length;
  await device.pass(20 * hourMs);
  expect(device.cloud.steps).toHaveLength(asked);
  expect(ringConsumer(device.ring).take(10, () => {})).toBe(0);
  // It was asked for: as soon as the medium takes it, within a day, it is done.
  await device.pass(5 * hourMs);
  await eventually(() => whats(device).includes('erased'));
  expect(leftOn(device)).toEqual([]);
  expect(whats(device)).toEqual(['granted', 'withdrawn', 'erased']);
});

test('S0-26 what keeps the files from being searched does not keep them from being erased', async () => {
  const device = await recording();
  await device.stop();
  const { epochKey, memory } = device.layout;
  // Neither can be read as what it should be; one is a link that the search does not follow.
  rmSync(memory, { force: true });
  writeFileSync(memory, 'x');
  chmodSync(epochKey, 0o644);
  await device.start();
  await withFailingCalls(
    (() => {
      let reads = 0;
      return ({ name }) =>
        name === 'readdirSync' && ++reads === 1 ? systemError('EIO') : undefined;
    })(),
    async () =>
      expect(device.off({ verify: true })).rejects.toThrow(
        /^all is erased, but could not be searched/,
      ),
  );
  expect(leftOn(device)).toEqual([]);
  expect(device.programme.consent.programme().wipe).toBe('none');
});

test('S0-29 the id of the grant is found nowhere after an opt-out, unless the cloud has to be told by it', async () => {
  const device = await recording();
  const { consent } = device.programme.consent.programme();
  const id = consent.state === 'granted' ? consent.consentId : 'none';
  expect(readFileSync(device.layout.consent[0], 'utf8')).toContain(id);
  expect((await device.off({ verify: true })).search?.found).toEqual([]);
  expect(readFileSync(device.layout.consent[0], 'utf8')).not.toContain(id);
  await device.on();
  device.visit(2);
  await device.passUntil(3);
  expect(device.cloud.objects.size).toBe(1);
  expect((await device.off({ verify: true })).search?.found).toEqual([]);
});

test('S0-29 a power cut in the midst of it: the next start finishes it before anything else', async () => {
  const device = await recording();
  let copy: ProgrammeDevice | undefined;
  await withFailingCalls(
    ({ name }) => {
      // The decision is on the medium, the key about to go.
      if (name === 'unlinkSync' || name === 'rmSync') copy ??= afterPowerCut(device);
      return undefined;
    },
    () => device.off(),
  );
  if (!copy) throw new Error('nothing was removed');
  await copy.start();
  expect(leftOn(copy)).toEqual([]);
  expect(whats(copy)).toEqual(['granted', 'withdrawn', 'erased']);
  expect(copy.programme.isNeeded()).toBe(false);
});
