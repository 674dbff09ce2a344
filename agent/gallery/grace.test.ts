import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Generation } from '../ports.ts';
import { dayOf, graceEndsAt, isGraceOver, withDayCounted } from './grace.ts';

const dayMs = 86_400_000;
const start = Date.UTC(2026, 5, 1, 10);

function retiring(graceDays: number | null = 30): Generation {
  const retirement = { since: start, graceDays, daysSeen: 0, lastDay: dayOf(start) };
  const scope = { modelSha256: 'a'.repeat(64), version: 1, startedAt: 0 };
  return { ...scope, wrappedKey: null, retirement, endedAt: null };
}

const after = (moments: readonly number[], generation = retiring()) =>
  moments.reduce(withDayCounted, generation);

test('after thirty days at work the grace is over, and not a day before', () => {
  const days = Array.from({ length: 30 }, (_, i) => start + (i + 1) * dayMs);
  expect(isGraceOver(after(days.slice(0, 29)), start + 29 * dayMs)).toBe(false);
  expect(isGraceOver(after(days), start + 30 * dayMs)).toBe(true);
});

test('a day is counted once, however often the door looks', () => {
  const hours = Array.from({ length: 24 }, (_, i) => start + dayMs + i * 60_000);
  expect(after(hours).retirement?.daysSeen).toBe(1);
});

test('a clock that jumps by years ends nothing: a year is one day', () => {
  const jumped = after([start + 3650 * dayMs, start + 7300 * dayMs]);
  expect(jumped.retirement?.daysSeen).toBe(2);
  expect(isGraceOver(jumped, start + 7300 * dayMs)).toBe(false);
});

test('a device that was off for two months goes on counting where it was', () => {
  const before = after([start + dayMs, start + 2 * dayMs]);
  expect(isGraceOver(after([start + 62 * dayMs], before), start + 62 * dayMs)).toBe(false);
});

test('a clock that lost its battery and shows 1970 at every start counts nothing', () => {
  const flapping = Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? 5000 : start + 1000));
  expect(after(flapping).retirement?.daysSeen).toBe(0);
});

test('when a clock that was ahead has come back, counting goes on', () => {
  const ahead = after([start + 400 * dayMs]);
  const days = Array.from({ length: 30 }, (_, i) => start + (i + 1) * dayMs);
  // The first of them only sets the counting right.
  expect(after(days, ahead).retirement?.daysSeen).toBe(30);
  expect(isGraceOver(after(days, ahead), start + 30 * dayMs)).toBe(true);
});

test('where there is no end but new templates for all, no day ends it', () => {
  const days = Array.from({ length: 500 }, (_, i) => start + i * dayMs);
  const endless = after(days, retiring(null));
  expect(isGraceOver(endless, start + 500 * dayMs)).toBe(false);
  expect(graceEndsAt({ since: start, graceDays: null, daysSeen: 0, lastDay: 0 })).toBeNull();
});

test('whatever the clock shows, no grace ends before its date, nor with fewer looks than days', () => {
  const moments = fc.array(fc.integer({ min: 0, max: start + 9000 * dayMs }), { maxLength: 60 });
  const days = fc.integer({ min: 1, max: 40 });
  fc.assert(
    fc.property(moments, days, fc.boolean(), (drawn, graceDays, goesBack) => {
      const seen = goesBack ? drawn : drawn.toSorted((a, b) => a - b);
      const generation = after(seen, retiring(graceDays));
      const over = seen.filter((now) => isGraceOver(generation, now));
      if (over.length === 0) return;
      expect(Math.min(...over)).toBeGreaterThanOrEqual(start + graceDays * dayMs);
      // A clock that never goes back shows as many different days.
      const looks = goesBack ? seen.length : new Set(seen.map(dayOf)).size;
      expect(looks).toBeGreaterThanOrEqual(graceDays);
    }),
  );
});
