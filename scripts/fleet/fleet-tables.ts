import { nullOr, number, object, text } from '../../agent/shape.ts';
import { failureReasons } from '../../agent/ueip/attempt.ts';
import { clusteredShare, type DoorSums } from './clustered-share.ts';
import {
  buildColumns,
  columnOfReason,
  type FleetDatabase,
  leastDoors,
  timedStages,
} from './fleet-database.ts';

/** How many records there are, and of how many doors. */
export type FleetSizes = {
  readonly attempts: number;
  readonly doors: number;
  readonly countingDoors: number;
  readonly builds: number;
  /** Of these with fewer doors than may be shown. */
  readonly hiddenBuilds: number;
};

export type BuildShare = {
  readonly build: string;
  readonly doors: number;
  readonly attempts: number;
  /** All failures, or one of the closed list. */
  readonly reason: string;
  readonly share: number | null;
  readonly low95: number;
  readonly high95: number;
  readonly designEffect: number;
};

export type BuildTimes = {
  readonly build: string;
  readonly stage: string;
  readonly doors: number;
  readonly attempts: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
};

export type BuildClock = {
  readonly build: string;
  readonly doors: number;
  readonly attempts: number;
  readonly untrusted: number;
  /** Null: fewer than may be shown. */
  readonly doorsWithUntrusted: number | null;
};

export type CountedDays = {
  readonly agentVersion: string;
  readonly doors: number;
  readonly days: number;
  readonly failedVisitorsADay: number;
  /** The noise that the doors added is in it. */
  readonly standardError: number | null;
};

export async function readSizes(database: FleetDatabase): Promise<FleetSizes> {
  const [sizes] = await database.rows(sizesSql, object({ ...counts }));
  if (!sizes) throw new TypeError('a count has one row');
  return sizes;
}

/** Of every build: all failures first, then each reason. */
export async function readFailureShares(database: FleetDatabase): Promise<readonly BuildShare[]> {
  const shares: BuildShare[] = [];
  for (const reason of [anyFailure, ...failureReasons]) {
    const events =
      reason === anyFailure
        ? failureReasons.map(columnOfReason).join(' + ')
        : columnOfReason(reason);
    for (const { build, ...sums } of await database.rows(sumsSql(events), sumsRow)) {
      const { doors, trials: attempts } = sums;
      shares.push({ build, doors, attempts, reason, ...clusteredShare(sums) });
    }
  }
  return shares;
}

export const anyFailure = 'any';

export async function readTimes(database: FleetDatabase): Promise<readonly BuildTimes[]> {
  const times: BuildTimes[] = [];
  for (const stage of ['overhead', ...timedStages]) {
    const rows = await database.rows(quantilesSql(stage), quantilesRow);
    times.push(...rows.map((row) => ({ ...row, stage })));
  }
  return times;
}

export async function readClocks(database: FleetDatabase): Promise<readonly BuildClock[]> {
  return database.rows(clocksSql, clockRow);
}

export async function readCountedDays(database: FleetDatabase): Promise<readonly CountedDays[]> {
  return database.rows(countedSql, countedRow);
}

/** Of the stage embed, per recogniser, in steps of 10 ms: share of attempts. */
export async function readEmbedTimes(database: FleetDatabase) {
  return database.rows(embedSql, object({ model: text(), ms: any, share: any }));
}

/** A failure by the hour of the day, at the doors apart and at all others. */
export async function readHours(database: FleetDatabase, reason: string) {
  return database.rows(hoursSql(reason), object({ apart: any, hour: any, share: any }));
}

const any = number(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
const build = `concat_ws(' ', ${buildColumns.join(', ')})`;
const counts = { attempts: any, doors: any, countingDoors: any, builds: any, hiddenBuilds: any };

const sizesSql = `WITH build AS (SELECT ${build} AS build, count(DISTINCT door) AS doors FROM attempt GROUP BY ALL)
SELECT CAST((SELECT count(*) FROM attempt) AS DOUBLE) AS attempts,
  CAST((SELECT count(DISTINCT door) FROM attempt) AS DOUBLE) AS doors,
  CAST((SELECT count(DISTINCT door) FROM day_counters) AS DOUBLE) AS "countingDoors",
  CAST(count(*) AS DOUBLE) AS builds,
  CAST(count(*) FILTER (doors < ${leastDoors}) AS DOUBLE) AS "hiddenBuilds"
FROM build`;

const sumsRow = object({
  build: text(),
  doors: any,
  events: any,
  trials: any,
  eventsSquared: any,
  trialsSquared: any,
  eventsTimesTrials: any,
} satisfies Record<keyof DoorSums | 'build', unknown>);

function sumsSql(events: string): string {
  return `WITH cell AS (
  SELECT door, ${build} AS build, CAST(sum(${events}) AS DOUBLE) AS y, CAST(sum(attempts) AS DOUBLE) AS n
  FROM door_day GROUP BY ALL
)
SELECT build, CAST(count(*) AS DOUBLE) AS doors, sum(y) AS events, sum(n) AS trials,
  sum(y * y) AS "eventsSquared", sum(n * n) AS "trialsSquared", sum(y * n) AS "eventsTimesTrials"
FROM cell GROUP BY build HAVING count(*) >= ${leastDoors} ORDER BY build`;
}

const quantilesRow = object({
  build: text(),
  doors: any,
  attempts: any,
  p50Ms: any,
  p95Ms: any,
  p99Ms: any,
});

function quantilesSql(stage: string): string {
  const quantile = (part: number) =>
    `CAST(quantile_disc(${stage}_ms, ${part / 100}) AS DOUBLE) AS "p${part}Ms"`;
  return `SELECT ${build} AS build, CAST(count(DISTINCT door) AS DOUBLE) AS doors,
  CAST(count(${stage}_ms) AS DOUBLE) AS attempts, ${[50, 95, 99].map(quantile).join(', ')}
FROM attempt WHERE ${stage}_ms IS NOT NULL
GROUP BY ALL HAVING count(DISTINCT door) >= ${leastDoors} ORDER BY build`;
}

const clockRow = object({
  build: text(),
  doors: any,
  attempts: any,
  untrusted: any,
  doorsWithUntrusted: nullOr(any),
});

const clocksSql = `WITH door_clock AS (
  SELECT door, ${build} AS build, count(*) AS attempts, count(*) FILTER (NOT clock_trusted) AS untrusted
  FROM attempt GROUP BY ALL
)
SELECT build, CAST(count(*) AS DOUBLE) AS doors, CAST(sum(attempts) AS DOUBLE) AS attempts,
  CAST(sum(untrusted) AS DOUBLE) AS untrusted,
  CASE WHEN count(*) FILTER (untrusted > 0) >= ${leastDoors}
    THEN CAST(count(*) FILTER (untrusted > 0) AS DOUBLE) END AS "doorsWithUntrusted"
FROM door_clock GROUP BY build HAVING count(*) >= ${leastDoors} ORDER BY build`;

const countedRow = object({
  agentVersion: text(),
  doors: any,
  days: any,
  failedVisitorsADay: any,
  standardError: nullOr(any),
});

const countedSql = `SELECT agent_version AS "agentVersion", CAST(count(DISTINCT door) AS DOUBLE) AS doors,
  CAST(count(*) AS DOUBLE) AS days, avg(failed_visitors) AS "failedVisitorsADay",
  stddev_samp(failed_visitors) / sqrt(count(*)) AS "standardError"
FROM day_counters GROUP BY ALL HAVING count(DISTINCT door) >= ${leastDoors} ORDER BY 1`;

const embedSql = `WITH step AS (
  SELECT embedding_model AS model, embed_ms AS ms, count(*) AS attempts
  FROM attempt WHERE embed_ms IS NOT NULL GROUP BY ALL
), shown AS (
  SELECT embedding_model AS model FROM attempt GROUP BY ALL HAVING count(DISTINCT door) >= ${leastDoors}
)
SELECT model, CAST(ms AS DOUBLE) AS ms, attempts / sum(attempts) OVER (PARTITION BY model) AS share
FROM step JOIN shown USING (model) ORDER BY model, ms`;

function hoursSql(reason: string): string {
  return `WITH apart AS (SELECT DISTINCT door FROM door_apart WHERE reason = '${reason}')
SELECT CAST(apart.door IS NOT NULL AS DOUBLE) AS apart, CAST(hour AS DOUBLE) AS hour,
  sum(${columnOfReason(reason)}) / sum(attempts) AS share
FROM door_hour LEFT JOIN apart ON apart.door = door_hour.door
GROUP BY ALL HAVING count(DISTINCT door_hour.door) >= ${leastDoors} ORDER BY 1, 2`;
}
