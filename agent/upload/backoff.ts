import { type RandomBytes, uniformBelow } from '../ueip/random.ts';

/** How often one thing is tried in a night. */
export const mostTries = 6;

/**
 * How long to wait before try `tries` + 1: full jitter, anything up to 30 s, 60 s, 120 s, …, 300 s, and never
 * less than 2 s or than the other side asks for.
 *
 * The base is large because a million devices share the other side; the cap is such that all six tries fit
 * into the quarter of an hour that the spread of first tries leaves (30 + 60 + 120 + 240 + 300 s at the most).
 */
export function backoffMs(tries: number, askedMs: number, random: RandomBytes): number {
  const ceilingMs = Math.min(capMs, baseMs * 2 ** (tries - 1));
  return Math.max(leastMs, askedMs, uniformBelow(ceilingMs + 1, random));
}

const baseMs = 30_000;
const capMs = 300_000;
const leastMs = 2_000;
