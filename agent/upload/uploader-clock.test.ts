import { describe, expect, test } from 'vitest';
import { localTimeIn } from '../io/process/local-time.ts';
import { createUploadWorld, type UploadWorld } from '../test/fakes/upload-world.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

function at(hhmm: string, options: Parameters<typeof createUploadWorld>[0] = {}): UploadWorld {
  const world = createUploadWorld(options);
  world.optIn();
  world.collect(20);
  world.goTo(hhmm);
  return world;
}

describe('S0-11 the ends of the window', () => {
  test.each([
    ['00:59:59.999', -1, 0],
    ['01:00:00', 0, 1],
    ['01:59:59.999', hourMs - 1, 1],
    ['02:00:00', hourMs, 0],
  ])('a pass that begins at %s', async (_, offsetMs, objects) => {
    const world = at('00:00');
    world.time.advance(hourMs + offsetMs);
    await world.night();
    expect(world.cloud.objects.size).toBe(objects);
    if (objects === 0) expect(world.cloud.steps).toEqual([]);
  });

  test.each(['black-hole', 'done-then-black-hole'] as const)(
    'a store that is slow (%s) is cut off at 02:00, and the records stay for the next night',
    async (fate) => {
      const world = at('01:00', { fate: (step) => (step === 'put' ? fate : 'fine') });
      world.time.advance(hourMs - 10_000);
      const endMs = world.trueMs() + 10_000;
      expect((await world.night()).end).toEqual({ kind: 'stopped', why: 'window-closed' });
      expect(world.trueMs()).toBe(endMs);
      expect(world.outbox).toHaveLength(1);
      expect(world.linesOnDevice()).toHaveLength(20);
    },
  );

  test('London in spring: no window, no crash, the data are kept; in autumn: one pass', async () => {
    const world = createUploadWorld({ zone: 'Europe/London' });
    world.time.advance(Date.UTC(2027, 2, 28, 0, 30) - world.trueMs());
    world.optIn();
    world.collect(20);
    expect((await world.night()).end).toEqual({ kind: 'stopped', why: 'window-closed' });
    world.time.advance(hourMs);
    expect((await world.night()).end).toEqual({ kind: 'stopped', why: 'window-closed' });
    expect(world.cloud.steps).toEqual([]);
    expect(world.linesOnDevice()).toHaveLength(20);
    world.time.advance(Date.UTC(2027, 9, 31, 0, 30) - world.trueMs());
    world.records.forget(world.records.oldest(100).map(({ id }) => id));
    world.collect(20, 100);
    expect((await world.night()).end).toEqual({ kind: 'complete' });
    world.collect(20, 200);
    world.time.advance(hourMs);
    // It is 01:30 once more.
    expect(world.toLocalTime(world.trueMs())).toMatchObject({ date: '2027-10-31', hour: 1 });
    expect((await world.night()).end).toEqual({ kind: 'stopped', why: 'window-closed' });
    expect(world.cloud.objects.size).toBe(1);
  });

  test('the house moves to another zone during the pass', async () => {
    const world = at('01:30', { fate: (step) => (step === 'put' ? 'black-hole' : 'fine') });
    const night = world.nightOrDeath();
    world.time.timers.after(8_000, () => world.move(localTimeIn('Asia/Tokyo')));
    expect(await night).toMatchObject({ end: { why: 'window-closed' } });
  });
});

describe('S0-11 the clock jumps', () => {
  test('forward out of the window, or the device sleeps over its end: cut within seconds', async () => {
    const world = at('01:58', { fate: (step) => (step === 'put' ? 'black-hole' : 'fine') });
    world.time.timers.after(3_000, () => {
      world.device.wallOffsetMs = 6 * hourMs;
    });
    const beganMs = world.trueMs();
    await world.night();
    expect(world.trueMs() - beganMs).toBeLessThan(9_000);
    expect(world.linesOnDevice()).toHaveLength(20);
  });

  test('back, again and again, does not make the window longer', async () => {
    const world = at('01:50', { fate: (step) => (step === 'put' ? { status: 503 } : 'fine') });
    world.device.isSynchronised = true;
    const beganMs = world.trueMs();
    for (let minute = 1; minute < 60; minute++) {
      world.time.timers.after(minute * 60_000, () => {
        world.device.wallOffsetMs -= 60_000;
      });
    }
    await world.night();
    expect(world.trueMs() - beganMs).toBeLessThanOrEqual(10 * 60_000);
  });

  test('back by a day: no second pass in the same real night', async () => {
    const world = at('01:10');
    await world.night();
    world.collect(5, 100);
    world.time.advance(10 * 60_000);
    world.device.wallOffsetMs = -dayMs;
    world.device.isSynchronised = true;
    expect((await world.night()).end).toEqual({ kind: 'already-done' });
    expect(world.cloud.objects.size).toBe(1);
  });

  test('forward by ten years and back: the next night is one', async () => {
    const world = at('01:10');
    world.device.isSynchronised = true;
    world.device.wallOffsetMs = 3_652 * dayMs;
    world.cloud.link = {
      kind: 'linked',
      region: 'eu-central-1',
      accepting: true,
      maxBytes: 1e5,
      serverMs: world.trueMs() + world.device.wallOffsetMs,
    };
    await world.night();
    expect(world.memory.lastPass?.localDate).toMatch(/^2034/);
    world.cloud.link = { ...world.cloud.link, serverMs: null };
    world.device.wallOffsetMs = 0;
    world.goTo('00:30');
    world.goTo('01:10');
    world.collect(5, 100);
    expect((await world.night()).end).toEqual({ kind: 'complete' });
    expect(world.memory.lastPass?.localDate).toMatch(/^2024/);
  });
});

describe('a clock that is not to be believed', () => {
  test('S0-11 before the build of the agent: nobody is asked, nothing leaves', async () => {
    const world = at('01:10');
    world.device.wallOffsetMs = Date.UTC(1970, 0, 1, 0, 10) - world.trueMs();
    expect((await world.night()).end).toEqual({ kind: 'stopped', why: 'clock-untrusted' });
    expect(world.cloud.steps).toEqual([]);
    // Nothing that would hold up the night once the time server has been heard.
    world.device.wallOffsetMs = 0;
    expect((await world.night()).end).toEqual({ kind: 'complete' });
  });

  test.each([-1, 1])(
    'wrong by %i days: the date of the cloud tells, and nothing leaves',
    async (days) => {
      const world = at('01:10');
      world.device.wallOffsetMs = days * dayMs;
      const { end } = await world.night();
      expect(world.cloud.steps).toEqual(['link']);
      expect(end.kind).toBe('stopped');
      expect(world.linesOnDevice()).toHaveLength(20);
    },
  );

  test('a cloud that names no date does not confirm it', async () => {
    const world = at('01:10');
    world.cloud.datesItsAnswers = false;
    expect((await world.night()).end).toEqual({ kind: 'stopped', why: 'clock-untrusted' });
    expect(world.linesOnDevice()).toHaveLength(20);
  });

  test('where the time server of the host has confirmed it, the cloud need not', async () => {
    const world = at('01:10');
    world.device.isSynchronised = true;
    world.cloud.datesItsAnswers = false;
    expect((await world.night()).end).toEqual({ kind: 'complete' });
  });
});
