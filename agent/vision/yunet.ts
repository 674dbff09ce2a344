import type { ModelOutputs } from '../ports.ts';
import type { Face } from './face.ts';
import { type DetectionTensor, faceOfCell, outputOf } from './face-cell.ts';

/**
 * YuNet's outputs -> every face at or above `scoreThreshold`, in frame coordinates, before suppression.
 * For stride s: cls_s, obj_s [1, cells, 1], bbox_s [1, cells, 4], kps_s [1, cells, 10], row-major cells; box and
 * landmarks as `faceOfCell` reads them. The score is √(cls · obj).
 */
export function decodeYunet(
  outputs: ModelOutputs,
  strides: readonly number[],
  tensor: DetectionTensor,
  scoreThreshold: number,
): Face[] {
  const faces: Face[] = [];
  for (const stride of strides) {
    const columns = Math.floor(tensor.width / stride);
    const cells = columns * Math.floor(tensor.height / stride);
    const cls = outputOf(outputs, `cls_${stride}`, cells);
    const obj = outputOf(outputs, `obj_${stride}`, cells);
    const bbox = outputOf(outputs, `bbox_${stride}`, cells * 4);
    const kps = outputOf(outputs, `kps_${stride}`, cells * 10);
    for (let cell = 0; cell < cells; cell++) {
      const score = Math.sqrt(clamp(cls[cell]) * clamp(obj[cell]));
      if (!(score >= scoreThreshold)) continue;
      const column = cell % columns;
      const at = { column, row: (cell - column) / columns, stride };
      const value = (n: number) => (n < 4 ? bbox[cell * 4 + n] : kps[cell * 10 + n - 4]);
      const face = faceOfCell(value, at, tensor, score);
      if (face) faces.push(face);
    }
  }
  return faces;
}

/** To 0…1; NaN stays NaN and fails every comparison. */
function clamp(value = Number.NaN): number {
  return Math.min(1, Math.max(0, value));
}
