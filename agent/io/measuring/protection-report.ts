import type { Proportion } from '../../gallery/proportion.ts';
import type { Accuracy } from '../../protection/accuracy-loss.ts';
import type { Verdict } from '../../protection/limits.ts';
import type { ProtectionEvaluation } from '../../protection/protection-evaluation.ts';
import { textTable } from './text-table.ts';

/** For a person: what protection costs, what it hides, and which limits are kept. */
export function protectionText(evaluation: ProtectionEvaluation): string {
  const { scheme, cost, sizes, faces } = evaluation;
  return [
    `${scheme}, ${count(cost.bits)} bits, ${sizes.keys} keys; ${count(faces.pictures)} pictures of ${count(faces.persons)} persons`,
    '',
    accuracyTable(evaluation),
    '',
    ...separationLines(evaluation),
    '',
    attackTable(evaluation),
    'cosine: of the guessed and the true embedding; type I: accepted for the picture the code was made of,',
    'type II: for another picture of the person; the attacker stops at the embedding: upper bounds',
    '',
    telemetryTable(evaluation),
    'AUC: area under the ROC, 0.5 says nothing; D_sys: 0 never linked, 1 always; floor: by chance alone',
    '',
    `transform ${microseconds(cost.transformMs)}, Hamming distance ${microseconds(cost.hammingMs)}, soft score ${microseconds(cost.softScoreMs)}`,
    '',
    verdictTable(evaluation.verdicts),
  ].join('\n');
}

/** For a program: all figures, without the single scores. */
export function protectionSummary(evaluation: ProtectionEvaluation): object {
  const { accuracy, separation, telemetry, ...rest } = evaluation;
  const withoutScores = ({ folds, operatingPoints }: Accuracy) => ({ folds, operatingPoints });
  const { scores: _, ...separated } = separation;
  return {
    ...rest,
    accuracy: {
      ...accuracy,
      plain: withoutScores(accuracy.plain),
      keys: accuracy.keys.map(withoutScores),
    },
    separation: separated,
    telemetry: telemetry.map(({ distances: __, ...figures }) => figures),
  };
}

function accuracyTable({ accuracy }: ProtectionEvaluation): string {
  const { plain, keys, foldLoss, tmrLoss } = accuracy;
  const folds = foldAccuracy(plain);
  const rows = plain.operatingPoints.map((point) => {
    const label = `FNMR at FMR ${percent(point.fmrTarget)}`;
    if (point.kind === 'not-supported') {
      return [label, `needs ${count(point.nonMatedPairsNeeded)} pairs of two`, '', ''];
    }
    const loss = tmrLoss.find(({ fmrTarget }) => fmrTarget === point.fmrTarget);
    const fnmr = point.fnmr.share ?? Number.NaN;
    return [label, percent(fnmr, 2), ...(loss ? shifted(fnmr, loss, 1) : ['', ''])];
  });
  return textTable([
    ['verification', 'plain', `${keys.length} keys, mean`, 'worst'],
    [
      'accuracy by folds',
      folds === undefined ? 'no folds' : percent(folds, 2),
      ...(folds !== undefined && foldLoss ? shifted(folds, foldLoss, -1) : ['', '']),
    ],
    ...rows,
  ]);
}

/** A rate as it is after a loss (in percentage points), on average and at worst. */
function shifted(rate: number, loss: { mean: number; worst: number }, sign: 1 | -1): string[] {
  return [loss.mean, loss.worst].map((points) => percent(rate + (sign * points) / 100, 2));
}

function foldAccuracy({ folds }: Accuracy): number | undefined {
  return folds.kind === 'measured' ? folds.accuracy.mean : undefined;
}

function separationLines({ separation }: ProtectionEvaluation): string[] {
  const { dSys, floor, bins, meanHamming, lowestHamming, highestHamming, balancedBits } =
    separation;
  return [
    `codes under two keys (${separation.keyPairs} pairs of keys; ${count(separation.matedScores)} mated, ${count(separation.nonMatedScores)} non-mated scores, ${bins} bins):`,
    `D_sys ${dSys.mean.toFixed(3)}, worst ${dSys.worst.toFixed(3)}, floor ${floor.mean.toFixed(3)}`,
    `differing bits ${percent(meanHamming, 2)}, from ${percent(lowestHamming, 2)} to ${percent(highestHamming, 2)}; balanced bits ${percent(balancedBits, 1)}`,
  ];
}

function attackTable({ attacks, accuracy, faces }: ProtectionEvaluation): string {
  const threshold = (accuracy.plainThreshold ?? Number.NaN).toFixed(4);
  return textTable([
    [`attacks on ${faces.targets} persons, threshold ${threshold}`, 'cosine', 'type I', 'type II'],
    ...attacks.map(({ has, success }) => [
      has,
      success.meanCosine.toFixed(3),
      share(success.typeI),
      share(success.typeII),
    ]),
  ]);
}

function telemetryTable({ telemetry }: ProtectionEvaluation): string {
  return textTable([
    [
      'telemetry',
      'bits',
      'AUC in an epoch',
      'after restart',
      'across days',
      'D_sys',
      'floor',
      'template linker',
      'longest run',
    ],
    ...telemetry.map((code) => [
      code.name,
      String(code.bits),
      code.withinEpoch.area.toFixed(3),
      code.acrossStarts.toFixed(3),
      code.acrossDays.area.toFixed(3),
      code.acrossDays.dSys.toFixed(4),
      code.acrossDays.floor.toFixed(4),
      code.linker.area.toFixed(3),
      `${code.longestRun.codes} of ${code.longestRun.of}`,
    ]),
  ]);
}

function verdictTable(verdicts: readonly Verdict[]): string {
  return textTable(
    [
      ['', 'what', 'verdict', 'measured', '', 'limit'],
      ...verdicts.map(({ id, what, verdict, value, unit, limit }) => [
        id,
        what,
        verdict,
        value === null ? '' : String(Number(value.toFixed(4))),
        unit,
        limit,
      ]),
    ],
    3,
  );
}

function share(value: Proportion): string {
  if (value.share === null) return 'none';
  return `${percent(value.share, 1)} [${(100 * value.low95).toFixed(1)}, ${(100 * value.high95).toFixed(1)}]`;
}

/** As many digits as it needs, or a fixed number of them. */
function percent(value: number, digits?: number): string {
  const scaled = 100 * value;
  return `${digits === undefined ? String(Number(scaled.toPrecision(6))) : scaled.toFixed(digits)} %`;
}

function microseconds(elapsedMs: number): string {
  return `${Number((1e3 * elapsedMs).toPrecision(2))} µs`;
}

function count(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}
