import type { Candidate } from './search.ts';

export type DecisionSettings = {
  /** The least score of a match. */
  readonly threshold: number;
  /** The least distance to the best other resident. */
  readonly margin: number;
};

/** What the comparison says. Whether the door opens is not decided here. */
export type Decision =
  | {
      readonly kind: 'match';
      readonly residentId: string;
      readonly score: number;
      readonly runnerUpScore: number | undefined;
    }
  | { readonly kind: 'no-match'; readonly score: number | undefined }
  | {
      readonly kind: 'ambiguous';
      readonly score: number;
      readonly runnerUpScore: number;
    };

/**
 * A match needs a score at the threshold and no other resident within the margin: two residents who look
 * alike are told apart, or neither is named. The order of the candidates does not matter.
 */
export function decide(candidates: Iterable<Candidate>, settings: DecisionSettings): Decision {
  const { threshold, margin } = settings;
  if (!Number.isFinite(threshold) || !(margin >= 0)) {
    throw new TypeError('a decision needs a threshold and a margin of 0 or more');
  }
  const [best, runnerUp] = bestTwo(candidates);
  if (!best || best.score < threshold) return { kind: 'no-match', score: best?.score };
  const { residentId, score } = best;
  // Equal scores name nobody even with a margin of 0: the answer would hang on the order.
  if (runnerUp && (score - runnerUp.score < margin || score === runnerUp.score)) {
    return { kind: 'ambiguous', score, runnerUpScore: runnerUp.score };
  }
  return { kind: 'match', residentId, score, runnerUpScore: runnerUp?.score };
}

/** The best candidate, and the best one of another resident. */
function bestTwo(candidates: Iterable<Candidate>): [Candidate?, Candidate?] {
  let best: Candidate | undefined;
  let runnerUp: Candidate | undefined;
  for (const candidate of candidates) {
    if (!Number.isFinite(candidate.score)) throw new TypeError('a score must be a number');
    if (!best || candidate.score > best.score) {
      if (best && best.residentId !== candidate.residentId) runnerUp = best;
      best = candidate;
    } else if (candidate.residentId !== best.residentId) {
      if (!runnerUp || candidate.score > runnerUp.score) runnerUp = candidate;
    }
  }
  return best ? (runnerUp ? [best, runnerUp] : [best]) : [];
}
