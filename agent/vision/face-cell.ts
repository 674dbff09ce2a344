import { AgentError } from '../errors.ts';
import type { ModelOutputs } from '../ports.ts';
import type { Face, Point } from './face.ts';

export type DetectionTensor = {
  readonly width: number;
  readonly height: number;
  /** tensor coordinate = scale · frame coordinate */
  readonly scale: number;
};

export type Cell = { readonly column: number; readonly row: number; readonly stride: number };

/** A face may reach beyond the picture, but one this many times its size is a fault of the numbers. */
const maxBoxSides = 4;

/**
 * What a detector without anchors says of one cell -> the face, in frame coordinates. `value` gives, all in
 * strides: 0, 1 the box's centre from the cell's corner; 2, 3 the logarithms of its width and height; 4 to 13 five
 * landmarks (x, y) from the cell's corner (libfacedetection.train, Apache-2.0: the model card's formulas).
 * Anything that is no finite number, or a box beyond all measure, is no face.
 */
export function faceOfCell(
  value: (n: number) => number | undefined,
  { column, row, stride }: Cell,
  tensor: DetectionTensor,
  score: number,
): Face | undefined {
  const toFrame = stride / tensor.scale;
  const number = (n: number) => value(n) ?? Number.NaN;
  const width = Math.exp(number(2)) * toFrame;
  const height = Math.exp(number(3)) * toFrame;
  const x = (column + number(0)) * toFrame - width / 2;
  const y = (row + number(1)) * toFrame - height / 2;
  const maxSide = (maxBoxSides * Math.max(tensor.width, tensor.height)) / tensor.scale;
  const isSane = width > 0 && height > 0 && width <= maxSide && height <= maxSide;
  if (!(isSane && Number.isFinite(x) && Number.isFinite(y))) return undefined;

  const landmark = (n: number): Point => [
    (column + number(4 + 2 * n)) * toFrame,
    (row + number(5 + 2 * n)) * toFrame,
  ];
  const landmarks = [landmark(0), landmark(1), landmark(2), landmark(3), landmark(4)] as const;
  if (!landmarks.every(([px, py]) => Number.isFinite(px) && Number.isFinite(py))) return undefined;
  return { box: { x, y, width, height }, landmarks, score };
}

/** The output of that name. Throws MODEL_MISMATCH if it is not there, or has another number of values. */
export function outputOf(outputs: ModelOutputs, name: string, length: number): Float32Array {
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
