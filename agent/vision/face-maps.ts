import type { ModelOutputs } from '../ports.ts';
import { outputOf, type StrideReader } from './face-cells.ts';

/** A score, a box and five landmarks. */
const channels = 15;

/**
 * The built-in detector's outputs (scripts/train/detector.py). For stride s one map, faces_s [1, 15, rows, columns], as
 * the last convolution leaves it: the score before the sigmoid, then box and landmarks, each in a plane of its own.
 */
export const faceMapCells =
  (outputs: ModelOutputs): StrideReader =>
  (stride, cells) => {
    const map = outputOf(outputs, `faces_${stride}`, cells * channels);
    return {
      score: (cell) => 1 / (1 + Math.exp(-(map[cell] ?? Number.NaN))),
      value: (cell, n) => map[(n + 1) * cells + cell],
    };
  };
