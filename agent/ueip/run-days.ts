import { dayMs, toleranceMs } from './month.ts';

/**
 * The device's own count of days. It goes on with the monotonic clock, and follows a wall clock that is
 * believed wherever that is ahead. So it is a date, in days since 1970, that is never later than the truth
 * and is brought up to it whenever the truth is known: a record that bears it is never taken for younger
 * than it is, however long the device was off, and no clock that is not believed can change it.
 *
 * It begins at 0 (an empty store has nothing to be wrong about), and a grant needs a clock that is believed.
 * Days are fractional, so nothing is lost by restarts but what passed since the number was last written.
 */
export type RunDays = {
  readonly days: number;
  /** Up to when the monotonic clock of this process has been counted. */
  readonly countedMs: number;
};

/** `days` as it was stored. What cannot be a count is none. */
export function resumedRunDays(days: number, monotonicMs: number): RunDays {
  return { days: days >= 0 && days < latestDay ? days : 0, countedMs: monotonicMs };
}

/** For the timer that keeps everything else, and before each use. */
export function advancedRunDays(
  { days, countedMs }: RunDays,
  now: { readonly wallMs: number; readonly monotonicMs: number; readonly clockTrusted: boolean },
): RunDays {
  const ranMs = Math.max(0, now.monotonicMs - countedMs);
  const counted = days + ranMs / dayMs;
  return {
    days: now.clockTrusted ? corrected(counted, now.wallMs / dayMs) : counted,
    countedMs: countedMs + ranMs,
  };
}

/**
 * A count that is ahead by more than a day followed a clock that was wrong, and believed. Set right, it
 * makes what was collected meanwhile a record of the future, which nobody can date: it goes.
 */
function corrected(counted: number, believed: number): number {
  return counted - believed > toleranceMs / dayMs ? believed : Math.max(counted, believed);
}

/** The end of what a date can be in this language: 13 September 275760. */
const latestDay = 8.64e15 / dayMs;
