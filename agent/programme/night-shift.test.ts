import { describe, expect, test } from 'vitest';
import { localTimeIn } from '../io/process/local-time.ts';
import {
  dayMs,
  hourMs,
  leftOn,
  minuteMs,
  type ProgrammeDevice,
} from '../test/fakes/programme-device.ts';
import { afterPowerCut, programmeDevice } from '../test/fakes/quick-device.ts';

async function recording(options: Parameters<typeof programmeDevice>[0] = {}) {
  const device = programmeDevice(options);
  await device.start();
  await device.on();
  device.visit(4);
  await device.passUntil(14);
  return device;
}
const night = async (device: ProgrammeDevice) => (await device.commands.status()).upload;
const count = ({ cloud: { steps } }: ProgrammeDevice, step: string) =>
  steps.filter((each) => each === step).length;

test('S0-4 S0-10 three nights, three uploads, and nobody had to do anything', async () => {
  const device = await recording();
  for (let days = 1; days <= 3; days++) {
    await device.passUntil(3);
    expect(device.cloud.objects.size).toBe(days);
    expect(count(device, 'put')).toBe(days);
    device.visit(3);
    await device.passUntil(5);
  }
});

test('S0-11 the pass begins in the first three quarters of the hour, when the status has said', async () => {
  const device = await recording();
  const { nextMs } = await night(device);
  const local = localTimeIn('Europe/Berlin')(nextMs ?? 0);
  expect(local.hour).toBe(1);
  let firstMs: number | undefined;
  while (firstMs === undefined) {
    await device.pass(1_000 * 30, 1_000 * 30);
    if (device.cloud.steps.length > 0) firstMs = device.trueMs();
  }
  expect(Math.abs(firstMs - (nextMs ?? 0))).toBeLessThan(2 * minuteMs);
});

test('when the next pass begins is never a moment that is over, with an agent or without', async () => {
  const device = await recording();
  await device.passUntil(1);
  await device.stop();
  for (let minutes = 0; minutes < 55; minutes += 5) {
    await device.start();
    await device.programme.night.stop();
    const { nextMs } = await night(device);
    expect(nextMs ?? 0).toBeGreaterThanOrEqual(device.trueMs());
    await device.stop();
    device.time.advance(5 * minuteMs);
  }
});

test('S0-11 what is under way when the hour ends is cut off, and goes on in the next night', async () => {
  const device = await recording({
    fate: (step) => (step === 'put' ? { fault: 'timeout' } : 'fine'),
  });
  await device.passUntil(3);
  const puts = count(device, 'put');
  expect(puts).toBeGreaterThan(1);
  await device.passUntil(23);
  expect(count(device, 'put')).toBe(puts);
  await device.passUntil(3);
  expect(count(device, 'put')).toBeGreaterThan(puts);
});

test('a pass that fell over is begun once more in the same night', async () => {
  let isBroken = true;
  const device = await recording({
    fate: () => {
      if (!isBroken) return 'fine';
      isBroken = false;
      throw new Error('the adapter fell over');
    },
  });
  await device.passUntil(3);
  expect(device.cloud.objects.size).toBe(1);
  expect(await night(device)).toMatchObject({ lastOutcome: 'complete' });
});

describe('S0-6 a store that took an object and did not keep its word', () => {
  /** The first PUT is stored in the clear. */
  async function lied() {
    let puts = 0;
    const device = await recording({
      fate: (step) => (step === 'put' && ++puts === 1 ? 'no-encryption' : 'fine'),
    });
    await device.passUntil(3);
    return device;
  }

  test('gets nothing more, also after a restart, and the status says why', async () => {
    const device = await lied();
    const asked = device.cloud.steps.length;
    for (let nights = 0; nights < 3; nights++) {
      expect(await night(device)).toMatchObject({ distrusted: 'no-encryption' });
      device.visit(2);
      await device.stop();
      await device.start();
      await device.passUntil(3);
    }
    expect(device.cloud.steps).toHaveLength(asked);
    expect((await device.commands.status()).records.waiting).toBeGreaterThanOrEqual(4);
  });

  test('until somebody says that it was checked', async () => {
    const device = await lied();
    expect(await device.commands.trustStore()).toEqual({ kind: 'trusted-again' });
    expect(await device.commands.trustStore()).toEqual({ kind: 'nothing-held' });
    await device.passUntil(3);
    expect(await night(device)).toMatchObject({ lastOutcome: 'complete', distrusted: null });
    expect((await device.commands.status()).records.waiting).toBe(0);
  });

  test('or the settings lead elsewhere', async () => {
    const before = await lied();
    const config = { ...before.place.config, 'cloud.bucket': 'another-bucket' };
    const after = afterPowerCut(before, { config });
    await after.start();
    expect(await night(after)).toMatchObject({ distrusted: null });
    await after.passUntil(3);
    expect(await night(after)).toMatchObject({ lastOutcome: 'complete' });
  });

  test('is forgotten with the grant: nothing of it is left to hold', async () => {
    const device = await lied();
    await device.off();
    expect(await night(device)).toMatchObject({ distrusted: null });
    expect(await device.commands.trustStore()).toEqual({ kind: 'nothing-held' });
    expect(leftOn(device)).toEqual([]);
  });
});

test('S0-31 what is ordered again in the night in which the cloud has obeyed is sent in the next, once', async () => {
  const device = await recording();
  await device.passUntil(3);
  await device.off({ eraseCloud: true });
  const taken = () => device.cloud.erasures.length;
  // Until the pass of the night has been: the order was taken, and the hour is not over.
  for (let tries = 0; taken() === 0 && tries < 2 * 24 * 60; tries++) await device.pass(minuteMs);
  expect(taken()).toBe(1);
  await device.off({ eraseCloud: true });
  await device.stop();
  await device.start();
  await device.passUntil(5);
  expect(taken()).toBe(1);
  await device.passUntil(3);
  expect(taken()).toBe(2);
  expect((await device.commands.status()).orders).toEqual([]);
});

describe('nobody looks at the clock, and nothing is sent', () => {
  test('S0-2 where the settings name no cloud', async () => {
    const device = await recording({ world: { hasCloud: false } });
    await device.pass(2 * dayMs);
    expect(device.cloud.steps).toEqual([]);
    expect(await night(device)).toMatchObject({ nextMs: null, lastOutcome: null });
  });

  test('with DO_NOT_TRACK, though there is a grant and records', async () => {
    const device = await recording();
    await device.stop();
    device.world.doNotTrack = true;
    await device.start();
    await device.pass(2 * dayMs);
    expect(device.cloud.steps).toEqual([]);
    expect((await device.commands.status()).notCovered).toBe('do-not-track');
  });

  test('with DO_NOT_TRACK, though the cloud was ordered to erase something', async () => {
    const device = await recording();
    await device.passUntil(3);
    await device.off({ eraseCloud: true });
    await device.stop();
    const asked = device.cloud.steps.length;
    device.world.doNotTrack = true;
    await device.start();
    await device.pass(2 * dayMs);
    expect(device.cloud.steps).toHaveLength(asked);
    expect((await device.commands.status()).orders).toHaveLength(1);
  });

  test('S0-30 after the opt-out, also not in the same night', async () => {
    const device = await recording();
    await device.off();
    expect(device.time.pendingMs).toEqual([]);
    await device.pass(2 * dayMs);
    expect(device.cloud.steps).toEqual([]);
    expect(await night(device)).toMatchObject({ nextMs: null });
  });

  test('with a time zone that there is not; and to opt out works', async () => {
    const device = programmeDevice({ config: { 'device.timeZone': 'Europe/Berlin2' } });
    await device.start();
    await expect(device.on()).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await device.pass(dayMs, hourMs);
    expect((await device.off()).kind).toBe('erased');
  });
});

test('S0-12 no link for three days: everything stays on the device, and goes in the night after it came back', async () => {
  const device = await recording();
  device.cloud.link = { kind: 'not-linked' };
  for (let day = 0; day < 3; day++) {
    device.visit(2);
    await device.pass(dayMs, 2 * minuteMs);
  }
  expect(count(device, 'put')).toBe(0);
  expect((await device.commands.status()).records.waiting).toBe(10);
  await device.passUntil(14);
  device.cloud.link = {
    kind: 'linked',
    region: 'eu-central-1',
    accepting: true,
    maxBytes: 262_144,
    serverMs: null,
  };
  await device.passUntil(0);
  expect(count(device, 'put')).toBe(0);
  await device.passUntil(3);
  expect((await device.commands.status()).records.waiting).toBe(0);
});

test('an opt-out under way lets no new pass begin', async () => {
  const device = await recording({ fate: (step) => (step === 'link' ? 'black-hole' : 'fine') });
  await device.passUntil(1);
  while (device.cloud.steps.length === 0) await device.pass(10_000, 10_000);
  const stopped = device.programme.night.stop();
  device.programme.work();
  expect(await stopped).toBe('stopped');
  expect(device.time.pendingMs).toEqual([]);
  expect(await device.programme.night.stop()).toBe('none');
  expect(device.cloud.steps).toEqual(['link']);
});
