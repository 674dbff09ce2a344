import { existsSync, readdirSync, rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import { dayMs, hourMs, leftOn } from '../test/fakes/programme-device.ts';
import { afterPowerCut, programmeDevice } from '../test/fakes/quick-device.ts';

test('S0-1 a device that was never asked: a thousand people at the door leave no file, no row and no request', async () => {
  const device = programmeDevice();
  const programme = await device.start();
  for (let n = 0; n < 100; n++) {
    device.visit(10);
    await device.pass(hourMs / 2, hourMs / 2);
  }
  expect(existsSync(device.place.dataDir)).toBe(false);
  expect(device.cloud.steps).toEqual([]);
  expect(programme.isNeeded()).toBe(false);
  expect((await device.commands.status()).state).toBe('never-asked');
  await device.stop();
  expect(existsSync(device.place.dataDir)).toBe(false);
});

test('S0-1 S0-4 S0-8 after opting in, attempts become records of their hour, and travel in the night by themselves', async () => {
  const device = programmeDevice();
  await device.start();
  await device.on();
  device.visit(5);
  await device.passUntil(14);
  expect((await device.commands.status()).records.waiting).toBe(5);
  expect(device.cloud.steps).toEqual([]);
  await device.passUntil(0);
  expect(device.cloud.steps).toEqual([]);
  await device.passUntil(2);
  expect(device.cloud.objects.size).toBe(1);
  const status = await device.commands.status();
  expect(status).toMatchObject({
    records: { waiting: 0 },
    upload: { lastOutcome: 'complete' },
    sent: { batches: 1 },
  });
  expect(status.upload.nextMs).toBeGreaterThan(device.trueMs() + 22 * hourMs);
});

test('S0-13 a device that was off for forty days purges at the start, before anything else', async () => {
  const device = programmeDevice({ world: { hasCloud: false } });
  await device.start();
  await device.on();
  device.visit(5);
  await device.passUntil(14);
  await device.stop();
  device.time.advance(40 * dayMs);
  await device.start();
  expect((await device.commands.status()).records.waiting).toBe(0);
});

test('a power cut in the midst of recording costs the hour that was not over, and nothing else', async () => {
  const device = programmeDevice();
  await device.start();
  await device.on();
  device.visit(5);
  await device.passUntil(14);
  device.visit(2);
  await device.pass(10_000, 1_000);
  const again = afterPowerCut(device);
  await again.start();
  expect((await again.commands.status()).records.waiting).toBe(5);
  expect(leftOn(again)).not.toEqual([]);
  expect(readdirSync(again.layout.ueip)).toContain('epoch.key');
});

test('what a witness has confirmed of the time is there after a restart, and a clock from before is not believed', async () => {
  const device = programmeDevice();
  await device.start();
  await device.on();
  device.visit(1);
  // The answers of the cloud bring its date.
  await device.passUntil(3);
  const confirmedMs = device.trueMs();
  await device.stop();
  device.world.wallOffsetMs = -20 * dayMs;
  device.world.isSynchronised = false;
  await device.start();
  expect(device.programme.time.standing()).toBe('doubtful');
  expect(device.programme.consent.circumstances().wallMs).toBeGreaterThan(confirmedMs - 2 * hourMs);
});

test('to the last minute, where the agent was stopped as it should', async () => {
  const device = programmeDevice();
  await device.start();
  await device.on();
  for (let night = 0; night < 3; night++) {
    device.visit(1);
    await device.passUntil(3);
  }
  const { confirmedMs } = device.programme.time.watched.memory();
  expect(confirmedMs).toBeGreaterThan(device.trueMs() - 2 * hourMs);
  await device.stop();
  await device.start();
  expect(device.programme.memory.clock()).toEqual({ confirmedMs });
});

test('so it is after a power cut, but for a day', async () => {
  const device = programmeDevice();
  await device.start();
  await device.on();
  for (let night = 0; night < 3; night++) {
    device.visit(1);
    await device.passUntil(3);
  }
  const again = afterPowerCut(device);
  again.world.wallOffsetMs = -20 * dayMs;
  again.world.isSynchronised = false;
  await again.start();
  const { wallMs } = again.programme.consent.circumstances();
  expect(wallMs).toBeGreaterThan(device.trueMs() - 1.2 * dayMs);
});

test('the count of days goes on over a restart, and is not lost with a power cut', async () => {
  const device = programmeDevice({ world: { hasCloud: false, isSynchronised: false } });
  await device.start();
  await device.on();
  device.visit(1);
  const before = device.programme.time.runDay();
  await device.pass(5 * dayMs, 600_000);
  const again = afterPowerCut(device);
  await again.start();
  expect(again.programme.time.runDay() - before).toBeGreaterThan(4.8);
  await device.stop();
  await device.start();
  expect(device.programme.time.runDay() - before).toBeCloseTo(5, 1);
});

test('closing never fails, whatever has become of the files', async () => {
  const device = programmeDevice();
  const programme = await device.start();
  await device.on();
  device.visit(3);
  await device.pass(hourMs);
  rmSync(device.place.dataDir, { recursive: true });
  await expect(programme.close()).resolves.toBeUndefined();
});
