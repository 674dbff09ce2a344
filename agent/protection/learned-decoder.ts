import { codeCosine, packCodes } from './codes.ts';
import {
  addScaled,
  cosine,
  dot,
  matrix,
  meanVector,
  rowOf,
  solvePositive,
} from './linear-algebra.ts';

/** From a code to what it was made of, or to another code of the same face. */
export type Decoder = (code: Uint8Array) => Float64Array;

/**
 * Ridge regression from codes, as vectors of signs, to any vectors, learned from examples. In its dual
 * form: there are fewer examples than bits, and the products of two codes are their Hamming distances.
 * The strength of the ridge is the one that does best on the last fifth of the examples. At least ten.
 */
export function learnDecoder(
  codes: readonly Uint8Array[],
  answers: readonly ArrayLike<number>[],
): Decoder {
  const packed = packCodes(codes);
  const n = packed.count;
  if (n < 10 || answers.length !== n)
    throw new TypeError('a decoder learns from ten pairs or more');
  const products = matrix(n, n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      const product = codeCosine(packed, i, packed, j);
      products.values[i * n + j] = product;
      products.values[j * n + i] = product;
    }
  }
  const learned = Math.floor(0.8 * n);
  let best = { quality: Number.NEGATIVE_INFINITY, ridge: Number.NaN };
  for (const ridge of ridges) {
    const weights = weightsFrom(learned, ridge);
    let quality = 0;
    for (let i = learned; i < n; i++) {
      quality += cosine(predict(weights, rowOf(products, i)), answers[i] ?? []);
    }
    if (quality > best.quality) best = { quality, ridge };
  }
  const weights = weightsFrom(n, best.ridge);
  return (code) => {
    const one = packCodes([code]);
    return predict(
      weights,
      Float64Array.from({ length: n }, (_, i) => codeCosine(one, 0, packed, i)),
    );
  };

  type Weights = { readonly mean: Float64Array; readonly of: ReturnType<typeof matrix> };

  /** On the first `count` examples. */
  function weightsFrom(count: number, ridge: number): Weights {
    const mean = meanVector(answers.slice(0, count));
    const a = matrix(count, count);
    const b = matrix(count, mean.length);
    for (let i = 0; i < count; i++) {
      rowOf(a, i).set(rowOf(products, i).subarray(0, count));
      a.values[i * count + i] = (a.values[i * count + i] ?? 0) + ridge * count;
      addScaled(addScaled(rowOf(b, i), answers[i] ?? [], 1), mean, -1);
    }
    return { mean, of: solvePositive(a, b) };
  }
  function predict({ mean, of }: Weights, resemblances: Float64Array): Float64Array {
    const answer = mean.slice();
    for (let i = 0; i < of.rows; i++) addScaled(answer, rowOf(of, i), resemblances[i] ?? 0);
    return answer;
  }
}

/** Times the number of examples, against products of which the largest is 1. */
const ridges = [1e-4, 1e-3, 1e-2, 1e-1];

/** Agreement of a decoder's answer with a code: the higher, the likelier they are of one person. */
export function agreement(answer: Float64Array, signs: Float64Array): number {
  return dot(answer, signs);
}
