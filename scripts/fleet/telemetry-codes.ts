import { number, object, text } from '../../agent/shape.ts';
import { type FleetDatabase, leastDoors } from './fleet-database.ts';

/** What the feature codes (UFC-T) of a fleet tell. */
export type CodeFigures = {
  /** Epochs that a door had in a day, the last: or more. */
  readonly epochs: readonly EpochCount[];
  /** Pairs of codes by how many of their 24 bits differ. */
  readonly distances: readonly PairCount[];
  readonly refused: readonly RefusedVisitors[];
};

export type EpochCount = {
  readonly epochs: number;
  readonly doorDays: number;
  readonly doors: number;
  readonly codes: number;
};

export type PairCount = { readonly among: PairKind; readonly bits: number; readonly pairs: number };
export type PairKind = 'one epoch, both let in' | 'one epoch, one refused' | 'two epochs of a door';

/** Attempts that ended without a match, with a code. */
export type RefusedVisitors = {
  readonly agentVersion: string;
  readonly doors: number;
  readonly refused: number;
  /** There is a code of a visitor who was let in on that day, with at most `nearBits` others. */
  readonly nearOneLetIn: number;
  /** How many of them chance alone would have put there. */
  readonly byChance: number;
};

/**
 * Within an epoch (a day of a door, or less) two codes of one face are nearer to one another than two of
 * different faces, though not so much that one pair would say which it is; across epochs, they are as far apart
 * as coins. So a fleet's codes tell how often somebody is refused whom the same door lets in on the same day,
 * and nothing of anybody.
 */
export async function readCodes(database: FleetDatabase): Promise<CodeFigures> {
  await database.run(codeTable);
  return {
    epochs: await database.rows(epochsSql, epochCount),
    distances: [
      ...(await database.rows(withinSql, pairCount)),
      ...(await database.rows(acrossSql, pairCount)),
    ],
    refused: await database.rows(refusedSql, refusedVisitors),
  };
}

export const codeBits = 24;
export const nearBits = 5;

/** Chance that two codes of different faces differ in this many bits. */
export function coinsShare(bits: number): number {
  let ways = 1;
  for (let i = 0; i < bits; i++) ways *= (codeBits - i) / (i + 1);
  return ways / 2 ** codeBits;
}

const nearByChance = Array.from({ length: nearBits + 1 }, (_, bits) => coinsShare(bits)).reduce(
  (sum, share) => sum + share,
  0,
);

const any = number(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
const epochCount = object({ epochs: any, doorDays: any, doors: any, codes: any });
const kinds = ['one epoch, both let in', 'one epoch, one refused', 'two epochs of a door'] as const;
const pairCount = object({ among: pairKind, bits: any, pairs: any });
const refusedVisitors = object({
  agentVersion: text(),
  doors: any,
  refused: any,
  nearOneLetIn: any,
  byChance: any,
});

function pairKind(value: unknown, place: string, faults: string[]): PairKind {
  const found = kinds.find((kind) => kind === value);
  if (found === undefined) faults.push(`${place}: not a kind of pair`);
  return found ?? kinds[0];
}

const codeTable = `CREATE TABLE code AS
SELECT row_number() OVER () AS id, door, agent_version, code_epoch, result, reason,
  CAST(('0x' || code) AS INTEGER) AS bits
FROM attempt WHERE code_version = 'ufc-t/${codeBits}'`;

const epochsSql = `WITH door_day_epochs AS (
  SELECT door, day, count(DISTINCT code_epoch) AS epochs, count(code) AS codes
  FROM attempt WHERE day IS NOT NULL GROUP BY ALL
)
SELECT CAST(least(epochs, 4) AS DOUBLE) AS epochs, CAST(count(*) AS DOUBLE) AS "doorDays",
  CAST(count(DISTINCT door) AS DOUBLE) AS doors, CAST(sum(codes) AS DOUBLE) AS codes
FROM door_day_epochs GROUP BY least(epochs, 4) HAVING count(DISTINCT door) >= ${leastDoors} ORDER BY 1`;

const withinSql = `SELECT
  CASE WHEN a.result = 'success' AND b.result = 'success' THEN '${kinds[0]}' ELSE '${kinds[1]}' END AS among,
  CAST(bit_count(xor(a.bits, b.bits)) AS DOUBLE) AS bits, CAST(count(*) AS DOUBLE) AS pairs
FROM code AS a JOIN code AS b ON a.code_epoch = b.code_epoch AND a.id < b.id
WHERE a.result = 'success' OR b.result = 'success'
GROUP BY ALL ORDER BY ALL`;

/** Each code with one of the next epoch of its door: the same residents, another key. In an order that says nothing. */
const acrossSql = `WITH ranked AS (
  SELECT door, code_epoch, bits, row_number() OVER (PARTITION BY code_epoch ORDER BY hash(bits, code_epoch)) AS place FROM code
), paired AS (
  SELECT bits, code_epoch,
    lead(bits) OVER next_epoch AS other, lead(code_epoch) OVER next_epoch AS other_epoch
  FROM ranked WINDOW next_epoch AS (PARTITION BY door, place ORDER BY code_epoch)
)
SELECT '${kinds[2]}' AS among, CAST(bit_count(xor(bits, other)) AS DOUBLE) AS bits,
  CAST(count(*) AS DOUBLE) AS pairs
FROM paired WHERE other IS NOT NULL AND other_epoch != code_epoch GROUP BY ALL ORDER BY ALL`;

const refusedSql = `WITH refused AS (
  SELECT failed.id, failed.door, failed.agent_version,
    bool_or(bit_count(xor(failed.bits, let_in.bits)) <= ${nearBits}) AS is_near,
    1 - pow(1 - ${nearByChance}, count(*)) AS by_chance
  FROM code AS failed JOIN code AS let_in USING (code_epoch)
  WHERE failed.reason = 'no-match' AND let_in.result = 'success'
  GROUP BY ALL
)
SELECT agent_version AS "agentVersion", CAST(count(DISTINCT door) AS DOUBLE) AS doors,
  CAST(count(*) AS DOUBLE) AS refused, CAST(count(*) FILTER (is_near) AS DOUBLE) AS "nearOneLetIn",
  sum(by_chance) AS "byChance"
FROM refused GROUP BY ALL HAVING count(DISTINCT door) >= ${leastDoors} ORDER BY 1`;
