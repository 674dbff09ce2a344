import type { PairScores } from './pair-scores.ts';
import { countAtLeast, nextAbove } from './score-threshold.ts';

export type FoldResult = {
  readonly fold: number;
  readonly pairs: number;
  readonly acquiredPairs: number;
  /** Chosen on all the other folds. */
  readonly threshold: number;
  /** Share of the compared pairs judged rightly. */
  readonly accuracy: number;
  /** Share of all pairs; one that could not be compared is taken for two persons. */
  readonly accuracyWithFta: number;
};

/** Mean over the folds; the deviation is the sample's (k - 1), the error that of the mean. */
export type FoldMean = {
  readonly mean: number;
  readonly standardDeviation: number;
  readonly standardError: number;
};

export type FoldAccuracy =
  | {
      readonly kind: 'measured';
      readonly accuracy: FoldMean;
      readonly accuracyWithFta: FoldMean;
      readonly meanThreshold: number;
      readonly folds: readonly FoldResult[];
    }
  | { readonly kind: 'not-supported'; readonly why: string };

/**
 * Accuracy at the best threshold, cross-validated: each fold is judged by the threshold that judges the
 * other folds best. This is the protocol of Labeled Faces in the Wild (Huang et al. 2007, view 2).
 * A threshold stands half way between two neighbouring scores; of equally good ones the strictest is
 * taken. Sorted scores, then one walk over them for all folds together.
 */
export function foldAccuracy(pairs: PairScores): FoldAccuracy {
  if (!pairs.folds) return { kind: 'not-supported', why: 'the pairs have no folds' };
  const folds = foldScores(pairs, pairs.folds);
  if (folds.length < 2) return { kind: 'not-supported', why: 'there are fewer than two folds' };
  const empty = folds.find((fold) => fold.mated.length + fold.nonMated.length === 0);
  if (empty) return { kind: 'not-supported', why: `no pair of fold ${empty.fold} was acquired` };
  const thresholds = bestForTheOthers(folds);
  const results = folds.map((fold, i) => resultOf(fold, thresholds[i] ?? Number.NaN));
  return {
    kind: 'measured',
    accuracy: meanOf(results.map((result) => result.accuracy)),
    accuracyWithFta: meanOf(results.map((result) => result.accuracyWithFta)),
    meanThreshold: meanOf(results.map((result) => result.threshold)).mean,
    folds: results,
  };
}

/** Ascending scores of the compared pairs, and how many pairs there are in all. */
type FoldScores = {
  readonly fold: number;
  readonly mated: Float64Array;
  readonly nonMated: Float64Array;
  readonly pairs: number;
  readonly nonMatedPairs: number;
};

function foldScores({ scores, same }: PairScores, labels: Int32Array): FoldScores[] {
  type Counts = { mated: number; nonMated: number; pairs: number; nonMatedPairs: number };
  const counted = new Map<number, Counts>();
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i] ?? 0;
    const counts = counted.get(label) ?? { mated: 0, nonMated: 0, pairs: 0, nonMatedPairs: 0 };
    counted.set(label, counts);
    counts.pairs += 1;
    if (same[i] === 0) counts.nonMatedPairs += 1;
    if (Number.isNaN(scores[i])) continue;
    if (same[i] === 1) counts.mated += 1;
    else counts.nonMated += 1;
  }
  const folds = new Map<number, FoldScores & { filled: [number, number] }>();
  for (const [fold, counts] of [...counted].sort(([a], [b]) => a - b)) {
    folds.set(fold, {
      fold,
      mated: new Float64Array(counts.mated),
      nonMated: new Float64Array(counts.nonMated),
      pairs: counts.pairs,
      nonMatedPairs: counts.nonMatedPairs,
      filled: [0, 0],
    });
  }
  for (let i = 0; i < labels.length; i++) {
    const score = scores[i] ?? Number.NaN;
    const fold = folds.get(labels[i] ?? 0);
    if (!fold || Number.isNaN(score)) continue;
    if (same[i] === 1) fold.mated[fold.filled[0]++] = score;
    else fold.nonMated[fold.filled[1]++] = score;
  }
  for (const fold of folds.values()) {
    fold.mated.sort();
    fold.nonMated.sort();
  }
  return [...folds.values()];
}

/**
 * For each fold the threshold with the most right answers in all the other folds. Its own scores have
 * no say, not even where between two scores of the others the threshold stands.
 */
function bestForTheOthers(folds: readonly FoldScores[]): number[] {
  const walks = folds.map((fold) => ({
    fold,
    mated: fold.mated.length,
    nonMated: fold.nonMated.length,
    bestRight: -1,
    bestLowest: Number.POSITIVE_INFINITY,
  }));
  // From the strictest threshold down: of each array the scores from index `mated`, `nonMated` on pass.
  let lowest = Number.POSITIVE_INFINITY;
  while (lowest !== Number.NEGATIVE_INFINITY) {
    let allRight = 0;
    let next = Number.NEGATIVE_INFINITY;
    for (const walk of walks) {
      const { mated, nonMated } = walk.fold;
      while ((mated[walk.mated - 1] ?? Number.NEGATIVE_INFINITY) >= lowest) walk.mated -= 1;
      while ((nonMated[walk.nonMated - 1] ?? Number.NEGATIVE_INFINITY) >= lowest) {
        walk.nonMated -= 1;
      }
      allRight += mated.length - walk.mated + walk.nonMated;
      next = Math.max(next, mated[walk.mated - 1] ?? next, nonMated[walk.nonMated - 1] ?? next);
    }
    for (const walk of walks) {
      const right = allRight - (walk.fold.mated.length - walk.mated + walk.nonMated);
      if (right <= walk.bestRight) continue;
      walk.bestRight = right;
      walk.bestLowest = lowest;
    }
    lowest = next;
  }
  return walks.map(({ fold, bestLowest }) => {
    const others = folds.filter((other) => other !== fold);
    return thresholdBelow(bestLowest, others);
  });
}

/** Half way from `lowest`, the lowest score that shall pass, to the next lower one of these folds. */
function thresholdBelow(lowest: number, folds: readonly FoldScores[]): number {
  let below = Number.NEGATIVE_INFINITY;
  for (const scores of folds.flatMap(({ mated, nonMated }) => [mated, nonMated])) {
    below = Math.max(below, scores[scores.length - 1 - countAtLeast(scores, lowest)] ?? below);
  }
  if (below === Number.NEGATIVE_INFINITY) return lowest;
  if (lowest === Number.POSITIVE_INFINITY) return nextAbove(below);
  const middle = below + (lowest - below) / 2;
  // Neighbouring numbers have nothing between them.
  return middle > below ? middle : lowest;
}

function resultOf(fold: FoldScores, threshold: number): FoldResult {
  const acquired = fold.mated.length + fold.nonMated.length;
  const right =
    countAtLeast(fold.mated, threshold) +
    fold.nonMated.length -
    countAtLeast(fold.nonMated, threshold);
  const refusedUnseen = fold.nonMatedPairs - fold.nonMated.length;
  return {
    fold: fold.fold,
    pairs: fold.pairs,
    acquiredPairs: acquired,
    threshold,
    accuracy: right / acquired,
    accuracyWithFta: (right + refusedUnseen) / fold.pairs,
  };
}

function meanOf(values: readonly number[]): FoldMean {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const standardDeviation = Math.sqrt(squares / (values.length - 1));
  return { mean, standardDeviation, standardError: standardDeviation / Math.sqrt(values.length) };
}
