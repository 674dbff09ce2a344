import { join } from 'node:path';
import type { Accuracy } from '../../protection/accuracy-loss.ts';
import type { ProtectionEvaluation } from '../../protection/protection-evaluation.ts';
import { writeFileAtomic } from '../files/atomic-file.ts';
import { type Axis, type Chart, histogram, type Series, svgChart } from './svg-chart.ts';

/** Writes protection-*.svg into the folder, which is made where it is missing. Rejects with STORE_… */
export async function writeProtectionCharts(
  folder: string,
  evaluation: ProtectionEvaluation,
): Promise<readonly string[]> {
  const files = Object.entries(protectionCharts(evaluation)).map(([name, chart]) => ({
    path: join(folder, `protection-${name}.svg`),
    svg: svgChart(chart),
  }));
  for (const { path, svg } of files) await writeFileAtomic(path, svg);
  return files.map(({ path }) => path);
}

export function protectionCharts(
  evaluation: ProtectionEvaluation,
): Readonly<Record<string, Chart>> {
  return {
    scores: scoresChart(evaluation),
    det: detChart(evaluation),
    'known-pairs': knownPairsChart(evaluation),
    'two-keys': twoKeysChart(evaluation),
    ...Object.fromEntries(
      evaluation.telemetry.map((telemetry) => [
        `telemetry-${telemetry.bits}`,
        telemetryChart(telemetry),
      ]),
    ),
  };
}

function scoresChart({ accuracy, scheme, cost, sizes }: ProtectionEvaluation): Chart {
  const { plain, keys } = accuracy;
  const bins = { min: -0.4, max: 1, bins: 70 };
  const protectedScores = (of: 'mated' | 'nonMated') =>
    keys.flatMap(({ scores }) => [...scores[of]]);
  const series: Series[] = [
    steps('two persons,\nprotected', 'orange', histogram(protectedScores('nonMated'), bins)),
    steps('one person,\nprotected', 'blue', histogram(protectedScores('mated'), bins)),
    outline('two persons, plain', 'orange', histogram(plain.scores.nonMated, bins)),
    outline('one person, plain', 'blue', histogram(plain.scores.mated, bins)),
  ];
  return {
    title: 'Comparison scores before and after protection',
    subtitle: `plain: cosine; protected: ${scheme}, ${count(cost.bits)} bits, ${sizes.keys} keys; ${count(plain.scores.mated.length)} and ${count(plain.scores.nonMated.length)} pairs`,
    x: linear('comparison score', -0.4, 1),
    y: shareAxis(series),
    series,
  };
}

function detChart({ accuracy, scheme, sizes }: ProtectionEvaluation): Chart {
  const curve = ({ scores }: Accuracy) => errorRates(scores.mated, scores.nonMated);
  const percent = (value: number) => `${Number((100 * value).toPrecision(3))} %`;
  const strictest = [accuracy.plain, ...accuracy.keys].flatMap((key) => {
    return curve(key).flatMap(([fmr, fnmr]) => (fmr >= 1e-4 ? [fnmr] : []));
  });
  const highest = Math.min(1, Math.max(0.01, 10 ** Math.ceil(Math.log10(Math.max(...strictest)))));
  return {
    title: 'Errors of 1:1 comparisons before and after protection',
    subtitle: `detection error trade-off; ${count(accuracy.plain.scores.mated.length)} pairs of one person, ${count(accuracy.plain.scores.nonMated.length)} of two`,
    x: {
      label: 'FMR: two persons taken for one',
      scale: 'log',
      min: 1e-4,
      max: 1,
      format: percent,
    },
    y: {
      label: 'FNMR: one person taken for two',
      scale: 'log',
      min: 1e-3,
      max: highest,
      format: percent,
    },
    series: [
      ...accuracy.keys.map(
        (key, i): Series => ({
          label: i === 0 ? `${scheme},\none line per key (${sizes.keys})` : undefined,
          colour: 'blue',
          kind: 'line',
          points: curve(key),
        }),
      ),
      {
        label: 'plain embedding',
        colour: 'orange',
        kind: 'line',
        dashed: true,
        points: curve(accuracy.plain),
      },
    ],
  };
}

function knownPairsChart({ attacks, accuracy, faces }: ProtectionEvaluation): Chart {
  const rateOf = (id: string, type: 'typeI' | 'typeII') =>
    100 * (attacks.find((attack) => attack.id === id)?.success[type].share ?? Number.NaN);
  const pairs = attacks.flatMap(({ id }) => {
    const number = /^known-pairs-(\d+)$/.exec(id)?.[1];
    return number === undefined ? [] : [{ id, number: Number(number) }];
  });
  const most = Math.max(...pairs.map(({ number }) => number), 2);
  const curve = (label: string, colour: Series['colour'], type: 'typeI' | 'typeII'): Series => ({
    label,
    colour,
    kind: 'points',
    points: pairs.map(({ id, number }) => [number, rateOf(id, type)]),
  });
  const level = (label: string, colour: Series['colour'], id: string): Series => ({
    label,
    colour,
    kind: 'line',
    dashed: true,
    points: [
      [1, rateOf(id, 'typeII')],
      [most, rateOf(id, 'typeII')],
    ],
  });
  return {
    title: 'Stolen codes without encryption, some of their faces known',
    subtitle: `no key, but the faces of some codes; ${faces.targets} targets, threshold ${(accuracy.plainThreshold ?? 0).toFixed(3)} (FMR 0.1 % of the plain system)`,
    x: { label: 'known pairs of face and code', scale: 'log', min: 0.9, max: 1.1 * most },
    y: linear('attack success, %', 0, 105),
    series: [
      curve('type I: the picture\nthe code was made of', 'blue', 'typeI'),
      curve('type II: another picture\nof the person', 'orange', 'typeII'),
      level('type II with the key', 'purple', 'back-projection'),
      level('type II with codes only', 'green', 'other-key'),
    ],
  };
}

function twoKeysChart({ separation, cost }: ProtectionEvaluation): Chart {
  const { scores, dSys, floor, keyPairs } = separation;
  // Each bar holds equally many whole numbers of bits; otherwise some would stick out.
  const width = Math.max(1, Math.round(0.00125 * cost.bits)) / cost.bits;
  const min = 0.5 - 32 * width - 0.5 / cost.bits;
  const bins = { min, max: min + 64 * width, bins: 64 };
  const series: Series[] = [
    steps('two persons', 'orange', histogram(scores.nonMated, bins)),
    outline('one picture', 'blue', histogram(scores.mated, bins)),
  ];
  return {
    title: 'One picture under two keys, against two persons',
    subtitle: `${keyPairs} pairs of keys; D_sys ${dSys.mean.toFixed(3)} on average, by chance alone ${floor.mean.toFixed(3)} (1: always linked)`,
    x: linear('share of differing bits between codes of two keys', 0.46, 0.54),
    y: shareAxis(series),
    series,
  };
}

function telemetryChart(telemetry: ProtectionEvaluation['telemetry'][number]): Chart {
  const { bits, distances, withinEpoch, acrossDays } = telemetry;
  const bins = { min: -0.5, max: bits + 0.5, bins: bits + 1 };
  const series: Series[] = [
    steps('one day, two persons', 'orange', histogram(distances.within.nonMated, bins)),
    steps('one day, one person,\ntwo pictures', 'blue', histogram(distances.within.mated, bins)),
    outline('two days, one picture', 'green', histogram(distances.across.mated, bins)),
    outline('two days, two persons', 'purple', histogram(distances.across.nonMated, bins)),
  ];
  return {
    title: `Telemetry codes of ${bits} bits within a day and across days`,
    subtitle: `area under ROC ${withinEpoch.area.toFixed(3)} within an epoch, ${acrossDays.area.toFixed(3)} across two; ${withinEpoch.epochs} epochs`,
    x: linear('differing bits', -0.5, bits + 0.5),
    y: shareAxis(series),
    series,
  };
}

/** FMR and FNMR at thresholds that are evenly spread over the logarithm of the FMR. */
function errorRates(mated: Float64Array, nonMated: Float64Array): [number, number][] {
  const decades = Math.log10(nonMated.length);
  const points = Array.from({ length: 81 }, (_, i): [number, number] => {
    const passing = Math.round(10 ** ((decades * i) / 80));
    const threshold = nonMated[nonMated.length - passing] ?? 0;
    const missed = mated.findIndex((score) => score >= threshold);
    return [passing / nonMated.length, (missed === -1 ? mated.length : missed) / mated.length];
  });
  return points.filter(([fmr], i) => fmr !== points[i - 1]?.[0]);
}

function steps(
  label: string,
  colour: Series['colour'],
  points: readonly [number, number][],
): Series {
  return { label, colour, kind: 'steps', filled: true, points };
}

function outline(
  label: string,
  colour: Series['colour'],
  points: readonly [number, number][],
): Series {
  return { label, colour, kind: 'steps', dashed: true, points };
}

function linear(label: string, min: number, max: number): Axis {
  return { label, scale: 'linear', min, max };
}

function shareAxis(series: readonly Series[]): Axis {
  const highest = Math.max(...series.flatMap(({ points }) => points.map(([, y]) => y)));
  const format = (value: number) => `${Number((100 * value).toPrecision(3))} %`;
  return { ...linear('share of the comparisons', 0, 1.08 * highest), format };
}

function count(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}
