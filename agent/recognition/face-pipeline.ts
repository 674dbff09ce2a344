import type {
  DetectionEntry,
  EmbeddingEntry,
  Kernels,
  Model,
  PadEntry,
  QualityEntry,
} from '../ports.ts';
import type { Embedding } from '../template/template.ts';
import { createDetector, type DetectionSettings } from '../vision/detection.ts';
import type { Face } from '../vision/face.ts';
import type { Frame } from '../vision/frame.ts';
import { createPadCheck, type PadOutcome } from '../vision/pad.ts';
import { createQualityCheck, type QualityReport } from '../vision/quality.ts';
import type { QualityLimits } from '../vision/quality-limits.ts';
import { createFaceEncoder } from './face-encoder.ts';
import type { Lap } from './stopwatch.ts';

/**
 * From pixels to an embedding: the one path that the door, enrolment and evaluation share. Calls may
 * overlap; they are served one after the other, because the buffers are used again.
 */
export type FacePipeline = {
  /** Every face, best detection first. Throws a TypeError on a frame that is not what it says. */
  locate(frame: Frame, lap?: Lap): Promise<Face[]>;
  examine(frame: Frame, face: Face, faces: readonly Face[], lap?: Lap): Promise<Examination>;
  /** The memory is the caller's, to be zeroed by the caller. Undefined: nothing that can be compared. */
  embed(frame: Frame, face: Face, lap?: Lap): Promise<Embedding | undefined>;
};

/** A face that is refused for its quality is not checked for an attack. */
export type Examination = { readonly quality: QualityReport; readonly pad: PadOutcome };

export function createFacePipeline(parts: {
  readonly models: {
    readonly detection: Model<DetectionEntry>;
    readonly embedding: Model<EmbeddingEntry>;
    readonly pad: readonly Model<PadEntry>[];
    readonly quality?: Model<QualityEntry> | undefined;
  };
  readonly kernels: Pick<Kernels, 'letterbox' | 'warp' | 'normalise'>;
  readonly detection: DetectionSettings;
  readonly limits: QualityLimits;
}): FacePipeline {
  const { models, kernels, detection, limits } = parts;
  const detector = createDetector(models.detection, kernels, detection);
  const qualityCheck = createQualityCheck({ kernels, limits, model: models.quality });
  const padCheck = createPadCheck(models.pad, kernels);
  const encoder = createFaceEncoder(models.embedding, kernels);
  const inTurn = createQueue();

  return {
    locate: (frame, lap = unmeasured) =>
      inTurn(async () => {
        const faces = await detector.detect(frame);
        lap('detect');
        return faces;
      }),
    examine: (frame, face, faces, lap = unmeasured) =>
      inTurn(async () => {
        const quality = await qualityCheck.assess(frame, face, faces);
        lap('quality');
        if (quality.reasons.length > 0) return { quality, pad: { kind: 'not-checked' } };
        const pad = await padCheck.check(frame, face);
        lap('pad');
        return { quality, pad };
      }),
    embed: (frame, face, lap = unmeasured) => inTurn(() => encoder.encode(frame, face, lap)),
  };
}

const unmeasured: Lap = () => {};

/** Runs what it is given one after the other, in the order of the calls; a failure stops nobody else. */
function createQueue(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const turn = last.then(work);
    last = turn.catch(() => {});
    return turn;
  };
}
