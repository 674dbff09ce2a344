import type { Axis, Chart, ChartColour, Series } from '../../agent/io/measuring/svg-chart.ts';
import type { DriftSeries } from './drift.ts';
import { anyFailure, type BuildShare } from './fleet-tables.ts';
import { codeBits, coinsShare, type PairCount, type PairKind } from './telemetry-codes.ts';

const colours: readonly ChartColour[] = ['blue', 'orange', 'green', 'purple', 'grey'];

/** Failure shares with their intervals, build beside build. */
export function failureChart(shares: readonly BuildShare[], doors: number): Chart {
  const builds = [...new Set(shares.map(({ build }) => build))];
  const names = shortNames(builds);
  const reasons = [anyFailure, 'no-match', 'no-face', 'low-quality'];
  const at = (build: string, step: number) => builds.indexOf(build) + 1 + 0.16 * (step - 1.5);
  return {
    title: 'Failures per build',
    subtitle: `share of attempts at ${doors} doors, with 95 % intervals that take doors as clusters`,
    x: {
      label: 'release / recogniser',
      scale: 'linear',
      min: 0.5,
      max: builds.length + 0.5,
      format: (place) => names[place - 1] ?? '',
    },
    y: percentAxis('of all attempts', Math.max(...shares.map(({ high95 }) => high95))),
    series: reasons.flatMap((reason, step) => {
      const colour = colours[step] ?? 'grey';
      const label = reason === anyFailure ? 'all failures' : reason;
      return shares
        .filter((each) => each.reason === reason)
        .flatMap(({ build, low95, share, high95 }, index): Series[] => [
          {
            label: index === 0 ? label : undefined,
            colour,
            kind: 'line',
            points: [low95, high95].map((value) => [at(build, step), value]),
          },
          {
            label: undefined,
            colour,
            kind: 'points',
            points: share === null ? [] : [[at(build, step), share]],
          },
        ]);
    }),
  };
}

/** How long one stage takes under each recogniser: share of attempts that are done by then. */
export function stageChart(
  steps: readonly { readonly model: string; readonly ms: number; readonly share: number }[],
): Chart {
  const models = [...new Set(steps.map(({ model }) => model))];
  const curves = models.map((model) => {
    let done = 0;
    return steps
      .filter((step) => step.model === model)
      .map(({ ms, share }): [number, number] => {
        done += share;
        return [ms, done];
      });
  });
  const nearlyAll = curves.map((curve) => curve.find(([, done]) => done >= 0.999)?.[0] ?? 0);
  return {
    title: 'Time of the stage embed per recogniser',
    subtitle: 'share of attempts done by then; the steps are those of the records',
    x: { label: 'milliseconds', scale: 'linear', min: 0, max: Math.max(100, ...nearlyAll) },
    y: percentAxis('of attempts that came so far', 1),
    series: models.map((model, index) => ({
      label: `recogniser\n${model}`,
      colour: colours[index % colours.length] ?? 'grey',
      kind: 'line',
      points: curves[index] ?? [],
    })),
  };
}

/** The reason that drifts most, by the day and build. */
export function driftChart(all: readonly DriftSeries[]): Chart | undefined {
  const [most] = all.toSorted((a, b) => b.cusum.height - a.cusum.height);
  const shown = all.filter(({ measure }) => measure === most?.measure);
  const days = [...new Set(shown.flatMap((series) => series.days.map(({ day }) => day)))].sort();
  if (!most || days.length < 2) return undefined;
  const names = shortNames(shown.map(({ build }) => build));
  const highest = Math.max(...shown.flatMap((series) => series.days.map(({ share }) => share)));
  return {
    title: `Attempts that end with ${most.measure.name}, day for day`,
    subtitle: `${most.build}: sum of differences ${most.cusum.height.toFixed(1)}, limit ${most.limit.toFixed(1)}`,
    x: {
      label: 'day, by the clock of each house',
      scale: 'linear',
      min: 0.5,
      max: days.length + 0.5,
      format: (place) => days[place - 1]?.slice(5) ?? '',
    },
    y: percentAxis('of all attempts', highest),
    series: shown.map((series, index) => ({
      label: (names[index] ?? '').replace(' / ', '\n'),
      colour: colours[index % colours.length] ?? 'grey',
      kind: 'points',
      dashed: index >= colours.length,
      points: series.days.map(({ day, share }) => [days.indexOf(day) + 1, share]),
    })),
  };
}

/** A reason by the hour, at the doors that stand apart and at the others. */
export function hoursChart(
  reason: string,
  hours: readonly { readonly apart: number; readonly hour: number; readonly share: number }[],
  doorsApart: number,
): Chart {
  const curve = (apart: number) =>
    hours
      .filter((each) => each.apart === apart)
      .map(({ hour, share }): [number, number] => [hour, share]);
  const apart: Series = {
    label: `${doorsApart} doors\nthat stand apart`,
    colour: 'orange',
    kind: 'points',
    points: curve(1),
  };
  const others: Series = { label: 'all others', colour: 'blue', kind: 'points', points: curve(0) };
  return {
    title: `Attempts that end with ${reason}, by the hour of the day`,
    subtitle: 'by the clock of each house; only hours in which enough doors had somebody',
    x: { label: 'hour', scale: 'linear', min: 0, max: 23 },
    y: percentAxis('of the attempts in that hour', Math.max(...hours.map(({ share }) => share))),
    series: curve(1).length === 0 ? [others] : [apart, others],
  };
}

/** How far apart codes are, within an epoch and across two, and how far coins would be. */
export function codesChart(pairs: readonly PairCount[]): Chart {
  const kinds: readonly (readonly [PairKind, ChartColour])[] = [
    ['one epoch, both let in', 'blue'],
    ['one epoch, one refused', 'orange'],
    ['two epochs of a door', 'green'],
  ];
  const allBits = Array.from({ length: codeBits + 1 }, (_, bits) => bits);
  const sharesOf = (kind: PairKind) => {
    const all = pairs.filter(({ among }) => among === kind);
    const total = all.reduce((sum, each) => sum + each.pairs, 0);
    return {
      total,
      points: allBits.map((bits): [number, number] => [
        bits,
        (all.find((each) => each.bits === bits)?.pairs ?? 0) / Math.max(1, total),
      ]),
    };
  };
  const curves = kinds.map(([kind, colour]) => ({ kind, colour, ...sharesOf(kind) }));
  const shown = curves.filter(({ total }) => total >= 1000);
  const coins = allBits.map((bits): [number, number] => [bits, coinsShare(bits)]);
  return {
    title: 'What feature codes of 24 bits tell of a fleet',
    subtitle: `pairs of codes: ${shown.map(({ total }) => total).join(', ')}; below 8 bits lie those of one face`,
    x: { label: 'differing bits', scale: 'linear', min: 0, max: codeBits },
    y: percentAxis(
      'of the pairs',
      Math.max(...[coins, ...shown.map(({ points }) => points)].flat().map(([, y]) => y)),
    ),
    series: [
      ...shown.map(
        ({ kind, colour, points }): Series => ({
          label: kind.replace(', ', ',\n').replace(' of a', '\nof a'),
          colour,
          kind: 'points',
          points,
        }),
      ),
      { label: 'coins', colour: 'grey', kind: 'line', dashed: true, points: coins },
    ],
  };
}

/** Builds mostly differ in release and recogniser, and where not, in all that they do differ in. */
function shortNames(builds: readonly string[]): readonly string[] {
  const parts = builds.map((build) => build.split(' '));
  const differs = (place: number) => new Set(parts.map((part) => part[place])).size > 1;
  return parts.map((part) =>
    part
      .filter((_, place) => place === 0 || differs(place))
      .map((value, place) => (place === 0 ? value : value.slice(0, 4)))
      .join(' / '),
  );
}

function percentAxis(label: string, highest: number): Axis {
  const format = (share: number) => `${Number((100 * share).toFixed(2))} %`;
  return { label, scale: 'linear', min: 0, max: Math.max(0.001, highest) * 1.08, format };
}
