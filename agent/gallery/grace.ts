import type { Generation, Retirement } from '../ports.ts';

const dayMs = 86_400_000;

/** Whole days since 1970. */
export function dayOf(wallMs: number): number {
  return Math.floor(wallMs / dayMs);
}

/** How long both generations live where nobody says otherwise. */
export const presetGraceDays = 30;

/**
 * The days on which the door was at work, counted beside the clock: a clock that jumps by years makes one
 * day of it, and no night ends a grace period early. A day before the last one is not counted; if it lies after
 * the beginning, the clock had been ahead, and counting goes on from here.
 */
export function withDayCounted(generation: Generation, wallMs: number): Generation {
  const { retirement } = generation;
  if (!retirement) return generation;
  const today = dayOf(wallMs);
  const { daysSeen, lastDay, since } = retirement;
  if (today > lastDay) {
    return { ...generation, retirement: { ...retirement, daysSeen: daysSeen + 1, lastDay: today } };
  }
  if (today < lastDay && today >= dayOf(since)) {
    return { ...generation, retirement: { ...retirement, lastDay: today } };
  }
  return generation;
}

/** Both have passed: the date, and as many days at work. */
export function isGraceOver({ retirement }: Generation, wallMs: number): boolean {
  if (!retirement || retirement.graceDays === null) return false;
  const endsAt = graceEndsAt(retirement);
  return endsAt !== null && wallMs >= endsAt && retirement.daysSeen >= retirement.graceDays;
}

/** Not before this moment. Null: when everybody has new templates. */
export function graceEndsAt({ since, graceDays }: Retirement): number | null {
  return graceDays === null ? null : since + graceDays * dayMs;
}
