import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Collected } from '../ports.ts';
import { dayMs, monthEndsAtMs, monthLeftMs } from './month.ts';

const hourMs = 3_600_000;

describe('a month is over after 30 days, or on the same day of the next month if that is sooner', () => {
  // Two hours for summer time, wherever the calendar decides.
  test.each([
    ['a month of 31 days', '2027-03-15T12:00Z', '2027-04-14T12:00Z'],
    ['a month of 30 days', '2027-04-15T12:00Z', '2027-05-15T10:00Z'],
    ['February', '2027-02-15T12:00Z', '2027-03-15T10:00Z'],
    ['February of a leap year', '2028-02-15T12:00Z', '2028-03-15T10:00Z'],
    [
      '29 January, when a calendar in the west may still show the 28th',
      '2027-01-29T01:00Z',
      '2027-02-27T23:00Z',
    ],
    ['30 January', '2027-01-30T09:00Z', '2027-02-28T07:00Z'],
    ['31 January: the last day of the shorter month', '2027-01-31T15:00Z', '2027-02-28T13:00Z'],
    ['30 January in the west, 31 in the east', '2027-01-30T10:30Z', '2027-02-27T08:30Z'],
    ['1 March, and still February in the west', '2027-03-01T06:00Z', '2027-03-29T04:00Z'],
    ['31 December, into the next year', '2026-12-31T12:00Z', '2027-01-30T12:00Z'],
  ])('%s', (_, collected, ends) => {
    expect(new Date(monthEndsAtMs(Date.parse(collected))).toISOString()).toBe(
      new Date(ends).toISOString(),
    );
  });

  test('is never longer than the month of any calendar on Earth, nor shorter than 28 days less two hours', () => {
    const moment = fc.integer({ min: 0, max: Date.UTC(2100, 0) });
    const zone = fc.integer({ min: -12 * 4, max: 14 * 4 }).map((quarters) => quarters * 900_000);
    fc.assert(
      fc.property(moment, zone, (wallMs, offsetMs) => {
        const lengthMs = monthEndsAtMs(wallMs) - wallMs;
        expect(lengthMs).toBeLessThanOrEqual(30 * dayMs);
        expect(lengthMs).toBeGreaterThanOrEqual(28 * dayMs - 2 * hourMs);
        expect(monthEndsAtMs(wallMs)).toBeLessThanOrEqual(calendarMonth(wallMs, offsetMs));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('how much is left of a record’s month', () => {
  const collected: Collected = {
    wallMs: Date.UTC(2027, 4, 15),
    clockTrusted: true,
    runDay: 20_000,
  };
  const daysLater = (days: number, changes: Partial<Collected> = {}): Collected => ({
    wallMs: collected.wallMs + days * dayMs,
    clockTrusted: true,
    runDay: collected.runDay + days,
    ...changes,
  });
  const leftDays = (of: Collected, now: Collected) => monthLeftMs(of, now) / dayMs;
  const undated = { ...collected, clockTrusted: false };
  const shortest = 28 - 2 / 24;

  test.each([
    ['just collected', collected, daysLater(0), 30],
    ['ten days later', collected, daysLater(10), 20],
    ['when it is over', collected, daysLater(30), 0],
    ['after that', collected, daysLater(40), -10],
    [
      'the device was off, and the count does not know it yet',
      collected,
      daysLater(40, { runDay: collected.runDay + 1 }),
      -10,
    ],
    [
      'the clock was set back by less than a day',
      collected,
      daysLater(10, { wallMs: collected.wallMs - 0.9 * dayMs }),
      20,
    ],
    [
      'the clock is not believed now: the count decides',
      collected,
      daysLater(10, { clockTrusted: false, wallMs: 0 }),
      20,
    ],
    [
      'it jumped ten years ahead, and is not believed',
      collected,
      daysLater(1, { clockTrusted: false, wallMs: 3e12 }),
      29,
    ],
    ['the clock was not believed then: the shortest month', undated, daysLater(0), shortest],
    [
      'and neither did it count how old it looks by that clock',
      { ...undated, wallMs: 0 },
      daysLater(10),
      shortest - 10,
    ],
    ['nor how young', { ...undated, wallMs: 4e12 }, daysLater(10), shortest - 10],
    [
      'neither then nor now',
      { ...undated, wallMs: 0 },
      daysLater(10, { clockTrusted: false, wallMs: 9e12 }),
      shortest - 10,
    ],
    [
      'the count is behind by less than a day',
      collected,
      daysLater(0, { runDay: collected.runDay - 0.9 }),
      30,
    ],
  ])('%s', (_, of, now, left) => {
    expect(leftDays(of, now)).toBeCloseTo(left, 9);
  });

  test.each([
    [
      'of a clock that was believed, and of the future now',
      collected,
      daysLater(0, { wallMs: collected.wallMs - 1.1 * dayMs }),
    ],
    [
      'from ten years ahead',
      { ...collected, wallMs: collected.wallMs + 3650 * dayMs },
      daysLater(0),
    ],
    [
      'of a count that has not come so far',
      undated,
      daysLater(0, { runDay: collected.runDay - 1.1 }),
    ],
    ['of a count that was lost', collected, daysLater(0, { runDay: 0, clockTrusted: false })],
    ['of no count', { ...collected, runDay: Number.NaN }, daysLater(0)],
    ['of no time', { ...collected, wallMs: Number.NaN }, daysLater(0)],
  ])('none where nobody can tell its age: %s', (_, of, now) => {
    expect(monthLeftMs(of, now)).toBe(Number.NEGATIVE_INFINITY);
  });
});

/** The same day of the next month in a zone without summer time, or its last day. */
function calendarMonth(wallMs: number, offsetMs: number): number {
  const local = new Date(wallMs + offsetMs);
  const day = local.getUTCDate();
  const next = new Date(local);
  next.setUTCDate(1);
  next.setUTCMonth(next.getUTCMonth() + 1);
  const lastDay = new Date(Date.UTC(next.getUTCFullYear(), next.getUTCMonth() + 1, 0)).getUTCDate();
  next.setUTCDate(Math.min(day, lastDay));
  return next.getTime() - offsetMs;
}
