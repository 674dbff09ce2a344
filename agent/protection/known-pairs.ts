import { codeCosine, packCodes } from './codes.ts';
import type { Decoder } from './learned-decoder.ts';
import {
  addScaled,
  dot,
  type Matrix,
  matrix,
  meanVector,
  rowOf,
  solvePositive,
} from './linear-algebra.ts';

/** What is known of faces in general. */
export type FacePrior = { readonly mean: Float64Array; readonly covariance: Matrix };

export function facePrior(faces: readonly ArrayLike<number>[]): FacePrior {
  const mean = meanVector(faces);
  const covariance = matrix(mean.length, mean.length);
  for (const face of faces) {
    const apart = addScaled(Float64Array.from(face), mean, -1);
    apart.forEach((value, i) => {
      addScaled(rowOf(covariance, i), apart, value / faces.length);
    });
  }
  return { mean, covariance };
}

export type KnownPair = { readonly code: Uint8Array; readonly face: ArrayLike<number> };

/**
 * No key, but the faces behind some codes of it. Two codes of one key tell the angle between their faces
 * (a bit differs with probability angle / pi), so each known face is one equation: known · target =
 * cos(pi · share of differing bits), with an error of about pi / 2 / √bits. The answer is the most likely
 * face under the prior: mean + S·Eᵀ·(E·S·Eᵀ + error²·I)⁻¹·(cosines - E·mean), E the known faces.
 */
export function decodeByKnownPairs(prior: FacePrior, known: readonly KnownPair[]): Decoder {
  const codes = packCodes(known.map(({ code }) => code));
  const n = known.length;
  const spread = known.map(({ face }) => times(prior.covariance, face));
  const equations = matrix(n, n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      equations.values[i * n + j] = dot(known[i]?.face ?? [], spread[j] ?? []);
    }
    const at = i * n + i;
    equations.values[at] = (equations.values[at] ?? 0) + (Math.PI / 2) ** 2 / codes.bits;
  }
  const expected = known.map(({ face }) => dot(face, prior.mean));
  return (code) => {
    const one = packCodes([code]);
    const surprise = matrix(n, 1);
    for (let i = 0; i < n; i++) {
      const angle = (Math.PI * (1 - codeCosine(one, 0, codes, i))) / 2;
      surprise.values[i] = Math.cos(angle) - (expected[i] ?? 0);
    }
    const weights = solvePositive(equations, surprise).values;
    const answer = prior.mean.slice();
    spread.forEach((direction, i) => {
      addScaled(answer, direction, weights[i] ?? 0);
    });
    return answer;
  };
}

function times(a: Matrix, vector: ArrayLike<number>): Float64Array {
  return Float64Array.from({ length: a.rows }, (_, i) => dot(rowOf(a, i), vector));
}
