import type { DetectionEntry, Kernels, Model, ModelOutputs } from '../ports.ts';
import type { Face } from './face.ts';
import { facesOfCells, type StrideReader } from './face-cells.ts';
import { faceMapCells } from './face-maps.ts';
import type { Frame } from './frame.ts';
import { checkFrame } from './pixels.ts';
import { suppressOverlaps } from './suppression.ts';
import { yunetCells } from './yunet.ts';

export type DetectionSettings = {
  /** The frame's longer side in the detector's tensor, for models of free size. */
  readonly inputWidth: number;
  /** 0…1; a box below it is no face. */
  readonly scoreThreshold: number;
  /** Intersection over union from which on two boxes are one face. */
  readonly nmsIou: number;
  readonly maxFaces: number;
};

/**
 * 320: finds all 46 faces of the labelled group pictures, as 640 does, in a quarter of the time.
 * 0.6 and 0.3: the values that figure, and the model card's, were measured with.
 */
export const defaultDetectionSettings: DetectionSettings = {
  inputWidth: 320,
  scoreThreshold: 0.6,
  nmsIou: 0.3,
  maxFaces: 16,
};

export type Detector = {
  /**
   * The faces of a frame in its own coordinates, best score first; none is an empty list. One frame
   * at a time: the tensor is used again (and zeroed after each frame). Throws a TypeError on a frame
   * whose bytes are not what it says, MODEL_MISMATCH if the model is not of its entry's family.
   */
  detect(frame: Frame): Promise<Face[]>;
};

export function createDetector(
  model: Model<DetectionEntry>,
  kernels: Pick<Kernels, 'letterbox'>,
  settings: DetectionSettings = defaultDetectionSettings,
): Detector {
  const { strides, family } = model.entry;
  const cellsOf = readers[family];
  let pixels = new Float32Array(0);

  async function detect(frame: Frame): Promise<Face[]> {
    checkFrame(frame);
    const { width, height } = tensorSize(model.entry, frame, settings.inputWidth);
    if (pixels.length !== 3 * width * height) pixels = new Float32Array(3 * width * height);
    try {
      const scale = kernels.letterbox(frame, model.entry.input, width, height, pixels);
      const outputs = await model.run(pixels, [1, 3, height, width]);
      const tensor = { width, height, scale };
      const found = facesOfCells(cellsOf(outputs), strides, tensor, settings.scoreThreshold);
      return suppressOverlaps(found, settings.nmsIou, settings.maxFaces);
    } finally {
      pixels.fill(0);
    }
  }

  return { detect };
}

/** A new family of detectors is one function here. */
const readers: Record<DetectionEntry['family'], (outputs: ModelOutputs) => StrideReader> = {
  'face-maps': faceMapCells,
  yunet: yunetCells,
};

/**
 * Width and height of the tensor: the model's own where they are fixed; else the frame's, shrunk
 * (never enlarged) until its longer side is `inputWidth`, rounded up to what the model asks for.
 * The longer side, not the width: a portrait frame would otherwise cost three times a landscape one.
 */
export function tensorSize(
  entry: DetectionEntry,
  frame: { readonly width: number; readonly height: number },
  inputWidth: number,
): { width: number; height: number } {
  const [, , height, width] = entry.input.shape;
  if (typeof width === 'number' && typeof height === 'number') return { width, height };
  const scale = Math.min(1, inputWidth / Math.max(frame.width, frame.height));
  const step = entry.input.multipleOf;
  const up = (side: number) => Math.max(step, Math.ceil(Math.round(side * scale) / step) * step);
  return { width: up(frame.width), height: up(frame.height) };
}
