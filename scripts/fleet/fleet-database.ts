import { DuckDBInstance } from '@duckdb/node-api';
import { listOf, readShape, type Shape } from '../../agent/shape.ts';
import { failureReasons } from '../../agent/ueip/attempt.ts';
import { duckdbColumns } from './object-columns.ts';

/** Tables of a fleet; `loadObjects` makes them. */
export type FleetDatabase = {
  /** Whole numbers have to be asked for as DOUBLE or INTEGER, dates and all others as they are written. */
  rows<T>(sql: string, shape: Shape<T>): Promise<readonly T[]>;
  run(sql: string, values?: readonly string[]): Promise<void>;
  close(): void;
};

/** Fewer doors than this are never shown by themselves: see docs/fleets.md. */
export const leastDoors = 10;

/** Which software a record is of. */
export const buildColumns = [
  'agent_version',
  'detection_model',
  'embedding_model',
  'pad_model',
] as const;
export type BuildColumn = (typeof buildColumns)[number];

/** What takes time; `rest` is what lies between and beside the others: waiting for the camera, alignment, deciding. */
export const timedStages = ['detect', 'quality', 'pad', 'embed', 'search', 'rest'] as const;

/** 'no-match' -> 'no_match' */
export function columnOfReason(reason: string): string {
  return reason.replaceAll('-', '_');
}

/**
 * An empty database in memory; what does not fit goes into `spillFolder`. No extension is loaded that would have to
 * be fetched.
 */
export async function openDatabase(spillFolder: string): Promise<FleetDatabase> {
  const instance = await DuckDBInstance.create(':memory:', {
    temp_directory: spillFolder,
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    // Otherwise the rows of all objects wait for those of the first.
    preserve_insertion_order: 'false',
  });
  const connection = await instance.connect();
  return {
    async rows(sql, shape) {
      const reader = await connection.runAndReadAll(sql);
      const read = readShape(listOf(shape, { max: 1e7 }), reader.getRowObjectsJson());
      if ('faults' in read) throw new TypeError(`${sql}: ${read.faults[0]}`);
      return read.value;
    },
    async run(sql, values = []) {
      await connection.run(sql, [...values]);
    },
    close() {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

/**
 * Makes tables of `folder`/ttl…/ueip/…/*.jsonl.gz, read as they are. Rejects where there is no object, or a line is
 * no JSON: a bucket with either is not what it should be.
 */
export async function loadObjects(database: FleetDatabase, folder: string): Promise<void> {
  if (/[*?[\]{}]/.test(folder)) throw new TypeError(`${folder} would be taken for a pattern`);
  await database.run(loadSql, [`${folder}/ttl*/ueip/*/*/*.jsonl.gz`]);
  for (const sql of derivedTables) await database.run(sql);
}

/** A door is a folder of the bucket: the pseudonym of one consent. */
const loadSql = `CREATE TABLE record AS
SELECT * EXCLUDE (filename), string_split(filename, '/')[-2] AS door
FROM read_json($1, format = 'newline_delimited', compression = 'gzip', filename = true,
  columns = ${duckdbColumns()}, maximum_object_size = 65536)`;

const builds = buildColumns.join(', ');
const stageSum = `detect_ms + coalesce(quality_ms, 0) + coalesce(pad_ms, 0) + coalesce(embed_ms, 0) + coalesce(search_ms, 0)`;
const reasonCounts = failureReasons
  .map((reason) => `count(*) FILTER (reason = '${reason}') AS ${columnOfReason(reason)}`)
  .join(', ');
const stageSums = timedStages
  .map((stage) => `count(${stage}_ms) AS ${stage}_count, sum(${stage}_ms) AS ${stage}_sum`)
  .join(', ');

/**
 * attempt: a row each; day and hour of the house, empty where its clock was not believed. day_counters: of the
 * doors that send nothing else. door_day, door_hour: sums over attempts, all that the comparisons need.
 */
const derivedTables = [
  `CREATE TABLE attempt AS
   SELECT door, ${builds}, clock_trusted, gap, code_epoch, code_version, code, visitor, result, reason,
     CASE WHEN clock_trusted THEN CAST(left(hour, 10) AS DATE) END AS day,
     CASE WHEN clock_trusted THEN CAST(substr(hour, 12, 2) AS INTEGER) END AS hour,
     overhead_ms, detect_ms, quality_ms, pad_ms, embed_ms, search_ms,
     overhead_ms - (${stageSum}) AS rest_ms
   FROM record WHERE kind = 'attempt'`,
  `CREATE TABLE day_counters AS SELECT door, agent_version, date, failed_visitors FROM record WHERE kind = 'day'`,
  'DROP TABLE record',
  `CREATE TABLE door_day AS
   SELECT door, ${builds}, day, count(*) AS attempts, ${reasonCounts}, ${stageSums}
   FROM attempt WHERE day IS NOT NULL GROUP BY ALL`,
  `CREATE TABLE door_hour AS
   SELECT door, ${builds}, hour, count(*) AS attempts, ${reasonCounts}
   FROM attempt WHERE hour IS NOT NULL GROUP BY ALL`,
];
