import type { Collected } from '../ports.ts';

/** The same of this moment: what the clock shows, whether it is believed, and the device's own count of days. */
export type Now = Collected;

/**
 * How much of its month a record has left, in milliseconds: the least that any clock allows. None left, or
 * less: it must be gone, on the device and in the bucket together. -Infinity: nobody can tell how old it is.
 *
 * The count of days (run-days.ts) is never behind a clock that was believed, so what it says of a record's
 * age is at least the truth as soon as a clock is believed again. Until then, time in which the device was
 * off does not count. A clock that is not believed decides nothing.
 */
export function monthLeftMs(collected: Collected, now: Now): number {
  const countedMs = (now.runDay - collected.runDay) * dayMs;
  const monthMs = collected.clockTrusted
    ? monthEndsAtMs(collected.wallMs) - collected.wallMs
    : shortestMonthMs;
  if (!(countedMs >= -toleranceMs)) return Number.NEGATIVE_INFINITY;
  const leftMs = monthMs - countedMs;
  if (!collected.clockTrusted || !now.clockTrusted) return leftMs;
  const elapsedMs = now.wallMs - collected.wallMs;
  // Both clocks were believed, and one of them was wrong.
  if (!(elapsedMs >= -toleranceMs)) return Number.NEGATIVE_INFINITY;
  return Math.min(leftMs, monthMs - elapsedMs);
}

/**
 * When a month from `collectedWallMs` is over: after 30 days, or on the same day of the next month (its last
 * day where it is shorter), whichever comes first. The house may lie in any time zone and have summer
 * time, so the earliest of what its calendar could show.
 */
export function monthEndsAtMs(collectedWallMs: number): number {
  const inZone = (offsetMs: number) =>
    sameDayOfNextMonth(collectedWallMs + offsetMs) - offsetMs - summerTimeMs;
  return Math.min(
    collectedWallMs + 30 * dayMs,
    inZone(westernmostMs),
    // Of up to three dates on Earth at one moment the shortest month is never that of the one between.
    inZone(easternmostMs),
  );
}

function sameDayOfNextMonth(wallMs: number): number {
  const then = new Date(wallMs);
  const [year, month] = [then.getUTCFullYear(), then.getUTCMonth()];
  const lastDay = new Date(Date.UTC(year, month + 2, 0)).getUTCDate();
  const midnightMs = Date.UTC(year, month, then.getUTCDate());
  return Date.UTC(year, month + 1, Math.min(then.getUTCDate(), lastDay)) + (wallMs - midnightMs);
}

export const dayMs = 86_400_000;
const hourMs = 3_600_000;
/** Troll station sets its clocks by two hours, all others by one or less. */
const summerTimeMs = 2 * hourMs;
const westernmostMs = -12 * hourMs;
const easternmostMs = 14 * hourMs;
/** February. What bears no date that is believed gets no more. */
const shortestMonthMs = 28 * dayMs - summerTimeMs;
/** Clocks that are right are corrected by less. */
export const toleranceMs = 24 * hourMs;
