import { dayMs } from './month.ts';

/**
 * How many days a bucket may keep what has this much of its month left; 0: none. So that the age of a
 * record on the device and in the bucket together stays within its month.
 */
export function ttlDaysOf(leftMs: number): number {
  return Math.max(0, Math.min(Math.floor(leftMs / dayMs) - bucketSlackDays, ttlClasses.length));
}

/** Every class there is, longest first. The bucket needs a rule for each: it deletes by prefix. */
export const ttlClasses: readonly number[] = Array.from({ length: 28 }, (_, i) => 28 - i);

/** 'ttl07/' */
export function ttlPrefix(ttlDays: number): string {
  return `ttl${String(ttlDays).padStart(2, '0')}/`;
}

/**
 * How much later than its rule says a bucket may delete. OSS: an object must be older than the days of the
 * rule, and is then deleted in the next of its daily runs.
 */
export const bucketSlackDays = 2;
