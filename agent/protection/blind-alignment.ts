import { codeCosine, packCodes } from './codes.ts';
import { facePrior } from './known-pairs.ts';
import { addScaled, dot, type Matrix, matrix, rowOf, symmetricEigen } from './linear-algebra.ts';

/**
 * No key and no known face: all the codes of one key, and strangers' faces. Codes of one key resemble each
 * other as their faces do, so the cloud of the codes has the shape of the cloud of the faces: the main
 * axes of the one are laid on those of the other, in the order of their spread and in the direction in
 * which both are skewed alike. The guesses are in the order of the codes.
 */
export function createBlindAligner(
  strangers: readonly Float32Array[],
): (codes: readonly Uint8Array[]) => Float64Array[] {
  const { mean, covariance } = facePrior(strangers);
  const ofFaces = symmetricEigen(covariance);
  const skews = Array.from({ length: mean.length }, (_, axis) => {
    const direction = rowOf(ofFaces.vectors, axis);
    return skew(
      Float64Array.from(strangers, (face) => dot(face, direction) - dot(mean, direction)),
    );
  });
  return (codes) => {
    const n = codes.length;
    const ofCodes = symmetricEigen(cloudOf(codes));
    const guesses = codes.map(() => mean.slice());
    const axes = Math.min(n - 1, strangers.length - 1, mean.length);
    for (let axis = 0; axis < axes; axis++) {
      // Where each code lies on its axis is the entry of the eigenvector, up to one factor.
      const places = rowOf(ofCodes.vectors, axis);
      const alike = Math.sign(skew(places)) * Math.sign(skews[axis] ?? 0) || 1;
      const spread = Math.sqrt(n * Math.max(0, ofFaces.values[axis] ?? 0)) * alike;
      guesses.forEach((guess, i) => {
        addScaled(guess, rowOf(ofFaces.vectors, axis), spread * (places[i] ?? 0));
      });
    }
    return guesses;
  };
}

/** Products of the codes, as vectors of signs of length 1, less their mean. */
function cloudOf(codes: readonly Uint8Array[]): Matrix {
  const packed = packCodes(codes);
  const n = packed.count;
  const cloud = matrix(n, n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) cloud.values[i * n + j] = codeCosine(packed, i, packed, j);
  }
  centre(cloud);
  return cloud;
}

/** Products of vectors become products of their differences from the mean vector. */
function centre(products: Matrix): void {
  const n = products.rows;
  const means = Float64Array.from({ length: n }, (_, i) => {
    return rowOf(products, i).reduce((sum, value) => sum + value, 0) / n;
  });
  const all = means.reduce((sum, value) => sum + value, 0) / n;
  for (let i = 0; i < n; i++) {
    const row = rowOf(products, i);
    for (let j = 0; j < n; j++) row[j] = (row[j] ?? 0) - (means[i] ?? 0) - (means[j] ?? 0) + all;
  }
}

/** Third moment: its sign says on which side the long tail is. */
function skew(places: Float64Array): number {
  return places.reduce((sum, place) => sum + place ** 3, 0);
}
