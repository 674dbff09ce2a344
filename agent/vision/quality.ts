import { AgentError } from '../errors.ts';
import type { Kernels, Model, QualityEntry } from '../ports.ts';
import { createAligner } from './alignment.ts';
import { type ChipMeasures, createChipMeter, measuringChip } from './chip-measures.ts';
import type { Box, Face } from './face.ts';
import type { Frame } from './frame.ts';
import { createLumaGrid, type LumaGrid, sampleLuma } from './luma.ts';
import { estimatePose } from './pose.ts';
import {
  type QualityLimits,
  type QualityMeasures,
  type QualityReason,
  reasonsAgainst,
} from './quality-limits.ts';

export type QualityReport = {
  /** Empty: good enough. In the order of the list. */
  readonly reasons: readonly QualityReason[];
  readonly measures: QualityMeasures;
  /** The quality model's score, 0…1. Not checked: there is no model, or a measure has refused already. */
  readonly model: { readonly score: number } | 'not-checked';
};

export type QualityCheck = {
  /**
   * Is this face of the frame good enough to be compared? `faces` are all faces of the frame. One face
   * at a time: buffers are used again and zeroed after every face.
   */
  assess(frame: Frame, face: Face, faces: readonly Face[]): Promise<QualityReport>;
};

export function createQualityCheck(parts: {
  readonly kernels: Pick<Kernels, 'warp' | 'normalise'>;
  readonly limits: QualityLimits;
  readonly model?: Model<QualityEntry> | undefined;
}): QualityCheck {
  const { kernels, limits, model } = parts;
  const aligner = createAligner(measuringChip, kernels);
  const measureChip = createChipMeter();
  const grid = createLumaGrid(gridWidth, gridHeight);
  const score = model ? createScorer(model, kernels) : undefined;

  function measurePixels(frame: Frame, face: Face): ChipMeasures & { backgroundLuma: number } {
    try {
      const chip = aligner.align(frame, face.landmarks);
      sampleLuma(frame, grid);
      const backgroundLuma = lumaAround(face.box, frame, grid);
      return { ...(chip ? measureChip(chip) : nothingSeen), backgroundLuma };
    } finally {
      aligner.wipe();
      grid.data.fill(0);
    }
  }

  async function assess(frame: Frame, face: Face, faces: readonly Face[]): Promise<QualityReport> {
    const [leftEye, rightEye] = face.landmarks;
    const measures: QualityMeasures = {
      ...measurePixels(frame, face),
      ...estimatePose(face.landmarks),
      eyeDistancePx: Math.hypot(rightEye[0] - leftEye[0], rightEye[1] - leftEye[1]),
      outsidePart: outsidePart(face.box, frame),
      largestOther: largestOther(face, faces),
    };
    const reasons = reasonsAgainst(measures, limits);
    if (!score || !model || reasons.length > 0) return { reasons, measures, model: 'not-checked' };
    const verdict = await score(frame, face);
    const isLow = !(verdict >= model.entry.threshold);
    return { reasons: isLow ? ['LOW_QUALITY'] : [], measures, model: { score: verdict } };
  }

  return { assess };
}

const gridWidth = 40;
const gridHeight = 30;

/** For landmarks that no face has: sharp and lit by nothing, so that only the geometry speaks. */
const nothingSeen: ChipMeasures = {
  luma: 0,
  highlights: 0,
  sharpness: 0,
  eyeTexture: 0,
  mouthTexture: 0,
  mouthPallor: 0,
};

/** Score of the quality model; 0 where it gives no number, or the face cannot be aligned. */
function createScorer(model: Model<QualityEntry>, kernels: Pick<Kernels, 'warp' | 'normalise'>) {
  const { entry } = model;
  const aligner = createAligner(entry.alignment, kernels);
  const { size } = entry.alignment;
  const tensor = new Float32Array(3 * size * size);
  return async (frame: Frame, face: Face): Promise<number> => {
    try {
      const chip = aligner.align(frame, face.landmarks);
      if (!chip) return 0;
      kernels.normalise(chip, entry.input, tensor);
      const outputs = await model.run(tensor, [1, 3, size, size]);
      const values = outputs[entry.outputs[0]?.name ?? ''];
      if (!values) throw new AgentError('MODEL_MISMATCH', `model ${entry.name} gave no score`);
      const [value = Number.NaN] = values;
      return Number.isFinite(value) ? value : 0;
    } finally {
      aligner.wipe();
      tensor.fill(0);
    }
  };
}

/** Mean of the grid outside the box and a rim of hair and neck; 0 where the face fills the frame. */
function lumaAround(box: Box, frame: Frame, grid: LumaGrid): number {
  const left = box.x - rim * box.width;
  const right = box.x + (1 + rim) * box.width;
  const top = box.y - rim * box.height;
  const bottom = box.y + (1 + rim) * box.height;
  let sum = 0;
  let count = 0;
  for (let row = 0; row < grid.height; row++) {
    const y = ((row + 0.5) * frame.height) / grid.height;
    for (let column = 0; column < grid.width; column++) {
      const x = ((column + 0.5) * frame.width) / grid.width;
      if (x > left && x < right && y > top && y < bottom) continue;
      sum += grid.data[row * grid.width + column] ?? 0;
      count++;
    }
  }
  return count === 0 ? 0 : sum / count;
}

const rim = 0.15;

function outsidePart(box: Box, frame: Frame): number {
  const width = Math.min(box.x + box.width, frame.width) - Math.max(box.x, 0);
  const height = Math.min(box.y + box.height, frame.height) - Math.max(box.y, 0);
  return 1 - (Math.max(0, width) * Math.max(0, height)) / (box.width * box.height);
}

function largestOther(face: Face, faces: readonly Face[]): number {
  const area = ({ box }: Face) => box.width * box.height;
  const others = faces.filter((other) => other !== face).map((other) => area(other) / area(face));
  return Math.max(0, ...others);
}
