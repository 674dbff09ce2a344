import { number, object, text } from '../../agent/shape.ts';
import { failureReasons } from '../../agent/ueip/attempt.ts';
import { columnOfReason, type FleetDatabase, leastDoors } from './fleet-database.ts';
import { binomialTail, falseDiscoveries } from './many-tests.ts';

/** Doors that fail, for one reason and in some hours of the day, far more often than all doors do then. */
export type DoorsApart = {
  readonly reason: string;
  readonly fromHour: number;
  readonly untilHour: number;
  readonly doors: number;
  /** Of their visits in these hours; somewhat too high, for they were picked by it. */
  readonly share: number;
  readonly usual: number;
};

/**
 * Few doors with a fault of their own do not show in the figures of a fleet. Each door is tested by the first
 * attempts of its visits (those that follow sooner are mostly the same person again, so not independent),
 * per three hours of the day. They are only counted: which doors they are is forgotten, but for the table
 * door_apart in the database, of which the chart is drawn.
 */
export async function findDoorsApart(database: FleetDatabase): Promise<readonly DoorsApart[]> {
  await database.run(createTables);
  const found: DoorsApart[] = [];
  for (const reason of failureReasons) {
    const column = columnOfReason(reason);
    const candidates = await database.rows(candidatesSql(column), candidate);
    const [{ tests } = { tests: 0 }] = await database.rows(testsSql, object({ tests: any }));
    const told = falseDiscoveries(
      candidates.map(({ events, trials, usual }) => binomialTail(events, trials, usual)),
      tests * failureReasons.length,
      level,
    );
    const doors = candidates.filter((_, index) => told[index]);
    for (const band of new Set(doors.map((each) => each.band))) {
      const apart = doors.filter((each) => each.band === band);
      if (apart.length < leastDoors) continue;
      const sum = (of: 'events' | 'trials') => apart.reduce((all, each) => all + each[of], 0);
      found.push({
        reason,
        fromHour: band * bandHours,
        untilHour: (band + 1) * bandHours,
        doors: apart.length,
        share: sum('events') / sum('trials'),
        usual: apart[0]?.usual ?? 0,
      });
      const names = apart.map(({ door }) => `('${reason}', '${door}')`).join(', ');
      await database.run(`INSERT INTO door_apart VALUES ${names}`);
    }
  }
  return found;
}

const bandHours = 3;
/** Of the doors that are told, at most this part is wrong on average. */
const level = 0.01;
/** What is nearer to the others than this is not looked for. */
const leastDifference = 0.15;

const any = number(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
const candidate = object({
  door: text({ pattern: /^[0-9a-f]{24}$/, what: 'a pseudonym' }),
  band: any,
  events: any,
  trials: any,
  usual: any,
});

const createTables = `CREATE TABLE door_apart (reason VARCHAR, door VARCHAR);
CREATE TABLE door_band AS
SELECT door, hour // ${bandHours} AS band, count(*) AS trials,
  ${failureReasons
    .map((reason) => `count(*) FILTER (reason = '${reason}') AS ${columnOfReason(reason)}`)
    .join(', ')}
FROM attempt WHERE hour IS NOT NULL AND gap = '>60 s' GROUP BY ALL`;

const testsSql = 'SELECT CAST(count(*) AS DOUBLE) AS tests FROM door_band';

function candidatesSql(column: string): string {
  return `WITH usual AS (SELECT band, sum(${column}) / sum(trials) AS usual FROM door_band GROUP BY ALL)
SELECT door, CAST(band AS DOUBLE) AS band, CAST(${column} AS DOUBLE) AS events,
  CAST(trials AS DOUBLE) AS trials, usual
FROM door_band JOIN usual USING (band)
WHERE ${column} >= 2 AND ${column} / trials >= usual + ${leastDifference}
ORDER BY door, band`;
}
