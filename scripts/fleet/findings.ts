import { type Comparison, compareLevels, uncomparedLevels } from './comparison.ts';
import { type DoorsApart, findDoorsApart } from './doors-apart.ts';
import { type DriftSeries, findDrift } from './drift.ts';
import { buildColumns, type FleetDatabase } from './fleet-database.ts';
import { holm } from './many-tests.ts';
import { isWorthTelling, shares, times } from './measures.ts';

/** What is wrong with a fleet, as far as its records say. */
export type Findings = {
  /** Releases and models that are worse than the others, and hours of the day. */
  readonly worse: readonly Comparison[];
  readonly drifting: readonly DriftSeries[];
  readonly doorsApart: readonly DoorsApart[];
  /** 'agent_version 0.4.1': there is nothing that it alone sets apart. */
  readonly uncompared: readonly string[];
  /** All that was looked at, for the tables and charts. */
  readonly comparisons: readonly Comparison[];
  readonly driftSeries: readonly DriftSeries[];
};

/**
 * How often it is wrong: `worse` and `drifting` in one report of a hundred each; of the doors apart, one in a
 * hundred.
 */
export async function findFaults(database: FleetDatabase): Promise<Findings> {
  const builds = await compareBuilds(database);
  const comparisons = [...builds.compared, ...(await compareHours(database))];
  const certain = holm(
    comparisons.map(({ chance }) => chance),
    0.01,
  );
  const driftSeries = await findDrift(database);
  return {
    worse: comparisons.filter(
      ({ measure, difference, usual }, index) =>
        certain[index] && isWorthTelling(measure, difference, usual),
    ),
    drifting: driftSeries.filter(({ drift }) => drift !== undefined),
    doorsApart: await findDoorsApart(database),
    uncompared: builds.uncompared,
    comparisons,
    driftSeries,
  };
}

async function compareBuilds(database: FleetDatabase) {
  const compared: Comparison[] = [];
  const uncompared: string[] = [];
  for (const factor of buildColumns) {
    const others = buildColumns.filter((column) => column !== factor);
    const from = { table: 'door_day', factor, strata: ['day', ...others] };
    const ofFactor: Comparison[] = [];
    for (const measure of [...shares, ...times]) {
      ofFactor.push(...(await compareLevels(database, from, measure)));
    }
    compared.push(...ofFactor);
    const levels = await uncomparedLevels(database, from, ofFactor);
    uncompared.push(...levels.map((level) => `${factor} ${level}`));
  }
  return { compared, uncompared };
}

async function compareHours(database: FleetDatabase): Promise<Comparison[]> {
  const compared: Comparison[] = [];
  const from = { table: 'door_hour', factor: 'hour', strata: buildColumns };
  for (const measure of shares) compared.push(...(await compareLevels(database, from, measure)));
  return compared;
}
