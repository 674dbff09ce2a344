import type { Box, Landmarks } from '../vision/face.ts';
import type { PadOutcome } from '../vision/pad.ts';
import type { QualityMeasures, QualityReason } from '../vision/quality-limits.ts';
import type { StageTimes } from './stopwatch.ts';

/**
 * One attempt, as the rest of the agent learns of it. No type here holds a pixel, an embedding or a
 * template, and a resident is named by a match alone.
 */
export type RecognitionEvent =
  | ({ readonly kind: 'no-face' } & FrameSeen)
  | ({ readonly kind: 'poor-quality'; readonly reasons: readonly PoorReason[] } & FaceSeen)
  | ({ readonly kind: 'attack' } & FaceSeen)
  | ({
      readonly kind: 'match';
      readonly residentId: string;
      readonly score: number;
      /** The best other resident; undefined: there is none. */
      readonly runnerUpScore: number | undefined;
    } & FaceCompared)
  /** `score` of the best candidate; undefined: the gallery is empty. */
  | ({ readonly kind: 'no-match'; readonly score: number | undefined } & FaceCompared)
  | ({
      readonly kind: 'ambiguous';
      readonly score: number;
      readonly runnerUpScore: number;
    } & FaceCompared)
  /** A decision that came too late to act upon, whatever it was. */
  | ({ readonly kind: 'stale' } & FaceSeen);

/** NO_EMBEDDING: the model gave nothing that can be compared. */
export type PoorReason = QualityReason | 'NO_EMBEDDING';

export type FrameSeen = {
  readonly sourceId: string;
  /** Monotonic clock; of several frames the last. */
  readonly capturedAtMs: number;
  readonly decidedAtMs: number;
  readonly timesMs: StageTimes;
};

/** The face the attempt is about; of other faces in the frame nothing is said. */
export type FaceSeen = FrameSeen & {
  readonly box: Box;
  readonly landmarks: Landmarks;
  readonly detectionScore: number;
  readonly quality: QualityMeasures;
  readonly qualityModel: { readonly score: number } | 'not-checked';
  readonly pad: PadOutcome;
  /** How many frames the compared embedding was made of; 0: nothing was compared. */
  readonly framesUsed: number;
};

type FaceCompared = FaceSeen & { readonly threshold: number; readonly margin: number };
