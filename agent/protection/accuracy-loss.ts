import type { Acquisition } from '../gallery/acquisition.ts';
import { type Comparator, cosineComparator } from '../gallery/comparator.ts';
import { templateComparator } from '../gallery/template-comparator.ts';
import type { VerificationAccuracy } from '../gallery/verification-accuracy.ts';
import { evaluateVerification, type PicturePair } from '../gallery/verification-evaluation.ts';
import type { Kernels } from '../ports.ts';
import type { Protector } from '../template/protect.ts';
import type { LabelledFaces } from './labelled-faces.ts';

/** Verification without protection, and under each key. */
export type AccuracyLoss = {
  readonly plain: Accuracy;
  readonly keys: readonly Accuracy[];
  /** Percentage points of accuracy lost by folds; negative: gained. Null where there are no folds. */
  readonly foldLoss: Loss | null;
  /** Percentage points of TMR lost at equal FMR, for each rate that the pairs can show. */
  readonly tmrLoss: readonly (Loss & { readonly fmrTarget: number })[];
  /** Of the unprotected comparison at an FMR of 1e-3. Null: too few pairs of two persons. */
  readonly plainThreshold: number | null;
};

export type Loss = { readonly mean: number; readonly worst: number };

export type Accuracy = {
  readonly folds: VerificationAccuracy['folds'];
  readonly operatingPoints: VerificationAccuracy['operatingPoints'];
  /** Ascending: for a picture of them. */
  readonly scores: { readonly mated: Float64Array; readonly nonMated: Float64Array };
};

/** At this FMR an attack counts as successful, and P2 is judged. */
export const attackFmr = 1e-3;

export function accuracyLoss(
  { pairs, trials }: Pick<LabelledFaces, 'pairs' | 'trials'>,
  acquired: ReadonlyMap<string, Acquisition>,
  protectors: readonly Protector[],
  kernels: Pick<Kernels, 'hammingTopK'>,
): AccuracyLoss {
  const measure = (comparator: Comparator) => accuracyOf(comparator, pairs, trials, acquired);
  const plain = measure(cosineComparator);
  const keys = protectors.map((protector) => measure(templateComparator(protector, kernels)));
  const before = tmrAt(plain, attackFmr);
  return {
    plain,
    keys,
    foldLoss: lossOf(foldAccuracyOf(plain), keys.map(foldAccuracyOf)),
    tmrLoss: plain.operatingPoints.flatMap(({ fmrTarget }) => {
      const loss = lossOf(
        tmrAt(plain, fmrTarget)?.tmr,
        keys.map((key) => tmrAt(key, fmrTarget)?.tmr),
      );
      return loss ? [{ fmrTarget, ...loss }] : [];
    }),
    plainThreshold: before?.threshold ?? null,
  };
}

function accuracyOf(
  comparator: Comparator,
  pairs: readonly PicturePair[],
  trials: readonly PicturePair[],
  acquired: ReadonlyMap<string, Acquisition>,
): Accuracy {
  const [byFolds] = evaluateVerification(pairs, acquired, [comparator]).comparators;
  const [byRates] = evaluateVerification(trials, acquired, [comparator]).comparators;
  if (!byFolds || !byRates) throw new TypeError('an evaluation answers for every comparator');
  const scoresOf = (same: boolean) =>
    byRates.scores.filter((score, i) => trials[i]?.same === same && !Number.isNaN(score)).sort();
  return {
    folds: byFolds.accuracy.folds,
    operatingPoints: byRates.accuracy.operatingPoints,
    scores: { mated: scoresOf(true), nonMated: scoresOf(false) },
  };
}

function foldAccuracyOf({ folds }: Accuracy): number | undefined {
  return folds.kind === 'measured' ? folds.accuracy.mean : undefined;
}

function tmrAt({ operatingPoints }: Accuracy, fmr: number) {
  const point = operatingPoints.find(({ fmrTarget }) => fmrTarget === fmr);
  if (point?.kind !== 'measured' || point.tmr.share === null) return undefined;
  return { tmr: point.tmr.share, threshold: point.threshold };
}

/** In percentage points. */
function lossOf(before: number | undefined, after: readonly (number | undefined)[]): Loss | null {
  if (before === undefined) return null;
  const losses = after.flatMap((value) => (value === undefined ? [] : [100 * (before - value)]));
  if (losses.length === 0) return null;
  const mean = losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
  return { mean, worst: Math.max(...losses) };
}
