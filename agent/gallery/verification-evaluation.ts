import { type Acquisition, type AcquisitionCounts, countAcquisitions } from './acquisition.ts';
import type { Comparator } from './comparator.ts';
import { type VerificationAccuracy, verificationAccuracy } from './verification-accuracy.ts';

/** Two pictures that show one person, or two. */
export type PicturePair = {
  readonly probe: string;
  readonly reference: string;
  readonly same: boolean;
  /** Undefined in all pairs or in none. */
  readonly fold: number | undefined;
};

export type VerificationEvaluation = {
  readonly acquisition: AcquisitionCounts;
  readonly comparators: readonly {
    readonly name: string;
    readonly accuracy: VerificationAccuracy;
    /** In the order of the pairs; NaN: one of the two pictures gave no template. */
    readonly scores: Float64Array;
  }[];
};

/** Compares every pair in every way. `acquired` holds all pictures of the pairs. */
export function evaluateVerification(
  pairs: readonly PicturePair[],
  acquired: ReadonlyMap<string, Acquisition>,
  comparators: readonly Comparator[],
  fmrTargets?: readonly number[],
): VerificationEvaluation {
  const get = (picture: string): Acquisition => {
    const acquisition = acquired.get(picture);
    if (!acquisition) throw new TypeError(`${picture} was not acquired`);
    return acquisition;
  };
  const pictures = new Set(pairs.flatMap(({ probe, reference }) => [probe, reference]));
  const same = Uint8Array.from(pairs, (pair) => (pair.same ? 1 : 0));
  const folds = foldsOf(pairs);
  return {
    acquisition: countAcquisitions([...pictures].map(get)),
    comparators: comparators.map(({ name, compare }) => {
      const scores = Float64Array.from(pairs, (pair) => {
        const probe = get(pair.probe);
        const reference = get(pair.reference);
        return probe.kind === 'acquired' && reference.kind === 'acquired'
          ? compare(probe.embedding, reference.embedding)
          : Number.NaN;
      });
      return { name, scores, accuracy: verificationAccuracy({ scores, same, folds }, fmrTargets) };
    }),
  };
}

function foldsOf(pairs: readonly PicturePair[]): Int32Array | undefined {
  const folds = pairs.flatMap(({ fold }) => (fold === undefined ? [] : [fold]));
  if (folds.length === 0) return undefined;
  if (folds.length < pairs.length) throw new TypeError('some pairs have a fold and some have none');
  return Int32Array.from(folds);
}
