import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Config } from '../config.ts';
import { bundledPolicies } from '../io/programme/policies.ts';
import { systemError, withFailingCalls } from '../test/fakes/failing-calls.ts';
import {
  dayMs,
  hourMs,
  leftOn,
  type ProgrammeDevice,
  resident,
  type World,
} from '../test/fakes/programme-device.ts';
import { afterPowerCut, programmeDevice } from '../test/fakes/quick-device.ts';

const order = { acceptPolicy: '2026-11', by: resident, allowVolatile: true };
const whats = ({ programme }: ProgrammeDevice) =>
  programme.ledger.entries().map(({ what }) => what);

test('S0-1 an opt-in is dated, names who gave it, how, and to which notice; and says so in the history', async () => {
  const device = programmeDevice();
  await device.start();
  const told = await device.on();
  expect(told).toEqual({
    kind: 'granted',
    policyVersion: '2026-11',
    region: 'eu-central-1',
    sinceMs: device.trueMs(),
  });
  const { consent, epoch } = afterPowerCutOf(device);
  expect(consent).toMatchObject({
    state: 'granted',
    policyVersion: '2026-11',
    by: resident,
    since: { wallMs: told.sinceMs },
  });
  expect(epoch).toBe(1);
  expect(device.programme.ledger.entries()[0]).toMatchObject({
    what: 'granted',
    actor: 'resident',
    channel: 'cli',
    epoch: 1,
    textSha256: bundledPolicies()[0]?.textSha256,
  });
});

/** What stands on the medium. */
function afterPowerCutOf(device: ProgrammeDevice) {
  const again = afterPowerCut(device);
  const [one] = again.layout.consent;
  return JSON.parse(readFileSync(one, 'utf8').split('\n')[1] ?? '');
}

test('the same grant again changes nothing and says so', async () => {
  const device = programmeDevice();
  await device.start();
  const { sinceMs } = await device.on();
  await device.pass(hourMs);
  expect(await device.on()).toMatchObject({ kind: 'already-granted', sinceMs });
  expect(whats(device)).toEqual(['granted']);
  expect(device.programme.consent.programme().epoch).toBe(1);
});

describe('an opt-in is refused, and leaves nothing behind,', () => {
  const cases: Record<string, [string, Partial<Config>, Partial<World>, Partial<typeof order>]> = {
    'with DO_NOT_TRACK': ['DO_NOT_TRACK', {}, { doNotTrack: true }, {}],
    'without a region': ['REGION_MISSING', { 'cloud.region': null }, {}, {}],
    'S0-37 without a controller': ['CONFIG_INVALID', { 'controller.name': null }, {}, {}],
    'to a notice that there is not': ['CONSENT_REFUSED', {}, {}, { acceptPolicy: '2031-01' }],
    'while the clock was never set': [
      'CLOCK_UNTRUSTED',
      {},
      { wallOffsetMs: -40 * 365 * dayMs, isSynchronised: false },
      {},
    ],
    'where the notices cannot be read': ['CONSENT_REFUSED', {}, { policies: [] }, {}],
  };
  test.each(Object.entries(cases))('%s', async (_, [code, config, world, changes]) => {
    const device = programmeDevice({ config, world });
    await device.start();
    await expect(device.commands.on({ ...order, ...changes })).rejects.toMatchObject({ code });
    device.programme.work();
    expect(existsSync(device.place.dataDir)).toBe(false);
  });

  test.skipIf(!existsSync('/dev/shm'))(
    'S0-7 on a volume that forgets, unless that is allowed',
    async () => {
      const device = programmeDevice();
      await device.start();
      const cautious = { ...order, allowVolatile: false };
      await expect(device.commands.on(cautious)).rejects.toMatchObject({ code: 'VOLUME_VOLATILE' });
      expect(existsSync(device.place.dataDir)).toBe(false);
    },
  );

  test('S0-33 to a notice that is not in force yet', async () => {
    const device = programmeDevice();
    const effectiveAt = device.trueMs() + dayMs;
    const next = { version: '2027-03', textSha256: 'd'.repeat(64), material: true, effectiveAt };
    device.world.policies = [...bundledPolicies(), next];
    await device.start();
    await expect(device.commands.on({ ...order, acceptPolicy: '2027-03' })).rejects.toMatchObject({
      code: 'CONSENT_REFUSED',
      message: '2027-03: policy-not-in-force; in force is 2026-11',
    });
    expect(existsSync(device.place.dataDir)).toBe(false);
  });
});

describe('whoever is told of a fault has not consented:', () => {
  const obstacles: Record<string, (device: ProgrammeDevice) => string> = {
    'the records cannot be made': ({ layout }) => join(layout.records, 'in-the-way'),
    'the key of the device cannot be made': ({ layout }) => join(layout.deviceKey, 'in-the-way'),
    'the history cannot be written': ({ layout }) => join(layout.ledger, 'in-the-way'),
  };
  test.each(Object.entries(obstacles))('%s', async (_, placeOf) => {
    const device = programmeDevice();
    await device.start();
    // A grant and its end, so that nothing looks like a device that was never asked.
    await device.on();
    await device.off();
    const obstacle = placeOf(device);
    rmSync(dirname(obstacle), { force: true });
    mkdirSync(dirname(obstacle), { recursive: true });
    writeFileSync(obstacle, '');
    await expect(device.on()).rejects.toMatchObject({ code: /^(STORE|KEY)_/ });
    expect(device.programme.consent.programme()).toMatchObject({
      consent: { state: 'withdrawn' },
      wipe: 'none',
    });
    device.visit(3);
    await device.pass(2 * hourMs);
    expect(leftOn(device)).toEqual([]);
    rmSync(dirname(obstacle), { recursive: true, force: true });
    expect((await device.on()).kind).toBe('granted');
    device.visit(3);
    await device.pass(2 * hourMs);
    expect((await device.commands.status()).records.waiting).toBe(3);
  });
});

describe('a new notice that is agreed to', () => {
  async function underNextNotice() {
    const device = programmeDevice({ world: { hasCloud: false } });
    const next = { version: '2027-03', textSha256: 'd'.repeat(64), material: true };
    const effectiveAt = device.trueMs() + dayMs;
    device.world.policies = [...bundledPolicies(), { ...next, effectiveAt }];
    await device.start();
    await device.on();
    device.visit(4);
    await device.pass(2 * dayMs, 600_000);
    return device;
  }
  const agree = ({ commands }: ProgrammeDevice) =>
    commands.on({ ...order, acceptPolicy: '2027-03' });

  test('begins anew: what was recorded under the one before is erased first, with its key', async () => {
    const device = await underNextNotice();
    const key = readFileSync(device.layout.epochKey);
    expect((await device.commands.status()).records.waiting).toBe(4);
    expect((await agree(device)).kind).toBe('granted');
    expect((await device.commands.status()).records.waiting).toBe(0);
    expect(readFileSync(device.layout.epochKey)).not.toEqual(key);
    expect(whats(device)).toEqual(['granted', 'policy-paused', 'granted', 'erased']);
    device.programme.work();
    device.visit(2);
    await device.pass(2 * hourMs);
    expect((await device.commands.status()).records.waiting).toBe(2);
  });

  test('holds for nobody while that cannot be erased; once it can, it is asked for again', async () => {
    const device = await underNextNotice();
    await withFailingCalls(
      ({ name }) => (name === 'unlinkSync' ? systemError('EIO') : undefined),
      async () => {
        await expect(agree(device)).rejects.toMatchObject({ code: 'ERASURE_INCOMPLETE' });
        device.visit(2);
        await device.pass(hourMs);
        expect(device.programme.consent.coverage().kind).toBe('not-covered');
        await expect(agree(device)).rejects.toMatchObject({ code: 'ERASURE_INCOMPLETE' });
      },
    );
    expect((await agree(device)).kind).toBe('granted');
    expect((await device.commands.status()).records.waiting).toBe(0);
  });

  test('S0-29 an erasure that failed is tried again every day, without a restart', async () => {
    const device = await underNextNotice();
    await withFailingCalls(
      ({ name }) => (name === 'unlinkSync' ? systemError('EIO') : undefined),
      async () => expect((await device.off()).kind).toBe('incomplete'),
    );
    expect(leftOn(device)).not.toEqual([]);
    await device.pass(23 * hourMs);
    expect(leftOn(device)).not.toEqual([]);
    await device.pass(2 * hourMs);
    expect(leftOn(device)).toEqual([]);
    // Once it has come to its end.
    expect(await device.programme.erasing.finish()).toBeUndefined();
    expect(device.programme.isNeeded()).toBe(false);
  });
});
