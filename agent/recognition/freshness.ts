/**
 * May a decision on a frame of `capturedAtMs` still open a door? What the camera saw longer ago than
 * `maxAgeMs` is no reason: the visitor may have gone. Both moments are of the monotonic clock; a frame of the
 * future has a wrong time and is never fresh.
 */
export function isFresh(capturedAtMs: number, nowMs: number, maxAgeMs: number): boolean {
  const ageMs = nowMs - capturedAtMs;
  return ageMs >= 0 && ageMs <= maxAgeMs;
}
