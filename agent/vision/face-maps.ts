import type { ModelOutputs } from '../ports.ts';
import type { Face } from './face.ts';
import { type DetectionTensor, faceOfCell, outputOf } from './face-cell.ts';

/** A score, a box and five landmarks. */
const channels = 15;

/**
 * The built-in detector's outputs (scripts/train/detector.py) -> every face at or above `scoreThreshold`, in frame
 * coordinates, before suppression. For stride s one map, faces_s [1, 15, rows, columns], as the last convolution
 * leaves it: the score before the sigmoid, then what `faceOfCell` reads, each in a plane of its own.
 */
export function decodeFaceMaps(
  outputs: ModelOutputs,
  strides: readonly number[],
  tensor: DetectionTensor,
  scoreThreshold: number,
): Face[] {
  const faces: Face[] = [];
  for (const stride of strides) {
    const columns = Math.floor(tensor.width / stride);
    const cells = columns * Math.floor(tensor.height / stride);
    const map = outputOf(outputs, `faces_${stride}`, cells * channels);
    for (let cell = 0; cell < cells; cell++) {
      const score = 1 / (1 + Math.exp(-(map[cell] ?? Number.NaN)));
      if (!(score >= scoreThreshold)) continue;
      const column = cell % columns;
      const at = { column, row: (cell - column) / columns, stride };
      const face = faceOfCell((n) => map[(n + 1) * cells + cell], at, tensor, score);
      if (face) faces.push(face);
    }
  }
  return faces;
}
