import { nullOr, number, object, text } from '../../agent/shape.ts';
import { type Cusum, cusum, cusumLimit } from './cusum.ts';
import { buildColumns, type FleetDatabase, leastDoors } from './fleet-database.ts';
import { isWorthTelling, type Measure, shares } from './measures.ts';
import { tAsNormal } from './normal-distribution.ts';

/** A build's share of one reason on each day on which enough doors had it, and whether it stays what it was. */
export type DriftSeries = {
  readonly build: string;
  readonly measure: Measure;
  readonly days: readonly DriftDay[];
  readonly cusum: Cusum;
  readonly limit: number;
  /** Undefined: it does not drift, or by too little to be told. */
  readonly drift: Drift | undefined;
};

export type DriftDay = {
  readonly day: string;
  readonly doors: number;
  readonly share: number;
  /** Against all days before, in standard errors; null: the first day, or too few attempts to say. */
  readonly z: number | null;
};

export type Drift = {
  readonly since: string;
  readonly before: number;
  readonly after: number;
};

/**
 * Each day of a build against all its days before it, as two proportions whose variance is between doors; and the
 * sums of these differences over the days (CUSUM). Nothing has to be known beforehand of what is usual: such a
 * chart starts itself (Hawkins, 1987).
 */
export async function findDrift(database: FleetDatabase): Promise<readonly DriftSeries[]> {
  const all: Omit<DriftSeries, 'cusum' | 'limit' | 'drift'>[] = [];
  for (const measure of shares) {
    const rows = await database.rows(sqlOf(measure), row);
    const shown = rows.filter(({ doors }) => doors >= leastDoors);
    for (const build of new Set(shown.map((each) => each.build))) {
      const days = shown.filter((each) => each.build === build).map(dayOf);
      all.push({ build, measure, days });
    }
  }
  const points = all.flatMap(({ days }) => days).filter(({ z }) => z !== null).length;
  const limit = cusumLimit(points, falseAlarms);
  return all.map((series) => {
    const chart = cusum(
      series.days.map(({ z }) => z ?? 0),
      limit,
    );
    return { ...series, cusum: chart, limit, drift: driftOf(series, chart) };
  });
}

/** On average over all builds, reasons and days of a report. */
const falseAlarms = 0.01;
/** Of both sides together; a share of fewer is not normally distributed. */
const leastEvents = 20;

const any = number(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
const row = object({
  build: text(),
  day: text(),
  doors: any,
  share: any,
  before: nullOr(any),
  error: nullOr(any),
  events: any,
});

type Row = ReturnType<typeof row>;

function dayOf({ day, doors, share, before, error, events }: Row): DriftDay {
  const isEnough = before !== null && error && events >= leastEvents;
  const z = isEnough ? tAsNormal((share - before) / error, doors - 1) : null;
  return { day, doors, share, z };
}

function driftOf(
  { measure, days }: Pick<DriftSeries, 'measure' | 'days'>,
  chart: Cusum,
): Drift | undefined {
  if (chart.kind === 'steady') return undefined;
  const mean = (part: readonly DriftDay[]) =>
    part.reduce((sum, { share }) => sum + share, 0) / Math.max(1, part.length);
  const before = mean(days.slice(0, chart.sinceIndex));
  const after = mean(days.slice(chart.sinceIndex));
  if (!isWorthTelling(measure, Math.abs(after - before), before)) return undefined;
  return { since: days[chart.sinceIndex]?.day ?? '', before, after };
}

function sqlOf({ sum, count }: Measure): string {
  return `WITH cell AS (
  SELECT door, concat_ws(' ', ${buildColumns.join(', ')}) AS build, day,
    CAST(sum(${count}) AS DOUBLE) AS n, CAST(sum(${sum}) AS DOUBLE) AS y
  FROM door_day GROUP BY ALL
), target AS (
  SELECT DISTINCT build, day AS today FROM cell
), arm AS (
  SELECT build, today, sum(n) FILTER (day = today) AS n1, sum(y) FILTER (day = today) AS y1,
    sum(n) FILTER (day < today) AS n0, sum(y) FILTER (day < today) AS y0,
    count(*) FILTER (day = today) AS doors
  FROM cell JOIN target USING (build) WHERE day <= today GROUP BY ALL
), pull AS (
  SELECT build, today, door,
    sum(CASE WHEN day = today THEN (y - y1 / n1 * n) / n1 ELSE (y0 / n0 * n - y) / n0 END) AS u
  FROM cell JOIN arm USING (build) WHERE day <= today GROUP BY ALL
)
SELECT build, CAST(today AS VARCHAR) AS day, CAST(any_value(doors) AS DOUBLE) AS doors,
  any_value(y1 / n1) AS share, any_value(y0 / n0) AS before, sqrt(sum(u * u)) AS error,
  CAST(any_value(y1 + coalesce(y0, 0)) AS DOUBLE) AS events
FROM pull JOIN arm USING (build, today) GROUP BY build, today ORDER BY build, today`;
}
