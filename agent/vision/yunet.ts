import type { ModelOutputs } from '../ports.ts';
import { outputOf, type StrideReader } from './face-cells.ts';

/**
 * YuNet's outputs. For stride s: cls_s, obj_s [1, cells, 1], bbox_s [1, cells, 4], kps_s [1, cells, 10]. The score is
 * √(cls · obj).
 */
export const yunetCells =
  (outputs: ModelOutputs): StrideReader =>
  (stride, cells) => {
    const cls = outputOf(outputs, `cls_${stride}`, cells);
    const obj = outputOf(outputs, `obj_${stride}`, cells);
    const bbox = outputOf(outputs, `bbox_${stride}`, cells * 4);
    const kps = outputOf(outputs, `kps_${stride}`, cells * 10);
    return {
      score: (cell) => Math.sqrt(clamp(cls[cell]) * clamp(obj[cell])),
      value: (cell, n) => (n < 4 ? bbox[cell * 4 + n] : kps[cell * 10 + n - 4]),
    };
  };

/** To 0…1; NaN stays NaN and fails every comparison. */
function clamp(value = Number.NaN): number {
  return Math.min(1, Math.max(0, value));
}
