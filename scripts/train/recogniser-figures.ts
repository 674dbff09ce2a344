import { acquireAll } from '../../agent/gallery/acquisition.ts';
import { type Calibration, calibrate } from '../../agent/gallery/calibration.ts';
import { cosineComparator } from '../../agent/gallery/comparator.ts';
import { evaluateIdentification } from '../../agent/gallery/identification-evaluation.ts';
import { evaluateVerification } from '../../agent/gallery/verification-evaluation.ts';
import { everyPicture } from '../../agent/io/measuring/evaluation-run.ts';
import { loadKernels } from '../../agent/io/process/native.ts';
import type { EmbeddingEntry, Model } from '../../agent/ports.ts';
import { createFaceEncoder } from '../../agent/recognition/face-encoder.ts';
import { centralFace } from '../../agent/recognition/primary-face.ts';
import type { Detector } from '../../agent/vision/detection.ts';
import { acquireBy, type LfwSet, underKeys } from '../evaluate/lfw-run.ts';

/** What decides whether a recogniser is shipped, and the threshold that goes with it. */
export type RecogniserFigures = {
  /** Of pairs, by folds, cosine: 0…1. */
  readonly accuracy: number;
  /** Of pairs, at an FMR of 1e-3, cosine: 0…1. */
  readonly missRate: number;
  /**
   * Of templates at a door: at most one stranger of a hundred under each key, also where the settings ask for no
   * lead over the next resident.
   */
  readonly door: Calibration;
};

/** As many keys as the other thresholds of the manifest were found with. */
const keys = 20;

const strangersLetIn = 0.01;

export async function measureRecogniser(
  model: Model<EmbeddingEntry>,
  detector: Detector,
  { pairs, split }: LfwSet,
): Promise<RecogniserFigures> {
  const { kernels } = loadKernels();
  const { entry } = model;
  const acquire = acquireBy(detector, createFaceEncoder(model, kernels), centralFace);
  const acquired = await acquireAll([...everyPicture({ pairs }), ...everyPicture(split)], acquire);
  const verification = evaluateVerification(pairs, acquired, [cosineComparator], [1e-3]);
  const [cosine] = verification.comparators;
  const [point] = cosine?.accuracy.operatingPoints ?? [];
  const folds = cosine?.accuracy.folds;
  if (folds?.kind !== 'measured' || point?.kind !== 'measured' || point.fnmr.share === null) {
    throw new Error(`${entry.name}: too few pairs to measure it with`);
  }
  const found = evaluateIdentification(
    split.gallery,
    split.visits,
    acquired,
    underKeys(entry, kernels, keys),
    { margin: 0, fpirTargets: [strangersLetIn] },
  );
  const perKey = found.comparators.map(({ accuracy: { operatingPoints } }) => {
    const [atDoor] = operatingPoints;
    if (atDoor?.kind !== 'measured' || atDoor.point.fnir.share === null) {
      throw new Error(`${entry.name}: too few visits to find a threshold with`);
    }
    return { threshold: atDoor.point.threshold, missRate: atDoor.point.fnir.share };
  });
  return {
    accuracy: folds.accuracy.mean,
    missRate: point.fnmr.share,
    door: calibrate(perKey),
  };
}

/** What the int8 form of a recogniser may lose, in points of accuracy by folds, and weigh. */
const mayLose = 0.3;
const mayWeighBytes = 1_300_000;

/** Why the int8 form of a recogniser is not shipped; none is an empty list. */
export function quantisationFaults(
  float32: Pick<RecogniserFigures, 'accuracy'>,
  int8: Pick<RecogniserFigures, 'accuracy'>,
  sizeBytes: number,
): string[] {
  // Hundredths of a point: the share of 3,000 pairs is no exact number.
  const lost = Math.round((float32.accuracy - int8.accuracy) * 10_000) / 100;
  return [
    ...(lost <= mayLose ? [] : [`int8 loses ${lost} points of accuracy, more than ${mayLose}`]),
    ...(sizeBytes <= mayWeighBytes
      ? []
      : [`int8 has ${sizeBytes} bytes, more than ${mayWeighBytes}`]),
  ];
}

export function figuresText({ accuracy, missRate, door }: RecogniserFigures): string {
  const percent = (share: number) => `${(share * 100).toFixed(2)} %`;
  const asked = door.perKey.map(({ threshold }) => threshold);
  const missed = door.perKey.map((key) => key.missRate);
  return [
    `accuracy ${percent(accuracy)}, FNMR ${percent(missRate)} at FMR 1e-3`,
    `threshold ${door.threshold} (${Math.min(...asked).toFixed(4)} to ${Math.max(...asked).toFixed(4)} under ${asked.length} keys)`,
    `FNIR ${percent(Math.min(...missed))} to ${percent(Math.max(...missed))} at FPIR 1 %`,
  ].join('; ');
}
