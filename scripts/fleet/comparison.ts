import { nullOr, number, object, text } from '../../agent/shape.ts';
import { type FleetDatabase, leastDoors } from './fleet-database.ts';
import type { Measure } from './measures.ts';
import { t95, tAsNormal, upperTail } from './normal-distribution.ts';

/** One level of a factor (a release, a model, an hour) against all its other levels. */
export type Comparison = {
  readonly factor: string;
  readonly level: string;
  readonly measure: Measure;
  readonly doors: number;
  /** The measure at the other levels, in the strata where both are. */
  readonly usual: number;
  readonly difference: number;
  readonly low95: number;
  readonly high95: number;
  /** That chance alone makes the level worse by this much or more. */
  readonly chance: number;
};

/** Levels are values of the column `factor`; they are compared where those of `strata` are the same. */
export type ComparedFrom = {
  readonly table: string;
  readonly factor: string;
  readonly strata: readonly string[];
};

/**
 * The Mantel-Haenszel difference (Greenland and Robins, 1985): levels are compared only within strata (the same
 * day, the same other models), so that a level is not blamed for the day on which it was rolled out. The
 * variance is between doors: how far each pulls the difference, squared and summed, because attempts at one
 * door are alike. Levels at fewer than `leastDoors` doors, or against fewer, are left out.
 */
export async function compareLevels(
  database: FleetDatabase,
  from: ComparedFrom,
  measure: Measure,
): Promise<readonly Comparison[]> {
  const { factor } = from;
  const rows = await database.rows(sqlOf(from, measure), compared);
  return rows.flatMap(({ level, doors, others, usual, difference, error }) => {
    if (level === null || usual === null || difference === null || !error) return [];
    const degrees = Math.min(doors, others) - 1;
    const half = t95(degrees) * error;
    return [
      {
        factor,
        level,
        measure,
        doors,
        usual,
        difference,
        low95: difference - half,
        high95: difference + half,
        chance: upperTail(tAsNormal(difference / error, degrees)),
      },
    ];
  });
}

/**
 * Levels that could not be compared, though there are others: all their doors differ in something else too (a release
 * that only came together with a new model). Nothing is found at them, which is not to say that nothing is wrong.
 */
export async function uncomparedLevels(
  database: FleetDatabase,
  { table, factor }: Pick<ComparedFrom, 'table' | 'factor'>,
  compared: readonly Comparison[],
): Promise<readonly string[]> {
  const levels = await database.rows(
    `SELECT CAST(${factor} AS VARCHAR) AS level FROM ${table} WHERE ${factor} IS NOT NULL
    GROUP BY ALL HAVING count(DISTINCT door) >= ${leastDoors} ORDER BY level`,
    object({ level: text() }),
  );
  const known = new Set(compared.map(({ level }) => level));
  return levels.length < 2
    ? []
    : levels.map(({ level }) => level).filter((level) => !known.has(level));
}

const any = number(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
const compared = object({
  level: nullOr(text()),
  doors: any,
  others: any,
  usual: nullOr(any),
  difference: nullOr(any),
  error: nullOr(any),
});

function sqlOf({ table, factor, strata }: ComparedFrom, { sum, count }: Measure): string {
  return `WITH cell AS (
  SELECT door, CAST(${factor} AS VARCHAR) AS level, hash(${strata.join(', ')}) AS stratum,
    CAST(sum(${count}) AS DOUBLE) AS n, CAST(sum(${sum}) AS DOUBLE) AS y
  FROM ${table} GROUP BY ALL HAVING n > 0
), whole AS (
  SELECT stratum, sum(n) AS n, sum(y) AS y FROM cell GROUP BY ALL
), arm AS (
  SELECT level, stratum, sum(n) AS n, sum(y) AS y FROM cell GROUP BY ALL
), pair AS (
  SELECT level, stratum, arm.n AS n1, arm.y / arm.n AS p1, whole.n - arm.n AS n0,
    (whole.y - arm.y) / (whole.n - arm.n) AS p0, arm.n * (whole.n - arm.n) / whole.n AS weight
  FROM arm JOIN whole USING (stratum) WHERE whole.n > arm.n
), total AS (
  SELECT level, sum(weight) AS weight, sum(weight * (p1 - p0)) / sum(weight) AS difference,
    sum(weight * p0) / sum(weight) AS usual
  FROM pair GROUP BY ALL
), pull AS (
  SELECT pair.level, door, bool_or(cell.level = pair.level) AS here, bool_or(cell.level != pair.level) AS elsewhere,
    sum(pair.weight / total.weight * CASE WHEN cell.level = pair.level THEN (y - p1 * n) / n1
      ELSE (p0 * n - y) / n0 END) AS u
  FROM cell JOIN pair USING (stratum) JOIN total ON total.level = pair.level GROUP BY ALL
)
SELECT level, CAST(count(*) FILTER (here) AS DOUBLE) AS doors,
  CAST(count(*) FILTER (elsewhere) AS DOUBLE) AS others,
  any_value(usual) AS usual, any_value(difference) AS difference, sqrt(sum(u * u)) AS error
FROM pull JOIN total USING (level) GROUP BY level
HAVING doors >= ${leastDoors} AND others >= ${leastDoors} ORDER BY level`;
}
