/** `evaluate --calibrate`: the threshold that a recogniser needs at a door, from labelled pictures. */
import type { Vision } from './agent.ts';
import { AgentError } from './errors.ts';
import { type Acquire, acquireAll, type Progress } from './gallery/acquisition.ts';
import { type Calibration, calibrate, type KeyThreshold } from './gallery/calibration.ts';
import { evaluateIdentification } from './gallery/identification-evaluation.ts';
import { templateComparator } from './gallery/template-comparator.ts';
import { evaluateVerification } from './gallery/verification-evaluation.ts';
import { type EvaluationSet, everyPicture } from './io/measuring/evaluation-run.ts';
import { scratchProtector } from './operations.ts';

export type CalibrationResult = Calibration & {
  readonly model: string;
  /** What the threshold keeps to: FPIR of a gallery of this size, or FMR of single comparisons. */
  readonly target: { readonly rate: 'FPIR' | 'FMR'; readonly most: number };
  readonly residents: number | null;
};

/** The door: at most one stranger of a hundred. Pairs: at most one of a thousand. */
const targets = { FPIR: 0.01, FMR: 0.001 } as const;

/** Under `keys` random device keys. @throws INPUT_INVALID: too few strangers to tell */
export async function runCalibration(
  set: EvaluationSet,
  acquire: Acquire,
  vision: Vision,
  { keys, margin }: { readonly keys: number; readonly margin: number },
  onProgress: Progress,
): Promise<CalibrationResult> {
  const acquired = await acquireAll(everyPicture(set), acquire, onProgress);
  const protectors = Array.from({ length: keys }, () => scratchProtector(vision));
  const comparators = protectors.map((each) => templateComparator(each, vision.kernels));
  try {
    const model = vision.entry.name;
    if ('pairs' in set) {
      const target = { rate: 'FMR', most: targets.FMR } as const;
      const found = evaluateVerification(set.pairs, acquired, comparators, [targets.FMR]);
      const perKey = found.comparators.map(({ accuracy: { operatingPoints } }): KeyThreshold => {
        const [point] = operatingPoints;
        if (point?.kind === 'measured') return keyThreshold(point.threshold, point.fnmr.share);
        throw tooFew(point?.nonMatedPairsNeeded, 'pairs of two persons');
      });
      return { ...calibrate(perKey), model, target, residents: null };
    }
    const { gallery, visits } = set;
    const target = { rate: 'FPIR', most: targets.FPIR } as const;
    const options = { margin, fpirTargets: [targets.FPIR] };
    const found = evaluateIdentification(gallery, visits, acquired, comparators, options);
    const perKey = found.comparators.map(({ accuracy: { operatingPoints } }): KeyThreshold => {
      const [point] = operatingPoints;
      if (point?.kind === 'measured') {
        return keyThreshold(point.point.threshold, point.point.fnir.share);
      }
      throw tooFew(point?.nonMatedProbesNeeded, 'visits of strangers');
    });
    return { ...calibrate(perKey), model, target, residents: found.residents };
  } finally {
    for (const protector of protectors) protector.wipe();
  }
}

function keyThreshold(threshold: number, missRate: number | null): KeyThreshold {
  return { threshold, missRate: missRate ?? Number.NaN };
}

function tooFew(needed: number | undefined, what: string): AgentError {
  return new AgentError('INPUT_INVALID', `a threshold needs at least ${needed ?? 1} ${what}`);
}
