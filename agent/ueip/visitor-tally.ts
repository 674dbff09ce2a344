import { discreteLaplace } from './discrete-laplace.ts';
import type { RandomBytes } from './random.ts';

/** What is remembered of a visitor until midnight, for the counters. */
export type VisitorDay = {
  readonly failures: number;
  readonly succeeded: boolean;
  /** 0…7 of the first failure's best score; undefined: has not failed. */
  readonly firstFailureScore: number | undefined;
};

export type VisitorTally = {
  /** Visitors who failed twice or more and never succeeded. */
  readonly failedAndNeverSucceeded: number;
  /** Visitors by the best score of their first failure: below 0.1, below 0.2, … below 0.7, the rest. */
  readonly firstFailureByScore: readonly number[];
};

/** Each visitor counts once: adds at most 1 to the first count, and 1 to at most one of the eight. */
export function tally(visitors: Iterable<VisitorDay>): VisitorTally {
  let failedAndNeverSucceeded = 0;
  const firstFailureByScore = new Array<number>(scoreBuckets).fill(0);
  for (const { failures, succeeded, firstFailureScore } of visitors) {
    if (failures >= 2 && !succeeded) failedAndNeverSucceeded += 1;
    if (firstFailureScore === undefined) continue;
    firstFailureByScore[firstFailureScore] = (firstFailureByScore[firstFailureScore] ?? 0) + 1;
  }
  return { failedAndNeverSucceeded, firstFailureByScore };
}

/** The same with noise on every count. The counts may be negative: clamping them would bias their sum. */
export function noisy(exact: VisitorTally, random: RandomBytes): VisitorTally {
  const plusNoise = (count: number) => count + discreteLaplace(noiseScale, random);
  return {
    failedAndNeverSucceeded: plusNoise(exact.failedAndNeverSucceeded),
    firstFailureByScore: exact.firstFailureByScore.map(plusNoise),
  };
}

/** 0…7. Nobody to compare with counts as no resemblance. */
export function scoreBucket(bestScore: number | null): number {
  if (Number.isNaN(bestScore)) throw new TypeError('a comparison score is a number');
  return Math.min(scoreBuckets - 1, Math.max(0, Math.floor((bestScore ?? 0) * 10)));
}

const scoreBuckets = 8;

/** Epsilon 1/6 for the count and 1/6 for the histogram: 1/3 a day. Standard deviation 8.5 each. */
const noiseScale = 6;
