import type { DecisionSettings } from './decision.ts';

/**
 * How far above the threshold a match must be to make a new template: a wrong one would open the door to
 * somebody else from then on, a wrong match does it once.
 */
export const strongLead = 0.1;

/** A match that is beyond doubt: far above the threshold, and twice the margin before every other resident. */
export function isStrong(
  score: number,
  runnerUpScore: number | undefined,
  { threshold, margin }: DecisionSettings,
): boolean {
  if (score < threshold + strongLead) return false;
  return runnerUpScore === undefined || score - runnerUpScore >= 2 * margin;
}
