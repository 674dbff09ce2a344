import type {
  DetectionEntry,
  EmbeddingEntry,
  Model,
  ModelEntry,
  ModelOutputs,
  PadEntry,
  QualityEntry,
} from '../../ports.ts';
import type { Face } from '../../vision/face.ts';

export type FakeModel<E extends ModelEntry> = Model<E> & {
  /** Shapes it was run with. */
  readonly runs: (readonly number[])[];
};

type Answer = (
  input: Float32Array,
  shape: readonly [number, number, number, number],
) => ModelOutputs;

export function fakeModel<E extends ModelEntry>(entry: E, answer: Answer): FakeModel<E> {
  const runs: (readonly number[])[] = [];
  return {
    entry,
    runs,
    run: async (input, shape) => {
      runs.push(shape);
      return answer(input, shape);
    },
    close: async () => {},
  };
}

const common = {
  file: 'fake.onnx',
  sha256: 'f'.repeat(64),
  sizeBytes: 1,
  licence: 'none',
  source: 'none',
  builtin: false,
};
const plain = {
  name: 'input',
  layout: 'NCHW',
  colour: 'RGB',
  mean: [0, 0, 0],
  std: [1, 1, 1],
} as const;
/** ArcFace's points for 112, and the same in any other size. */
const points112 = [
  [38.2946, 51.6963],
  [73.5318, 51.5014],
  [56.0252, 71.7366],
  [41.5493, 92.3655],
  [70.7299, 92.2041],
] as const;

export const detectionEntry: DetectionEntry = {
  ...common,
  name: 'fake-detector',
  task: 'detection',
  family: 'yunet',
  strides: [8, 16, 32],
  input: { ...plain, shape: ['batch', 3, 'height', 'width'], multipleOf: 32 },
  outputs: [],
};

export const embeddingEntry: EmbeddingEntry = {
  ...common,
  name: 'fake-embedder',
  task: 'embedding',
  family: 'embedding',
  dimensions: 4,
  alignment: { size: 112, points: points112 },
  threshold: 0.5,
  margin: 0.05,
  input: { ...plain, shape: ['batch', 3, 112, 112], multipleOf: 1 },
  outputs: [{ name: 'embedding', shape: ['batch', 4] }],
};

export const padEntry: PadEntry = {
  ...common,
  name: 'fake-pad',
  task: 'pad',
  family: 'minifasnet',
  cropFactor: 2.7,
  bonaFideClass: 1,
  input: { ...plain, shape: [1, 3, 80, 80], multipleOf: 1 },
  outputs: [{ name: 'output', shape: [1, 3] }],
};

export const qualityEntry: QualityEntry = {
  ...common,
  name: 'fake-quality',
  task: 'quality',
  family: 'lightqnet',
  alignment: { size: 112, points: points112 },
  threshold: 0.5,
  input: { ...plain, shape: ['batch', 3, 112, 112], multipleOf: 1 },
  outputs: [{ name: 'quality', shape: ['batch', 1] }],
};

/** A detector that finds these faces (in tensor coordinates) in whatever it is shown. */
export function fakeDetector(faces: () => readonly Face[]): FakeModel<DetectionEntry> {
  return fakeModel(detectionEntry, (_, [, , height, width]) =>
    yunetOutputs(width, height, faces()),
  );
}

/** YuNet's outputs for these faces: the stride-8 cell of the box's centre is set, all else is 0. */
export function yunetOutputs(
  width: number,
  height: number,
  faces: readonly Face[],
): Record<string, Float32Array> {
  const outputs: Record<string, Float32Array> = {};
  for (const stride of detectionEntry.strides) {
    const cells = (width / stride) * (height / stride);
    outputs[`cls_${stride}`] = new Float32Array(cells);
    outputs[`obj_${stride}`] = new Float32Array(cells);
    outputs[`bbox_${stride}`] = new Float32Array(cells * 4);
    outputs[`kps_${stride}`] = new Float32Array(cells * 10);
  }
  for (const { box, landmarks, score } of faces) {
    const x = (box.x + box.width / 2) / 8;
    const y = (box.y + box.height / 2) / 8;
    const column = Math.min(width / 8 - 1, Math.max(0, Math.floor(x)));
    const row = Math.min(height / 8 - 1, Math.max(0, Math.floor(y)));
    const cell = row * (width / 8) + column;
    outputs['cls_8']?.fill(score, cell, cell + 1);
    outputs['obj_8']?.fill(score, cell, cell + 1);
    const size = [Math.log(box.width / 8), Math.log(box.height / 8)];
    outputs['bbox_8']?.set([x - column, y - row, ...size], cell * 4);
    const offsets = landmarks.flatMap(([px, py]) => [px / 8 - column, py / 8 - row]);
    outputs['kps_8']?.set(offsets, cell * 10);
  }
  return outputs;
}

/** An upright, frontal face around (x, y) with this many pixels between the eyes. */
export function frontalFace(x: number, y: number, eyeDistancePx = 40, score = 0.9): Face {
  const unit = eyeDistancePx / 35.2372;
  const at = ([px, py]: readonly [number, number]) =>
    [x + (px - 56) * unit, y + (py - 72) * unit] as const;
  const [leftEye, rightEye, nose, leftMouth, rightMouth] = points112;
  return {
    box: { x: x - 36 * unit, y: y - 50 * unit, width: 72 * unit, height: 96 * unit },
    landmarks: [at(leftEye), at(rightEye), at(nose), at(leftMouth), at(rightMouth)],
    score,
  };
}
