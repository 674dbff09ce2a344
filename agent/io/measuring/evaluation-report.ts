import type { AcquisitionCounts } from '../../gallery/acquisition.ts';
import type { FusionStudy } from '../../gallery/fusion-study.ts';
import type {
  IdentificationAccuracy,
  IdentificationPoint,
  IdentificationTargetPoint,
} from '../../gallery/identification-accuracy.ts';
import type { IdentificationEvaluation } from '../../gallery/identification-evaluation.ts';
import type { Proportion } from '../../gallery/proportion.ts';
import type { VerificationAccuracy } from '../../gallery/verification-accuracy.ts';
import type { VerificationEvaluation } from '../../gallery/verification-evaluation.ts';
import { textTable } from './text-table.ts';

/** For a person: what the pairs say, one column for each comparator. */
export function verificationText({ acquisition, comparators }: VerificationEvaluation): string {
  const first = comparators[0]?.accuracy;
  if (!first) return acquisitionText(acquisition);
  const columns = comparators.map(({ accuracy }) => verificationColumn(accuracy));
  const labels = verificationLabels(first);
  return [
    `${count(first.matedPairs)} pairs of one person, ${count(first.nonMatedPairs)} of two persons`,
    acquisitionText(acquisition),
    `not compared: ${count(first.notAcquired.matedPairs)} pairs of one person, ${count(first.notAcquired.nonMatedPairs)} of two`,
    '',
    textTable([
      ['', ...comparators.map(({ name }) => name)],
      ...labels.map((label, row) => [label, ...columns.map((column) => column[row] ?? '')]),
    ]),
    '',
    'accepted: score >= threshold; [95 % interval, Wilson]; FNMR of compared pairs, FRR of all',
  ].join('\n');
}

/** For a person: the door at each threshold, one table for each comparator. */
export function identificationText(evaluation: IdentificationEvaluation): string {
  const { acquisition, residents, templates, notEnrolled, comparators } = evaluation;
  const first = comparators[0]?.accuracy;
  const lines = [
    `${count(residents)} residents with ${count(templates)} templates; not enrolled: ${count(notEnrolled)}`,
    acquisitionText(acquisition),
  ];
  if (first) {
    const { matedProbes, nonMatedProbes, notAcquired } = first;
    lines.push(
      `${count(matedProbes)} visits of residents (${count(notAcquired.matedProbes)} without a template), ${count(nonMatedProbes)} of strangers (${count(notAcquired.nonMatedProbes)})`,
    );
  }
  for (const { name, accuracy } of comparators) {
    lines.push('', identificationTable(name, accuracy));
  }
  lines.push('', 'FPIR: strangers let in; FNIR: residents not recognised; [95 % interval, Wilson]');
  return lines.join('\n');
}

/** For a person: FNIR at equal FPIR, by templates and frames. */
export function fusionText(study: FusionStudy): string {
  const rows = study.configurations.flatMap((configuration) =>
    configuration.comparators.map(({ name, accuracy }) => [
      name,
      String(configuration.templatesPerResident),
      String(configuration.framesPerDecision),
      `${count(accuracy.matedProbes)} / ${count(accuracy.nonMatedProbes)}`,
      share(accuracy.rank1),
      ...accuracy.operatingPoints.flatMap((point) => [thresholdOf(point), fnirOf(point)]),
    ]),
  );
  const targets = study.configurations[0]?.comparators[0]?.accuracy.operatingPoints ?? [];
  const head = targets.flatMap(({ fpirTarget }) => [
    'threshold',
    `FNIR at FPIR ${percent(fpirTarget)}`,
  ]);
  return [
    `${count(study.residents)} residents, ${count(study.strangers)} strangers: the same, with the same pictures, in every row`,
    '',
    textTable([
      ['comparator', 'templates', 'frames', 'decisions', 'rank-1', ...head],
      ...rows.toSorted((a, b) => ((a[0] ?? '') < (b[0] ?? '') ? -1 : a[0] === b[0] ? 0 : 1)),
    ]),
  ].join('\n');
}

/** What goes out as JSON: all figures, without the single scores. */
export function verificationSummary({ acquisition, comparators }: VerificationEvaluation): {
  readonly acquisition: AcquisitionCounts;
  readonly comparators: readonly { name: string; accuracy: VerificationAccuracy }[];
} {
  return {
    acquisition,
    comparators: comparators.map(({ name, accuracy }) => ({ name, accuracy })),
  };
}

/** What goes out as JSON: all figures, without the single searches. */
export function identificationSummary(evaluation: IdentificationEvaluation): Omit<
  IdentificationEvaluation,
  'comparators'
> & {
  readonly comparators: readonly { name: string; accuracy: IdentificationAccuracy }[];
} {
  const comparators = evaluation.comparators.map(({ name, accuracy }) => ({ name, accuracy }));
  return { ...evaluation, comparators };
}

function verificationLabels(accuracy: VerificationAccuracy): string[] {
  const { folds, operatingPoints } = accuracy;
  return [
    folds.kind === 'measured' ? `accuracy, ${folds.folds.length} folds` : 'accuracy by folds',
    '  with failures to acquire',
    '  mean threshold',
    'equal error rate',
    ...operatingPoints.flatMap(({ fmrTarget }) => [
      `FNMR at FMR ${percent(fmrTarget)}`,
      '  FRR with failures to acquire',
      '  FMR reached',
      '  threshold',
    ]),
  ];
}

function verificationColumn({
  folds,
  equalError,
  operatingPoints,
}: VerificationAccuracy): string[] {
  const mean = (of: { mean: number; standardDeviation: number }) =>
    `${percent(of.mean, 2)} ± ${(100 * of.standardDeviation).toFixed(2)}`;
  return [
    ...(folds.kind === 'measured'
      ? [mean(folds.accuracy), mean(folds.accuracyWithFta), threshold(folds.meanThreshold)]
      : [folds.why, '', '']),
    equalError ? percent(equalError.rate, 2) : 'nothing to compare',
    ...operatingPoints.flatMap((point) =>
      point.kind === 'measured'
        ? [
            interval(point.fnmr),
            interval(point.frrWithFta),
            interval(point.fmr),
            threshold(point.threshold),
          ]
        : [`needs ${count(point.nonMatedPairsNeeded)} pairs of two`, '', '', ''],
    ),
  ];
}

function identificationTable(name: string, accuracy: IdentificationAccuracy): string {
  const row = (label: string, point: IdentificationPoint) => [
    label,
    threshold(point.threshold),
    interval(point.fpir),
    interval(point.fnir),
    interval(point.fnirWithFta),
    count(point.misidentified.events),
    count(point.refusedByMargin.mated),
  ];
  const table = textTable([
    [name, 'threshold', 'FPIR', 'FNIR', 'FNIR with FTA', 'taken for another', 'too close'],
    ...accuracy.operatingPoints.map(
      (target) =>
      target.kind === 'measured'
        ? row(`FPIR <= ${percent(target.fpirTarget)}`, target.point)
        : [`FPIR <= ${percent(target.fpirTarget)}`, `needs ${count(target.nonMatedProbesNeeded)} strangers`], // biome-ignore format: one row
    ),
    ...accuracy.points.map((point) => row('', point)),
  ]);
  return `${table}\nmargin ${accuracy.margin}; rank-1 ${interval(accuracy.rank1)}`;
}

function acquisitionText({ pictures, notAcquired, reasons }: AcquisitionCounts): string {
  const why = Object.entries(reasons).map(([reason, times]) => `${reason} ${count(times)}`);
  const list = why.length > 0 ? ` (${why.join(', ')})` : '';
  return `${count(pictures)} pictures, ${count(notAcquired)} without a template${list}`;
}

function thresholdOf(target: IdentificationTargetPoint): string {
  return target.kind === 'measured' ? threshold(target.point.threshold) : '';
}

function fnirOf(target: IdentificationTargetPoint): string {
  return target.kind === 'measured'
    ? interval(target.point.fnir)
    : `needs ${count(target.nonMatedProbesNeeded)} strangers`;
}

function interval(value: Proportion): string {
  if (value.share === null) return 'none';
  return `${share(value)} [${(100 * value.low95).toFixed(2)}, ${(100 * value.high95).toFixed(2)}]`;
}

function share({ share: value }: Proportion): string {
  return value === null ? 'none' : percent(value, 2);
}

/** As many digits as it needs, or a fixed number of them: "1 %", "0.3 %", "99.47 %". */
function percent(value: number, digits?: number): string {
  const scaled = 100 * value;
  return `${digits === undefined ? String(Number(scaled.toPrecision(6))) : scaled.toFixed(digits)} %`;
}

/** Rounded up: a threshold copied from here is never more lenient than the one that was measured. */
function threshold(value: number): string {
  const rounded = Math.ceil(value * 1e4) / 1e4;
  return (rounded >= value ? rounded : rounded + 1e-4).toFixed(4);
}

function count(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}
