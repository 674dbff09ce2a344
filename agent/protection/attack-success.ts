import { type Proportion, proportion } from '../gallery/proportion.ts';
import type { Draws } from './draws.ts';
import { byIdentity, type FaceSample } from './labelled-faces.ts';
import { cosine } from './linear-algebra.ts';

/** Somebody whose code was stolen. */
export type Target = {
  /** The embedding the stolen code was made of. */
  readonly leaked: Float32Array;
  /** That of another picture of the same person. */
  readonly other: Float32Array;
};

/** Who is attacked, and whose faces the attacker has: none of a target. */
export type AttackedFaces = {
  readonly targets: readonly Target[];
  readonly strangers: readonly Float32Array[];
};

/**
 * The attacker stops at the embedding: a perfect generator of pictures is granted, so the rates are upper
 * bounds. Success: the guess compares with an embedding of the target at or above the threshold of the
 * unprotected system (an FMR of 1e-3).
 */
export type AttackSuccess = {
  /** Between the guess and the embedding the code was made of. */
  readonly meanCosine: number;
  /** Against that embedding. */
  readonly typeI: Proportion;
  /** Against another picture of the person. */
  readonly typeII: Proportion;
};

export type Guess = { readonly target: Target; readonly values: ArrayLike<number> };

export function attackSuccess(guesses: readonly Guess[], threshold: number): AttackSuccess {
  let sum = 0;
  let typeI = 0;
  let typeII = 0;
  for (const { target, values } of guesses) {
    const reached = cosine(values, target.leaked);
    sum += reached;
    if (reached >= threshold) typeI += 1;
    if (cosine(values, target.other) >= threshold) typeII += 1;
  }
  return {
    meanCosine: guesses.length === 0 ? 0 : sum / guesses.length,
    typeI: proportion(typeI, guesses.length),
    typeII: proportion(typeII, guesses.length),
  };
}

/**
 * Persons by lot: half of those with several pictures, at most `targetCount`, are attacked; all the pictures
 * of everybody else, at most `strangerCount`, are the attacker's.
 */
export function divideFaces(
  samples: readonly FaceSample[],
  targetCount: number,
  strangerCount: number,
  draws: Draws,
): AttackedFaces {
  const people = [...byIdentity(samples).values()];
  const several = people.filter(({ length }) => length > 1);
  const attacked = new Set(
    draws.take(several, Math.min(targetCount, Math.ceil(several.length / 2))),
  );
  const others = people.filter((own) => !attacked.has(own)).flat();
  const targets = [...attacked].flatMap((own) => {
    const [leaked, other] = draws.take(own, 2);
    return leaked && other
      ? [{ leaked: leaked.embedding.values, other: other.embedding.values }]
      : [];
  });
  const strangers = draws.take(others, strangerCount).map(({ embedding }) => embedding.values);
  return { targets, strangers };
}
