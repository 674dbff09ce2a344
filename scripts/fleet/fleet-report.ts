import type { Comparison } from './comparison.ts';
import type { DoorsApart } from './doors-apart.ts';
import type { DriftSeries } from './drift.ts';
import type { Findings } from './findings.ts';
import { leastDoors } from './fleet-database.ts';
import type {
  BuildClock,
  BuildShare,
  BuildTimes,
  CountedDays,
  FleetSizes,
} from './fleet-tables.ts';
import { type CodeFigures, nearBits } from './telemetry-codes.ts';

/** Everything that is read out of the objects of a fleet. */
export type FleetReport = {
  readonly sizes: FleetSizes;
  readonly findings: Findings;
  readonly shares: readonly BuildShare[];
  readonly times: readonly BuildTimes[];
  readonly clocks: readonly BuildClock[];
  readonly countedDays: readonly CountedDays[];
  readonly codes: CodeFigures;
};

export type ReportTable = {
  /** Of its file. */
  readonly name: string;
  readonly title: string;
  readonly note: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number | null)[])[];
};

export function reportTables(report: FleetReport): readonly ReportTable[] {
  return [
    failureTable(report.shares),
    timesTable(report.times),
    driftTable(report.findings.driftSeries),
    clockTable(report.clocks),
    epochTable(report.codes),
    refusedTable(report.codes),
    countedTable(report.countedDays),
  ];
}

/** What was found, a sentence each. */
export function findingLines({
  worse,
  drifting,
  doorsApart,
  uncompared,
}: Findings): readonly string[] {
  return [
    ...worse.map(worseLine),
    ...drifting.flatMap(driftLine),
    ...doorsApart.map((apart) => apartLine(apart)),
    ...uncompared.map(
      (level) => `${level}: not compared, for everything else about its doors differs too`,
    ),
  ];
}

export function reportMarkdown(report: FleetReport): string {
  const { attempts, doors, countingDoors, builds, hiddenBuilds } = report.sizes;
  const lines = findingLines(report.findings);
  return `${[
    '# Fleet',
    '',
    `${attempts} attempts at ${doors} doors, and ${countingDoors} doors that only count; ${builds} builds. What`,
    `fewer than ${leastDoors} doors have in common is not shown (${hiddenBuilds} builds).`,
    '',
    '## Found',
    '',
    ...(lines.length === 0 ? ['Nothing.'] : lines.map((line) => `- ${line}`)),
    ...reportTables(report).flatMap(tableMarkdown),
  ].join('\n')}\n`;
}

/** RFC 4180. */
export function tableCsv({ columns, rows }: ReportTable): string {
  const cell = (value: string | number | null) => {
    const text = value === null ? '' : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [columns, ...rows].map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}

function tableMarkdown({ title, note, columns, rows }: ReportTable): string[] {
  const line = (cells: readonly (string | number | null)[]) =>
    `| ${cells.map((cell) => String(cell ?? '').replaceAll('|', '\\|')).join(' | ')} |`;
  const body =
    rows.length === 0
      ? ['None.']
      : [line(columns), line(columns.map(() => '---')), ...rows.map(line)];
  return ['', `## ${title}`, '', note, '', ...body];
}

function worseLine({ factor, level, measure, doors, usual, ...found }: Comparison): string {
  const { difference, low95, high95, chance } = found;
  const where =
    factor === 'hour' ? `from ${level} to ${Number(level) + 1} o'clock` : `${factor} ${level}`;
  const what =
    measure.kind === 'share'
      ? `${measure.name} ${points(difference)} points above the usual ${percent(usual)} (${points(low95)} to ${points(high95)})`
      : `the stage ${measure.name} takes ${whole(difference)} ms longer than the usual ${whole(usual)} ms (${whole(low95)} to ${whole(high95)})`;
  return `${where}: ${what}; ${doors} doors, chance ${chance.toExponential(0)}`;
}

function driftLine({ build, measure, drift, cusum, limit }: DriftSeries): string[] {
  if (!drift) return [];
  const { since, before, after } = drift;
  return [
    `${build}: ${measure.name} drifts since ${since}, from ${percent(before)} to ${percent(after)} (CUSUM ${cusum.height.toFixed(1)}, limit ${limit.toFixed(1)})`,
  ];
}

function apartLine({ reason, fromHour, untilHour, doors, share, usual }: DoorsApart): string {
  return `${doors} doors have ${reason} in ${percent(share)} of their visits from ${fromHour} to ${untilHour} o'clock, all doors in ${percent(usual)}`;
}

function failureTable(shares: readonly BuildShare[]): ReportTable {
  return {
    name: 'failures',
    title: 'Failures per build and reason',
    note: 'Share of attempts, with the 95 % interval; design effect: attempts that are worth one.',
    columns: ['build', 'reason', 'doors', 'attempts', 'share', 'low', 'high', 'design effect'],
    rows: shares.map(({ build, reason, doors, attempts, share, low95, high95, designEffect }) => [
      ...[build, reason, doors, attempts],
      ...[share, low95, high95].map((value) => value && Number(value.toFixed(5))),
      Number(designEffect.toFixed(2)),
    ]),
  };
}

function timesTable(times: readonly BuildTimes[]): ReportTable {
  return {
    name: 'times',
    title: 'Time per build and stage',
    note: 'Milliseconds, in steps of 10; overhead: from picture to decision; rest: outside the stages.',
    columns: ['build', 'stage', 'doors', 'attempts', 'p50', 'p95', 'p99'],
    rows: times.map(({ build, stage, doors, attempts, p50Ms, p95Ms, p99Ms }) => [
      ...[build, stage, doors, attempts, p50Ms, p95Ms, p99Ms],
    ]),
  };
}

function driftTable(series: readonly DriftSeries[]): ReportTable {
  return {
    name: 'drift',
    title: 'Drift per build and reason',
    note: 'Highest sum of standardised differences of each day to all days before (CUSUM), and its limit.',
    columns: ['build', 'reason', 'days', 'highest sum', 'limit', 'since', 'before', 'after'],
    rows: series.map(({ build, measure, days, cusum, limit, drift }) => [
      ...[build, measure.name, days.length],
      ...[cusum.height, limit].map((value) => Number(value.toFixed(2))),
      drift?.since ?? null,
      ...[drift?.before, drift?.after].map((value) =>
        value === undefined ? null : Number(value.toFixed(5)),
      ),
    ]),
  };
}

function clockTable(clocks: readonly BuildClock[]): ReportTable {
  return {
    name: 'clocks',
    title: 'Clocks that were not believed',
    note: 'Attempts of which nobody can say when they were: they are in no figure by day or hour.',
    columns: ['build', 'doors', 'attempts', 'untrusted', 'doors with any'],
    rows: clocks.map(({ build, doors, attempts, untrusted, doorsWithUntrusted }) => [
      ...[build, doors, attempts, Number((untrusted / attempts).toFixed(5))],
      doorsWithUntrusted ?? `below ${leastDoors}`,
    ]),
  };
}

function epochTable({ epochs }: CodeFigures): ReportTable {
  return {
    name: 'epochs',
    title: 'Epochs of a door in a day',
    note: 'A restart and every 128th code begin another one (4: or more). Codes of two are not comparable.',
    columns: ['epochs', 'days of doors', 'doors', 'codes per day'],
    rows: epochs.map(({ epochs: count, doorDays, doors, codes }) => [
      ...[count, doorDays, doors, Number((codes / doorDays).toFixed(1))],
    ]),
  };
}

function refusedTable({ refused }: CodeFigures): ReportTable {
  return {
    name: 'refused',
    title: 'Visitors without a match whom the door let in on the same day',
    note: `Attempts whose code differs in at most ${nearBits} bits from one that was let in within the epoch, and how many chance would put there: the rest are residents who were refused, and only part of them.`,
    columns: [
      'release',
      'doors',
      'no match',
      'near one let in',
      'by chance',
      'rest, of those without a match',
    ],
    rows: refused.map(({ agentVersion, doors, refused: all, nearOneLetIn, byChance }) => [
      ...[agentVersion, doors, all, nearOneLetIn, Number(byChance.toFixed(1))],
      Number(((nearOneLetIn - byChance) / all).toFixed(4)),
    ]),
  };
}

function countedTable(days: readonly CountedDays[]): ReportTable {
  return {
    name: 'counters',
    title: 'Doors that only count',
    note: 'Visitors a day who failed twice or more and never succeeded, mean over days of doors, with its standard error: the noise that each door added is in it.',
    columns: ['release', 'doors', 'days', 'failed visitors a day', 'standard error'],
    rows: days.map(({ agentVersion, doors, days: count, failedVisitorsADay, standardError }) => [
      ...[agentVersion, doors, count, Number(failedVisitorsADay.toFixed(2))],
      standardError === null ? null : Number(standardError.toFixed(2)),
    ]),
  };
}

const points = (share: number) => (100 * share).toFixed(1);
const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
const whole = (value: number) => value.toFixed(0);
