import type { Protector } from '../template/protect.ts';
import { bitOf } from './codes.ts';
import { addScaled, dot, type Matrix, matrix, rowOf } from './linear-algebra.ts';

/** What codes are made with. Who has a device and its key can find it out by making codes. */
export type OpenedKey = {
  /** Row i, of length 1: what bit i is the sign of. */
  readonly directions: Matrix;
  /** Bit i is inverted. */
  readonly inverted: Uint8Array;
};

/** One code for each dimension: of a face that is 1 there and 0 elsewhere. */
export function openKey(protector: Protector, dimensions: number): OpenedKey {
  const { modelSha256 } = protector;
  const probes = Array.from({ length: dimensions }, (_, at) => {
    const values = new Float32Array(dimensions);
    values[at] = 1;
    const { code, projections } = protector.probe({ values, modelSha256 });
    return { code: code.slice(), projections: projections.slice() };
  });
  const [first] = probes;
  if (!first) throw new TypeError('an embedding has at least one dimension');
  const bits = first.projections.length;
  const directions = matrix(bits, dimensions);
  for (let bit = 0; bit < bits; bit++) {
    rowOf(directions, bit).set(unit(Float64Array.from(probes, (of) => of.projections[bit] ?? 0)));
  }
  const inverted = Uint8Array.from(first.projections, (projection, bit) =>
    (projection >= 0 ? 1 : 0) === bitOf(first.code, bit) ? 0 : 1,
  );
  return { directions, inverted };
}

/** The sum of all directions, each with the sign that the code says. */
export function backProject({ directions, inverted }: OpenedKey, code: Uint8Array): Float64Array {
  const guess = new Float64Array(directions.columns);
  for (let bit = 0; bit < directions.rows; bit++) {
    addScaled(guess, rowOf(directions, bit), signAt(code, bit, inverted));
  }
  return unit(guess);
}

/**
 * From there on, the embedding is moved until its signs are those of the code: a step along every
 * direction whose sign is still wrong, as far as it is wrong (binary iterative hard thresholding of
 * Jacques and others, 2013, without the threshold: an embedding is not sparse).
 */
export function satisfySigns(opened: OpenedKey, code: Uint8Array, iterations = 60): Float64Array {
  const { directions, inverted } = opened;
  const { rows, columns, values } = directions;
  let guess = backProject(opened, code);
  for (let round = 0; round < iterations; round++) {
    const step = new Float64Array(columns);
    let wrong = 0;
    for (let bit = 0, at = 0; bit < rows; bit++, at += columns) {
      let projection = 0;
      for (let j = 0; j < columns; j++) projection += (values[at + j] ?? 0) * (guess[j] ?? 0);
      if (projection * signAt(code, bit, inverted) >= 0) continue;
      addScaled(step, rowOf(directions, bit), -projection);
      wrong += 1;
    }
    if (wrong === 0) break;
    // No longer than is safe for directions by chance (Marchenko and Pastur): farther, it overshoots.
    guess = unit(addScaled(guess, step, 1 / (1 + Math.sqrt(wrong / columns)) ** 2));
  }
  return guess;
}

function signAt(code: Uint8Array, bit: number, inverted: Uint8Array): number {
  return bitOf(code, bit) === (inverted[bit] ?? 0) ? -1 : 1;
}

function unit(vector: Float64Array): Float64Array {
  const norm = Math.sqrt(dot(vector, vector));
  return norm > 0 ? vector.map((value) => value / norm) : vector;
}
