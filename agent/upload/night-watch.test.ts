import { expect, test } from 'vitest';
import { localTimeIn } from '../io/process/local-time.ts';
import { createManualTime } from '../test/fakes/manual-time.ts';
import type { ToLocalTime } from '../ueip/attempt.ts';
import { watchNight } from './night-watch.ts';
import type { WatchedClock } from './watched-clock.ts';
import { windowOf } from './window.ts';

const minuteMs = 60_000;

/** A night in this zone, watched from so many minutes after its beginning. */
function watched(minutes: number, zone = 'Europe/London', localDate = '2027-01-05') {
  let zoned: ToLocalTime = localTimeIn(zone);
  const window = windowOf(localDate, zoned);
  if (window === undefined) throw new Error('that night has no window');
  const time = createManualTime(0);
  const device = { offsetMs: window.startMs + minutes * minuteMs };
  const outer = new AbortController();
  const wallMs = () => time.clock.monotonicMs() + device.offsetMs;
  const watch = watchNight({
    window,
    clock: believed(wallMs, time.clock.monotonicMs),
    toLocalTime: (atMs) => zoned(atMs),
    timers: time.timers,
    outer: outer.signal,
  });
  const move = (elsewhere: ToLocalTime) => {
    zoned = elsewhere;
  };
  return { window, time, device, outer, watch, wallMs, move };
}

function believed(wallMs: () => number, monotonicMs: () => number): WatchedClock {
  return {
    monotonicMs,
    judge: () => ({ standing: 'confirmed', wallMs: wallMs() }),
    serverSaid: () => {},
    memory: () => ({ confirmedMs: 0 }),
  };
}

/** How long it stays open, if nobody does anything. */
function openMs({ time, watch }: ReturnType<typeof watched>): number {
  const beganMs = time.clock.monotonicMs();
  while (!watch.signal.aborted) time.advance(time.pendingMs[0] ?? Number.NaN);
  return time.clock.monotonicMs() - beganMs;
}

test('S0-11 it ends with the window, to the millisecond, and leaves no timer behind', () => {
  const night = watched(12);
  expect(night.watch.isOpen()).toBe(true);
  expect(openMs(night)).toBe(48 * minuteMs);
  expect(night.watch.isOpen()).toBe(false);
  expect(night.time.pendingMs).toEqual([]);
});

test('S0-11 where the hour comes twice it ends with the first', () => {
  const night = watched(50, 'Europe/London', '2027-10-31');
  expect(openMs(night)).toBe(10 * minuteMs);
  // It is 01:00 again, of the same date.
  expect(night.wallMs()).toBe(Date.UTC(2027, 9, 31, 1));
  expect(localTimeIn('Europe/London')(night.wallMs())).toMatchObject({
    hour: 1,
    date: '2027-10-31',
  });
});

test('S0-11 a device that slept through the second hour does not go on in it', () => {
  const night = watched(50, 'Europe/London', '2027-10-31');
  night.device.offsetMs += 40 * minuteMs;
  expect(openMs(night)).toBeLessThanOrEqual(5_000);
});

test('S0-11 a clock that is set back does not make it longer', () => {
  const night = watched(50);
  for (let minute = 0; minute < 9; minute++) {
    night.time.timers.after(minute * minuteMs, () => {
      night.device.offsetMs -= minuteMs;
    });
  }
  expect(openMs(night)).toBe(10 * minuteMs);
  expect(night.wallMs()).toBeLessThan(night.window.endMs);
});

test.each<[string, (night: ReturnType<typeof watched>) => void]>([
  [
    'a clock that is set forward',
    ({ device }) => Object.assign(device, { offsetMs: device.offsetMs + 1e7 }),
  ],
  [
    'a clock that is set back before it',
    ({ device }) => Object.assign(device, { offsetMs: device.offsetMs - 1e7 }),
  ],
  ['a move to another zone', ({ move }) => move(localTimeIn('Europe/Berlin'))],
])('S0-11 %s ends it within seconds', (_, change) => {
  const night = watched(10);
  night.time.advance(1_000);
  expect(night.watch.signal.aborted).toBe(false);
  change(night);
  expect(night.watch.isOpen()).toBe(false);
  expect(openMs(night)).toBeLessThanOrEqual(5_000);
});

test('S0-30 a withdrawal ends it at once', () => {
  const night = watched(10);
  night.outer.abort();
  expect(night.watch.signal.aborted).toBe(true);
  expect(night.time.pendingMs).toEqual([]);
});

test.each([
  ['before its beginning', -1],
  ['after its end', 61],
])('%s it is not even open', (_, minutes) => {
  const { watch } = watched(minutes);
  expect(watch.isOpen()).toBe(false);
  expect(watch.signal.aborted).toBe(true);
});

test('who ends it leaves nothing behind, and has not been cut off', () => {
  const night = watched(10);
  night.watch.end();
  expect(night.time.pendingMs).toEqual([]);
  night.outer.abort();
  expect(night.watch.signal.aborted).toBe(false);
});
