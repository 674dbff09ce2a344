import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { localTimeIn } from '../io/process/local-time.ts';
import { chiSquare, chiSquareLimit } from '../test/fakes/chi-square.ts';
import type { ToLocalTime } from '../ueip/attempt.ts';
import { firstTryMs, nextWindow, windowOf } from './window.ts';

const at = (iso: string) => Date.parse(iso);
const hourMs = 3_600_000;

describe('the window of a night', () => {
  test.each([
    ['Europe/London', '2027-03-27', '2027-03-27T01:00:00Z'],
    ['Europe/London', '2027-10-31', '2027-10-31T00:00:00Z'],
    ['America/New_York', '2027-11-07', '2027-11-07T05:00:00Z'],
    ['America/New_York', '2027-03-14', '2027-03-14T06:00:00Z'],
    ['Australia/Lord_Howe', '2027-04-04', '2027-04-03T14:00:00Z'],
    ['Asia/Kathmandu', '2027-01-05', '2027-01-04T19:15:00Z'],
    ['Africa/Cairo', '2027-04-30', '2027-04-29T22:00:00Z'],
    ['Pacific/Apia', '2027-01-05', '2027-01-04T12:00:00Z'],
  ])('S0-11 in %s on %s begins at %s and lasts an hour', (zone, date, start) => {
    const window = { localDate: date, startMs: at(start), endMs: at(start) + hourMs };
    expect(windowOf(date, localTimeIn(zone))).toEqual(window);
  });

  test.each([
    ['Europe/London', '2027-03-28'],
    ['Atlantic/Canary', '2027-03-28'],
    ['Antarctica/Troll', '2027-03-28'],
    ['Pacific/Apia', '2011-12-30'],
  ])('S0-11 in %s there is none on %s', (zone, date) => {
    expect(windowOf(date, localTimeIn(zone))).toBeUndefined();
  });

  test('of an hour that begins late is what there is of it', () => {
    // 00:30 -> 01:30 at 02:00 UTC of a zone that was two hours behind.
    const change = at('2027-05-01T02:30:00Z');
    const local = zoneOf([
      [Number.NEGATIVE_INFINITY, -120],
      [change, -60],
    ]);
    const window = windowOf('2027-05-01', local);
    expect(window).toEqual({
      localDate: '2027-05-01',
      startMs: change,
      endMs: change + hourMs / 2,
    });
  });

  test('of an hour that breaks off and comes again is its first piece', () => {
    // 01:30 -> 00:30
    const change = at('2027-10-01T01:30:00Z');
    const local = zoneOf([
      [Number.NEGATIVE_INFINITY, 0],
      [change, -60],
    ]);
    expect(windowOf('2027-10-01', local)).toMatchObject({
      startMs: at('2027-10-01T01:00:00Z'),
      endMs: change,
    });
  });

  test('what is no date is a mistake of the programmer', () => {
    expect(() => windowOf('tomorrow', localTimeIn('UTC'))).toThrow(TypeError);
  });
});

describe('the next window', () => {
  const london = localTimeIn('Europe/London');

  test.each([
    ['before it', '2027-01-05T00:59:59.999Z', '2027-01-05'],
    ['at its first moment', '2027-01-05T01:00:00Z', '2027-01-05'],
    ['at its last', '2027-01-05T01:59:59.999Z', '2027-01-05'],
    ['at its end', '2027-01-05T02:00:00Z', '2027-01-06'],
    ['at noon', '2027-01-05T12:00:00Z', '2027-01-06'],
    ['before the night without one', '2027-03-28T00:30:00Z', '2027-03-29'],
    ['while the hour comes a second time', '2027-10-31T01:30:00Z', '2027-11-01'],
  ])('S0-11 %s', (_, now, date) => {
    expect(nextWindow(at(now), london).localDate).toBe(date);
  });

  test('S0-11 moves with the house to another zone', () => {
    const now = at('2027-01-05T00:30:00Z');
    expect(nextWindow(now, london).startMs).toBe(at('2027-01-05T01:00:00Z'));
    expect(nextWindow(now, localTimeIn('Europe/Berlin')).startMs).toBe(at('2027-01-05T00:00:00Z'));
  });

  test('of a world without an hour from 1 to 2 is a mistake, not an endless search', () => {
    const noon: ToLocalTime = () => ({ date: '2027-01-05', hour: 12, utcOffsetMinutes: 0 });
    expect(() => nextWindow(at('2027-01-05T00:00:00Z'), noon)).toThrow(TypeError);
  });
});

describe('the first try', () => {
  const window = {
    localDate: '2027-01-05',
    startMs: at('2027-01-05T01:00:00Z'),
    endMs: at('2027-01-05T02:00:00Z'),
  };
  const draw = (secret: string) => (localDate: string) =>
    createHmac('sha256', secret).update(localDate).digest();

  test('S0-11 is spread evenly over 45 minutes: 10,000 devices', () => {
    const counts = Array.from({ length: 45 }, () => 0);
    for (let device = 0; device < 10_000; device++) {
      const minute = Math.floor(
        (firstTryMs(window, draw(`device ${device}`)) - window.startMs) / 60_000,
      );
      counts[minute] = (counts[minute] ?? 0) + 1;
    }
    expect(counts).toHaveLength(45);
    expect(chiSquare(counts, () => 10_000 / 45)).toBeLessThan(chiSquareLimit(44));
  });

  test('S0-11 of one device is evenly spread over 10,000 nights, and the same when asked again', () => {
    const counts = Array.from({ length: 45 }, () => 0);
    const one = draw('one device');
    for (let night = 0; night < 10_000; night++) {
      const localDate = new Date(night * 86_400_000).toISOString().slice(0, 10);
      const offsetMs = firstTryMs({ ...window, localDate }, one) - window.startMs;
      expect(firstTryMs({ ...window, localDate }, one) - window.startMs).toBe(offsetMs);
      const minute = Math.floor(offsetMs / 60_000);
      counts[minute] = (counts[minute] ?? 0) + 1;
    }
    expect(counts).toHaveLength(45);
    expect(chiSquare(counts, () => 10_000 / 45)).toBeLessThan(chiSquareLimit(44));
  });

  test('lies in the first three quarters of a window that is short', () => {
    const short = { ...window, endMs: window.startMs + 1_800_000 };
    for (let device = 0; device < 500; device++) {
      const offsetMs = firstTryMs(short, draw(`device ${device}`)) - short.startMs;
      expect(offsetMs).toBeGreaterThanOrEqual(0);
      expect(offsetMs).toBeLessThan(1_350_000);
    }
  });

  test('takes all of the draw into account', () => {
    const of = (...bytes: number[]) => firstTryMs(window, () => Uint8Array.from(bytes));
    expect(of(0, 0, 0, 0, 0, 7)).toBe(window.startMs + 7);
    expect(of(0, 1, 0, 0, 0, 0)).toBe(window.startMs + (2 ** 32 % 2_700_000));
    expect(of(0, 0, 0, 41, 0x32, 0xe0)).toBe(window.startMs);
    expect(() => of(1, 2, 3)).toThrow(TypeError);
  });
});

/** A zone made up of its offsets, in minutes, each from a moment on. */
function zoneOf(offsets: readonly (readonly [number, number])[]): ToLocalTime {
  return (wallMs) => {
    const utcOffsetMinutes = offsets.findLast(([fromMs]) => fromMs <= wallMs)?.[1] ?? 0;
    const local = new Date(wallMs + utcOffsetMinutes * 60_000).toISOString();
    return { date: local.slice(0, 10), hour: Number(local.slice(11, 13)), utcOffsetMinutes };
  };
}
