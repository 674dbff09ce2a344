import { AgentError } from '../errors.ts';
import type { ModelOutputs } from '../ports.ts';
import type { Face, Point } from './face.ts';

export type DetectionTensor = {
  readonly width: number;
  readonly height: number;
  /** tensor coordinate = scale · frame coordinate */
  readonly scale: number;
};

/** A model's outputs, by stride and how many cells that has. */
export type StrideReader = (stride: number, cells: number) => CellReader;

/** Those for one stride, whose cells are counted row by row. */
export type CellReader = {
  /** 0…1, or NaN: no face. */
  score(cell: number): number;
  /**
   * All in strides: 0, 1 the box's centre from the cell's corner; 2, 3 the logarithms of its width and height; 4 to
   * 13 five landmarks (x, y) from the cell's corner (libfacedetection.train, Apache-2.0: the model card's formulas).
   */
  value(cell: number, n: number): number | undefined;
};

/**
 * What a detector without anchors says of the cells of every stride -> every face at or above `scoreThreshold`, in
 * frame coordinates, before suppression. A cell with anything that is no finite number, or with a box beyond all
 * measure, is no face.
 */
export function facesOfCells(
  readerOf: StrideReader,
  strides: readonly number[],
  tensor: DetectionTensor,
  scoreThreshold: number,
): Face[] {
  const faces: Face[] = [];
  for (const stride of strides) {
    const columns = Math.floor(tensor.width / stride);
    const cells = columns * Math.floor(tensor.height / stride);
    const reader = readerOf(stride, cells);
    for (let cell = 0; cell < cells; cell++) {
      const score = reader.score(cell);
      if (!(score >= scoreThreshold)) continue;
      const column = cell % columns;
      const at = { column, row: (cell - column) / columns, stride };
      const face = faceOfCell((n) => reader.value(cell, n) ?? Number.NaN, at, tensor, score);
      if (face) faces.push(face);
    }
  }
  return faces;
}

/** A face may reach beyond the picture, but one this many times its size is a fault of the numbers. */
const maxBoxSides = 4;

function faceOfCell(
  value: (n: number) => number,
  at: { readonly column: number; readonly row: number; readonly stride: number },
  tensor: DetectionTensor,
  score: number,
): Face | undefined {
  const toFrame = at.stride / tensor.scale;
  const width = Math.exp(value(2)) * toFrame;
  const height = Math.exp(value(3)) * toFrame;
  const x = (at.column + value(0)) * toFrame - width / 2;
  const y = (at.row + value(1)) * toFrame - height / 2;
  const maxSide = (maxBoxSides * Math.max(tensor.width, tensor.height)) / tensor.scale;
  const isSane = width > 0 && height > 0 && width <= maxSide && height <= maxSide;
  if (!(isSane && Number.isFinite(x) && Number.isFinite(y))) return undefined;

  const landmark = (n: number): Point => [
    (at.column + value(4 + 2 * n)) * toFrame,
    (at.row + value(5 + 2 * n)) * toFrame,
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
