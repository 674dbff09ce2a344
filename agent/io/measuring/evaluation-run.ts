import { type Acquire, acquireAll, type Progress } from '../../gallery/acquisition.ts';
import type { Comparator } from '../../gallery/comparator.ts';
import { evaluateIdentification } from '../../gallery/identification-evaluation.ts';
import { evaluateVerification, type PicturePair } from '../../gallery/verification-evaluation.ts';
import {
  identificationSummary,
  identificationText,
  verificationSummary,
  verificationText,
} from './evaluation-report.ts';
import type { IdentificationSet } from './identification-files.ts';
import type { CsvValue } from './score-file.ts';

/** Pairs to verify, or a gallery to search. */
export type EvaluationSet = { readonly pairs: readonly PicturePair[] } | IdentificationSet;

/** One evaluation, for a program, for a person, and score by score. */
export type EvaluationOutcome = {
  readonly summary: object;
  readonly text: string;
  readonly scores: {
    readonly header: readonly string[];
    readonly rows: readonly (readonly CsvValue[])[];
  };
};

export type DoorSettings = { readonly threshold: number; readonly margin: number };

/** Every picture once through the models, then every comparison in every way. */
export async function runEvaluation(
  set: EvaluationSet,
  acquire: Acquire,
  comparators: readonly Comparator[],
  door: DoorSettings,
  onProgress: Progress,
): Promise<EvaluationOutcome> {
  const acquired = await acquireAll(everyPicture(set), acquire, onProgress);
  return 'pairs' in set ? verification(set.pairs, acquired) : identification(set, acquired);

  function verification(
    pairs: readonly PicturePair[],
    acquired: Awaited<ReturnType<typeof acquireAll>>,
  ): EvaluationOutcome {
    const found = evaluateVerification(pairs, acquired, comparators);
    const rows = pairs.map((pair, index) => [
      pair.probe,
      pair.reference,
      pair.same,
      ...found.comparators.map(({ scores }) => scores[index]),
    ]);
    const header = ['a', 'b', 'same', ...comparators.map(({ name }) => name)];
    const summary = verificationSummary(found);
    return { summary, text: verificationText(found), scores: { header, rows } };
  }

  function identification(
    { gallery, visits }: IdentificationSet,
    acquired: Awaited<ReturnType<typeof acquireAll>>,
  ): EvaluationOutcome {
    const thresholds = [...new Set([door.threshold, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55])];
    const options = { margin: door.margin, thresholds: thresholds.sort((a, b) => a - b) };
    const found = evaluateIdentification(gallery, visits, acquired, comparators, options);
    const rows = found.comparators.flatMap(({ name, results }) =>
      results.map(({ mated, outcome }, index) => [
        name,
        visits[index]?.pictures.join(' '),
        mated,
        ...(outcome.kind === 'searched'
          ? [outcome.best?.residentId, outcome.best?.score, outcome.runnerUpScore]
          : []),
      ]),
    );
    const header = ['comparator', 'pictures', 'mated', 'best', 'score', 'runnerUpScore'];
    const summary = identificationSummary(found);
    return { summary, text: identificationText(found), scores: { header, rows } };
  }
}

/** Once for each time it is named. */
export function everyPicture(set: EvaluationSet): string[] {
  if ('pairs' in set) return set.pairs.flatMap(({ probe, reference }) => [probe, reference]);
  const { gallery, visits } = set;
  return [...gallery.map(({ picture }) => picture), ...visits.flatMap(({ pictures }) => pictures)];
}
