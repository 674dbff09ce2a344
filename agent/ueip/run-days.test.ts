import { describe, expect, test } from 'vitest';
import { dayMs } from './month.ts';
import { advancedRunDays, type RunDays, resumedRunDays } from './run-days.ts';

const today = 20_880.25;

test('the first clock that is believed gives the date', () => {
  const begun = resumedRunDays(0, 5000);
  expect(at(begun, { ranMs: 0 }).days).toBe(0);
  expect(at(begun, { ranMs: 0, believed: today }).days).toBe(today);
});

test('while the clock is not believed, only time that the agent saw is counted', () => {
  const count = at(resumedRunDays(today, 5000), { ranMs: dayMs / 4, shown: today + 3650 });
  expect(count.days).toBeCloseTo(today + 0.25, 9);
  expect(at(count, { ranMs: dayMs / 4, shown: today - 3650 }).days).toBeCloseTo(today + 0.5, 9);
});

test('a device that restarts every hour loses nothing of its days', () => {
  let days = today;
  for (let hour = 0; hour < 24 * 30; hour++) {
    // The monotonic clock begins anew with each boot.
    days = at(resumedRunDays(days, 40_000), { ranMs: dayMs / 24 }).days;
  }
  expect(days).toBeCloseTo(today + 30, 6);
});

test('what the device was switched off for is counted as soon as a clock is believed', () => {
  const count = at(resumedRunDays(today, 0), { ranMs: 1000 });
  expect(at(count, { ranMs: 0, believed: today + 40 }).days).toBe(today + 40);
});

test('a clock that is believed and a little behind sets nothing back', () => {
  const count = resumedRunDays(today, 0);
  expect(at(count, { ranMs: 0, believed: today - 0.9 }).days).toBe(today);
});

test('one that is far behind shows that the count followed a wrong one, and sets it right', () => {
  const count = resumedRunDays(today + 3650, 0);
  expect(at(count, { ranMs: 0, believed: today }).days).toBe(today);
  expect(at(resumedRunDays(today, 0), { ranMs: dayMs, believed: today - 0.1 }).days).toBe(
    today - 0.1,
  );
});

test('nothing is counted twice, and a monotonic clock that would go back counts nothing', () => {
  const count = at(resumedRunDays(today, 10_000), { ranMs: dayMs });
  expect(count.countedMs).toBe(10_000 + dayMs);
  expect(at(count, { ranMs: 0 })).toEqual(count);
  expect(at(count, { ranMs: -5000 })).toEqual(count);
});

describe('what was stored and cannot be a count is none', () => {
  test.each([-1, Number.NaN, Infinity, 1e9])('%d', (days) => {
    expect(resumedRunDays(days, 7)).toEqual({ days: 0, countedMs: 7 });
  });
});

/** `believed` or only `shown`: the date of the wall clock, in days since 1970. */
function at(count: RunDays, now: { ranMs: number; believed?: number; shown?: number }): RunDays {
  return advancedRunDays(count, {
    monotonicMs: count.countedMs + now.ranMs,
    wallMs: (now.believed ?? now.shown ?? 0) * dayMs,
    clockTrusted: now.believed !== undefined,
  });
}
