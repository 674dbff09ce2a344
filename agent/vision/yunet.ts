import { AgentError } from '../errors.ts';
import type { ModelOutputs } from '../ports.ts';
import type { Face, Point } from './face.ts';

export type DetectionTensor = {
  readonly width: number;
  readonly height: number;
  /** tensor coordinate = scale · frame coordinate */
  readonly scale: number;
};

/**
 * YuNet's outputs -> every face at or above `scoreThreshold`, in frame coordinates, before suppression.
 * For stride s: cls_s, obj_s [1, cells, 1], bbox_s [1, cells, 4], kps_s [1, cells, 10], row-major
 * cells. The score is √(cls · obj); boxes are (centre offset, log size), landmarks offsets, all in strides
 * (libfacedetection.train, Apache-2.0: the model card's formulas).
 * A cell with anything that is no finite number, or with a box beyond all measure, is no face.
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
    const rows = Math.floor(tensor.height / stride);
    const cells = columns * rows;
    const cls = output(outputs, `cls_${stride}`, cells);
    const obj = output(outputs, `obj_${stride}`, cells);
    const bbox = output(outputs, `bbox_${stride}`, cells * 4);
    const kps = output(outputs, `kps_${stride}`, cells * 10);
    for (let cell = 0; cell < cells; cell++) {
      const score = Math.sqrt(clamp(cls[cell]) * clamp(obj[cell]));
      if (!(score >= scoreThreshold)) continue;
      const column = cell % columns;
      const row = (cell - column) / columns;
      const face = decodeCell(bbox, kps, cell, column, row, stride, tensor, score);
      if (face) faces.push(face);
    }
  }
  return faces;
}

/** A face may reach beyond the picture, but one this many times its size is a fault of the numbers. */
const maxBoxSides = 4;

function decodeCell(
  bbox: Float32Array,
  kps: Float32Array,
  cell: number,
  column: number,
  row: number,
  stride: number,
  tensor: DetectionTensor,
  score: number,
): Face | undefined {
  const toFrame = stride / tensor.scale;
  const at = cell * 4;
  const width = Math.exp(bbox[at + 2] ?? Number.NaN) * toFrame;
  const height = Math.exp(bbox[at + 3] ?? Number.NaN) * toFrame;
  const x = (column + (bbox[at] ?? Number.NaN)) * toFrame - width / 2;
  const y = (row + (bbox[at + 1] ?? Number.NaN)) * toFrame - height / 2;
  const maxSide = (maxBoxSides * Math.max(tensor.width, tensor.height)) / tensor.scale;
  const isSane = width > 0 && height > 0 && width <= maxSide && height <= maxSide;
  if (!(isSane && Number.isFinite(x) && Number.isFinite(y))) return undefined;

  const landmark = (n: number): Point => [
    (column + (kps[cell * 10 + 2 * n] ?? Number.NaN)) * toFrame,
    (row + (kps[cell * 10 + 2 * n + 1] ?? Number.NaN)) * toFrame,
  ];
  const landmarks = [landmark(0), landmark(1), landmark(2), landmark(3), landmark(4)] as const;
  if (!landmarks.every(([px, py]) => Number.isFinite(px) && Number.isFinite(py))) return undefined;
  return { box: { x, y, width, height }, landmarks, score };
}

function output(outputs: ModelOutputs, name: string, length: number): Float32Array {
  const values = outputs[name];
  if (!values) throw new AgentError('MODEL_MISMATCH', `the detector has no output ${name}`);
  if (values.length !== length) {
    throw new AgentError(
      'MODEL_MISMATCH',
      `the detector's output ${name} has ${values.length} values, not ${length}`,
    );
  }
  return values;
}

/** To 0…1; NaN stays NaN and fails every comparison. */
function clamp(value = Number.NaN): number {
  return Math.min(1, Math.max(0, value));
}
