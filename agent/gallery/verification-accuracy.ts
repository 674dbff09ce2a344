import { type FoldAccuracy, foldAccuracy } from './fold-accuracy.ts';
import { checkPairScores, type PairScores } from './pair-scores.ts';
import { type Proportion, proportion } from './proportion.ts';
import { countAtLeast, nextAbove, thresholdForRate } from './score-threshold.ts';

/**
 * FMR and FNMR are of the comparisons that took place (ISO/IEC 19795-1). FAR and FRR are of all pairs:
 * a pair without a comparison is refused, which is an error for a mated pair and right for the other.
 */
export type VerificationPoint =
  | {
      readonly kind: 'measured';
      readonly fmrTarget: number;
      readonly threshold: number;
      readonly fmr: Proportion;
      readonly fnmr: Proportion;
      readonly tmr: Proportion;
      readonly farWithFta: Proportion;
      readonly frrWithFta: Proportion;
    }
  | {
      readonly kind: 'not-supported';
      readonly fmrTarget: number;
      readonly nonMatedPairsNeeded: number;
    };

/** Where FMR and FNMR come closest, at the lowest such threshold; the rate is their mean. */
export type EqualError = {
  readonly rate: number;
  readonly fmr: number;
  readonly fnmr: number;
  readonly threshold: number;
};

export type VerificationAccuracy = {
  readonly matedPairs: number;
  readonly nonMatedPairs: number;
  readonly notAcquired: { readonly matedPairs: number; readonly nonMatedPairs: number };
  readonly folds: FoldAccuracy;
  /** Null where no mated or no non-mated pair could be compared. */
  readonly equalError: EqualError | null;
  readonly operatingPoints: readonly VerificationPoint[];
};

export const defaultFmrTargets = [1e-2, 1e-3, 1e-4] as const;

/** How well 1:1 comparison scores part one person from two. A pair is accepted at score >= threshold. */
export function verificationAccuracy(
  pairs: PairScores,
  fmrTargets: readonly number[] = defaultFmrTargets,
): VerificationAccuracy {
  checkPairScores(pairs);
  const mated = acquiredScores(pairs, 1);
  const nonMated = acquiredScores(pairs, 0);
  let matedPairs = 0;
  for (const same of pairs.same) matedPairs += same;
  const nonMatedPairs = pairs.same.length - matedPairs;
  return {
    matedPairs,
    nonMatedPairs,
    notAcquired: {
      matedPairs: matedPairs - mated.length,
      nonMatedPairs: nonMatedPairs - nonMated.length,
    },
    folds: foldAccuracy(pairs),
    equalError: equalError(mated, nonMated),
    operatingPoints: fmrTargets.map((fmrTarget): VerificationPoint => {
      const found = thresholdForRate(nonMated, nonMated.length, fmrTarget, mated);
      if (found.kind === 'not-supported') {
        return { kind: 'not-supported', fmrTarget, nonMatedPairsNeeded: found.trialsNeeded };
      }
      const { threshold } = found;
      const matched = countAtLeast(mated, threshold);
      const falseMatches = countAtLeast(nonMated, threshold);
      return {
        kind: 'measured',
        fmrTarget,
        threshold,
        fmr: proportion(falseMatches, nonMated.length),
        fnmr: proportion(mated.length - matched, mated.length),
        tmr: proportion(matched, mated.length),
        farWithFta: proportion(falseMatches, nonMatedPairs),
        frrWithFta: proportion(matedPairs - matched, matedPairs),
      };
    }),
  };
}

/** Ascending. */
function acquiredScores({ scores, same }: PairScores, kind: 0 | 1): Float64Array {
  return scores.filter((score, i) => same[i] === kind && !Number.isNaN(score)).sort();
}

/** FNMR grows and FMR falls with the threshold: one walk through all distinct scores finds the crossing. */
function equalError(mated: Float64Array, nonMated: Float64Array): EqualError | null {
  if (mated.length === 0 || nonMated.length === 0) return null;
  let below = 0;
  let belowOther = 0;
  let best: EqualError | null = null;
  for (;;) {
    // Below the threshold lie `below` mated and `belowOther` non-mated scores.
    const seen = Math.min(mated[below] ?? Infinity, nonMated[belowOther] ?? Infinity);
    const threshold = Number.isFinite(seen) ? seen : aboveAll(mated, nonMated);
    const fnmr = below / mated.length;
    const fmr = (nonMated.length - belowOther) / nonMated.length;
    if (best && Math.abs(fmr - fnmr) >= Math.abs(best.fmr - best.fnmr)) return best;
    best = { rate: (fmr + fnmr) / 2, fmr, fnmr, threshold };
    if (!Number.isFinite(seen)) return best;
    while (mated[below] === seen) below += 1;
    while (nonMated[belowOther] === seen) belowOther += 1;
  }
}

function aboveAll(mated: Float64Array, nonMated: Float64Array): number {
  return nextAbove(Math.max(mated.at(-1) ?? -Infinity, nonMated.at(-1) ?? -Infinity));
}
