import type { Protector } from '../template/protect.ts';
import {
  type AttackedFaces,
  type AttackSuccess,
  attackSuccess,
  type Guess,
} from './attack-success.ts';
import { createBlindAligner } from './blind-alignment.ts';
import { differingBits, packCodes } from './codes.ts';
import type { Draws } from './draws.ts';
import { decodeByKnownPairs, facePrior } from './known-pairs.ts';
import { learnDecoder } from './learned-decoder.ts';
import { meanVector } from './linear-algebra.ts';
import { backProject, openKey, satisfySigns } from './opened-key.ts';

/** What the attacker has besides strangers' faces, and how far it gets him. */
export type Attack = {
  readonly id: AttackId;
  readonly has: string;
  readonly success: AttackSuccess;
};

export type AttackId =
  | 'embedding'
  | 'nothing'
  | 'other-key'
  | 'blind'
  | 'back-projection'
  | 'sign-constraints'
  | 'learned'
  | 'dictionary'
  | `known-pairs-${number}`;

export type AttackSizes = {
  /** Examples of a learned decoder. */
  readonly examples: number;
  /** Codes and faces of the blind alignment. */
  readonly aligned: number;
  /** Targets of the sign-constrained reconstruction, which takes longest. */
  readonly constrained: number;
  /** How many (face, code) pairs somebody may know. */
  readonly knownPairs: readonly number[];
};

/**
 * Every attack of the survey in docs/privacy.md. Attacks without the key run on each of the keys, the others on
 * the first: there, what they reach hardly depends on it. At least two keys, and one target.
 */
export function runAttacks(
  { targets, strangers }: AttackedFaces,
  protectors: readonly Protector[],
  threshold: number,
  sizes: AttackSizes,
  draws: Draws,
): Attack[] {
  const [first] = protectors;
  const dimensions = strangers[0]?.length ?? 0;
  if (!first || protectors.length < 2) throw new TypeError('attacks need two keys');
  const attack = (id: AttackId, has: string, guesses: readonly Guess[]): Attack => {
    return { id, has, success: attackSuccess(guesses, threshold) };
  };
  const guessAll = (protector: Protector, guess: (code: Uint8Array) => ArrayLike<number>) =>
    targets.map((target) => ({ target, values: guess(codeOf(protector, target.leaked)) }));

  const opened = openKey(first, dimensions);
  const mean = meanVector(strangers);
  const examples = draws.take(strangers, sizes.examples);
  const dictionary = packCodes(strangers.map((face) => codeOf(first, face)));
  const ownCodes = [...examples, ...randomFaces(sizes.examples, dimensions, draws)];
  const prior = facePrior(strangers);
  const align = createBlindAligner(strangers);
  // A stolen gallery holds other codes of the same people too.
  const stolen = [...targets.map(({ leaked }) => leaked), ...targets.map(({ other }) => other)];
  const aligned = stolen.slice(0, sizes.aligned);
  return [
    attack(
      'embedding',
      'the embedding itself',
      targets.map((target) => ({ target, values: target.leaked })),
    ),
    attack(
      'nothing',
      'nothing: the mean of strangers',
      targets.map((target) => ({ target, values: mean })),
    ),
    attack(
      'other-key',
      'codes; a decoder learned with another key',
      protectors.flatMap((protector, i) => {
        const own = protectors[(i + 1) % protectors.length] ?? first;
        return guessAll(protector, learnDecoder(codesOf(own, examples), examples));
      }),
    ),
    attack(
      'blind',
      `codes; ${aligned.length} of them aligned blindly`,
      protectors.flatMap((protector) => {
        const guesses = align(codesOf(protector, aligned));
        return targets
          .slice(0, aligned.length)
          .map((target, i) => ({ target, values: guesses[i] ?? [] }));
      }),
    ),
    attack(
      'back-projection',
      'codes and key; back-projection',
      guessAll(first, (code) => backProject(opened, code)),
    ),
    attack(
      'sign-constraints',
      'codes and key; every sign met',
      targets.slice(0, sizes.constrained).map((target) => ({
        target,
        values: satisfySigns(opened, codeOf(first, target.leaked)),
      })),
    ),
    attack(
      'learned',
      'codes and key; a learned decoder',
      guessAll(first, learnDecoder(codesOf(first, ownCodes), ownCodes)),
    ),
    attack(
      'dictionary',
      `codes and key; the nearest of ${strangers.length} strangers`,
      guessAll(first, (code) => strangers[nearest(code)] ?? []),
    ),
    ...sizes.knownPairs
      .filter((count) => count <= strangers.length)
      .map((count) =>
        attack(
          `known-pairs-${count}`,
          `codes and the faces of ${count} of them`,
          protectors.flatMap((protector) => {
            const known = draws.take(strangers, count).map((face) => {
              return { face, code: codeOf(protector, face) };
            });
            return guessAll(protector, decodeByKnownPairs(prior, known));
          }),
        ),
      ),
  ];

  function nearest(code: Uint8Array): number {
    const one = packCodes([code]);
    let best = { at: 0, bits: Number.POSITIVE_INFINITY };
    for (let at = 0; at < dictionary.count; at++) {
      const bits = differingBits(one, 0, dictionary, at);
      if (bits < best.bits) best = { at, bits };
    }
    return best.at;
  }
}

export function codeOf(protector: Protector, values: Float32Array): Uint8Array {
  return protector.template({ values, modelSha256: protector.modelSha256 }).code;
}

function codesOf(protector: Protector, faces: readonly Float32Array[]): Uint8Array[] {
  return faces.map((face) => codeOf(protector, face));
}

/** Who has the key makes codes of whatever he likes, not only of faces: all directions are equally likely. */
function randomFaces(count: number, dimensions: number, draws: Draws): Float32Array[] {
  return Array.from({ length: count }, () => {
    const values = Float32Array.from({ length: dimensions }, draws.normal);
    const norm = Math.hypot(...values);
    return values.map((value) => value / norm);
  });
}
