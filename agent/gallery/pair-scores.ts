/** Compared pairs, column by column, so that ten million of them fit in 130 MB. */
export type PairScores = {
  /** NaN: no template could be made of one of the two pictures. */
  readonly scores: Float64Array;
  /** 1: two pictures of one person (mated), 0: of two (non-mated). */
  readonly same: Uint8Array;
  /** The fold of each pair, where the list of pairs has folds. */
  readonly folds: Int32Array | undefined;
};

/** Throws a TypeError unless the columns fit together. */
export function checkPairScores({ scores, same, folds }: PairScores): void {
  if (same.length !== scores.length || (folds && folds.length !== scores.length)) {
    throw new TypeError('scores, same and folds differ in length');
  }
  if (same.some((value) => value > 1)) throw new TypeError('same is 0 or 1');
  if (scores.some((score) => Math.abs(score) === Number.POSITIVE_INFINITY)) {
    throw new TypeError('a comparison score is not finite');
  }
}
