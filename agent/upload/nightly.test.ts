import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { seededChance } from '../io/process/seeded-chance.ts';
import type { CloudStep, Fate } from '../test/fakes/memory-cloud.ts';
import { createUploadWorld } from '../test/fakes/upload-world.ts';
import { type NightlyOptions, startNightly } from './nightly.ts';
import { uploadNight } from './uploader.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** A device that does by itself what a night asks for. */
function unattended(options: Parameters<typeof createUploadWorld>[0] = {}) {
  const world = createUploadWorld(options);
  const began: string[] = [];
  const faults: unknown[] = [];
  const start = (changes: Partial<NightlyOptions> = {}, device = 'this one') => {
    const ports = world.ports();
    return startNightly({
      clock: ports.clock,
      toLocalTime: world.toLocalTime,
      timers: world.time.timers,
      random: seededChance(device),
      draw: (date) => createHmac('sha256', device).update(date).digest(),
      pass: (window, signal) => {
        began.push(new Date(world.trueMs()).toISOString());
        return uploadNight(ports, window, signal);
      },
      onFault: (fault) => faults.push(fault),
      ...changes,
    });
  };
  /** Lets so many hours pass, minute by minute. */
  const live = async (hours: number, stepMs = minuteMs) => {
    for (let done = 0; done < hours * hourMs; done += stepMs) {
      world.time.advance(stepMs);
      await new Promise(setImmediate);
    }
  };
  return { world, began, faults, start, live };
}

test('S0-4 S0-10 three days, three uploads, and nobody did anything', async () => {
  const { world, began, start, live } = unattended();
  world.optIn();
  const nightly = start();
  for (let day = 0; day < 3; day++) {
    world.collect(20, day * 20);
    await live(24);
  }
  await nightly.stop();
  expect(began).toHaveLength(3);
  expect(world.cloud.objects.size).toBe(3);
  expect(world.linesInCloud()).toHaveLength(60);
  for (const moment of began) {
    expect(world.toLocalTime(Date.parse(moment))).toMatchObject({ hour: 1 });
  }
});

test('S0-8 S0-12 what is collected in the day, and a link that comes back at 14:00, wait for the next night', async () => {
  let isDown = true;
  const fate = (): Fate => (isDown ? { fault: 'unreachable' } : 'fine');
  const { world, start, live } = unattended({ fate });
  world.optIn();
  world.collect(10);
  const nightly = start();
  await live(72);
  expect(world.linesOnDevice()).toHaveLength(10);
  await live(14);
  const asked = world.cloud.steps.length;
  isDown = false;
  world.collect(10, 10);
  await live(10);
  expect(world.cloud.steps).toHaveLength(asked);
  await live(3);
  expect(world.linesInCloud()).toHaveLength(20);
  await nightly.stop();
});

test('S0-30 after an opt-out there is not one request, day after day', async () => {
  const { world, start, live } = unattended();
  world.optIn();
  world.collect(10);
  const nightly = start();
  await live(30);
  const asked = world.cloud.steps.length;
  expect(asked).toBeGreaterThan(0);
  world.collect(10, 10);
  world.optOut();
  await live(48);
  await nightly.stop();
  expect(world.cloud.steps).toHaveLength(asked);
});

test('an order of erasure is tried once a night, and no more when it was taken', async () => {
  let isDown = true;
  const fate = (step: CloudStep): Fate =>
    step === 'erasure' && isDown ? { fault: 'dns' } : 'fine';
  const { world, start, live } = unattended({ fate });
  world.optIn();
  world.collect(10);
  const nightly = start();
  await live(24);
  expect(world.cloud.objects.size).toBe(1);
  world.optOut(true);
  const orders = () => world.cloud.steps.filter((step) => step === 'erasure').length;
  await live(24);
  expect(orders()).toBe(1);
  await live(24);
  expect(orders()).toBe(2);
  isDown = false;
  await live(48);
  expect(orders()).toBe(3);
  expect(world.cloud.objects.size).toBe(0);
  expect(world.programme.orders).toEqual([]);
  await nightly.stop();
});

test('S0-11 the moment of a night differs from device to device and from night to night', async () => {
  const moments: number[] = [];
  for (const device of ['a', 'b', 'c', 'd']) {
    const { world, start } = unattended();
    const nightly = start({}, device);
    const firstMs = nightly.nextTryMs();
    moments.push(firstMs - world.trueMs());
    expect(moments.at(-1)).toBeGreaterThanOrEqual(hourMs);
    expect(moments.at(-1)).toBeLessThan(hourMs + 45 * minuteMs);
    await nightly.stop();
  }
  expect(new Set(moments).size).toBe(4);
});

test('S0-11 when the power comes back at 01:20, the devices of the street do not begin together', async () => {
  const begun: number[] = [];
  for (let device = 0; device < 40; device++) {
    const { world, start } = unattended();
    world.goTo('01:20');
    const nightly = start({}, `device ${device}`);
    begun.push(nightly.nextTryMs() - world.trueMs());
    await nightly.stop();
  }
  expect(Math.min(...begun)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...begun)).toBeLessThan(30 * minuteMs);
  // 18 of 40 would have had their moment before.
  expect(begun.filter((ms) => ms < minuteMs).length).toBeLessThan(8);
  expect(new Set(begun.map((ms) => Math.floor(ms / minuteMs))).size).toBeGreaterThan(10);
});

test('S0-11 a device that sleeps from before the window until after it passes in the next night', async () => {
  const { world, began, start, live } = unattended();
  world.optIn();
  world.collect(10);
  world.device.isSynchronised = true;
  const nightly = start();
  await live(0.5);
  // Its monotonic clock stands still meanwhile.
  world.device.wallOffsetMs += 3 * hourMs;
  await live(20);
  expect(began).toEqual([]);
  await live(4);
  expect(began).toHaveLength(1);
  await nightly.stop();
});

test('S0-11 a clock set into the window is noticed within a minute', async () => {
  const { world, start, live } = unattended();
  world.device.isSynchronised = true;
  const nightly = start();
  await live(0.2);
  world.device.wallOffsetMs = hourMs;
  await live(1 / 30, 30_000);
  const nowMs = world.trueMs() + hourMs;
  expect(world.toLocalTime(nowMs).hour).toBe(1);
  expect(nightly.nextTryMs() - nowMs).toBeLessThan(50 * minuteMs);
  await nightly.stop();
});

test('what must not happen in a pass is told, and the pass begins again in the same window', async () => {
  const { faults, start, live } = unattended();
  let times = 0;
  const full = new Error('the disk is full');
  const nightly = start({
    pass: async () => {
      times += 1;
      if (times < 3) throw full;
    },
  });
  await live(3);
  expect(faults).toEqual([full, full]);
  expect(times).toBe(3);
  await nightly.stop();
});

test('the next night is told before and after the pass of this one', async () => {
  const { world, start, live } = unattended();
  const nightly = start();
  expect(world.toLocalTime(nightly.nextTryMs())).toMatchObject({ date: '2024-10-05', hour: 1 });
  await live(1.9);
  expect(world.toLocalTime(nightly.nextTryMs())).toMatchObject({ date: '2024-10-06', hour: 1 });
  await nightly.stop();
});

test('when it stops, it stops: also in the middle of a pass', async () => {
  const { world, start, live } = unattended({
    fate: (step) => (step === 'put' ? 'black-hole' : 'fine'),
  });
  world.optIn();
  world.collect(5);
  const nightly = start();
  for (let i = 0; i < 200 && !world.cloud.steps.includes('put'); i++) await live(1 / 120, 30_000);
  expect(world.cloud.steps).toContain('put');
  await nightly.stop();
  const asked = world.cloud.steps.length;
  await live(24);
  expect(world.cloud.steps).toHaveLength(asked);
  expect(world.time.pendingMs).toEqual([]);
});
