import { join } from 'node:path';
import { writeFileAtomic } from '../../agent/io/files/atomic-file.ts';
import { withTemporaryFolder } from '../../agent/io/files/temporary-folder.ts';
import { type Chart, svgChart } from '../../agent/io/measuring/svg-chart.ts';
import { findFaults } from './findings.ts';
import { codesChart, driftChart, failureChart, hoursChart, stageChart } from './fleet-charts.ts';
import { type FleetDatabase, loadObjects, openDatabase } from './fleet-database.ts';
import { type FleetReport, reportMarkdown, reportTables, tableCsv } from './fleet-report.ts';
import {
  readClocks,
  readCountedDays,
  readEmbedTimes,
  readFailureShares,
  readHours,
  readSizes,
  readTimes,
} from './fleet-tables.ts';
import { readCodes } from './telemetry-codes.ts';

/** A report, its charts, and how long the two parts of it took. */
export type ReadFleet = {
  readonly report: FleetReport;
  readonly charts: Readonly<Record<string, Chart>>;
  readonly loadSeconds: number;
  readonly querySeconds: number;
};

/** The objects in `folder`, as they lie in a bucket. Rejects where there are none, or one cannot be read. */
export async function readFleet(folder: string, nowMs: () => number): Promise<ReadFleet> {
  return withTemporaryFolder('doorkeep-fleet-', async (spillFolder) => {
    const startedMs = nowMs();
    const database = await openDatabase(spillFolder);
    try {
      await loadObjects(database, folder);
      const loadedMs = nowMs();
      const report = await reportOf(database);
      const charts = await chartsOf(database, report);
      return {
        report,
        charts,
        loadSeconds: (loadedMs - startedMs) / 1000,
        querySeconds: (nowMs() - loadedMs) / 1000,
      };
    } finally {
      database.close();
    }
  });
}

/** fleet.md, fleet.json, a CSV of each table and an SVG of each chart. */
export async function writeFleet({ report, charts }: ReadFleet, folder: string): Promise<void> {
  await writeFileAtomic(join(folder, 'fleet.md'), reportMarkdown(report));
  await writeFileAtomic(join(folder, 'fleet.json'), `${JSON.stringify(report)}\n`);
  for (const table of reportTables(report)) {
    await writeFileAtomic(join(folder, `fleet-${table.name}.csv`), tableCsv(table));
  }
  for (const [name, chart] of Object.entries(charts)) {
    await writeFileAtomic(join(folder, `fleet-${name}.svg`), svgChart(chart));
  }
}

async function reportOf(database: FleetDatabase): Promise<FleetReport> {
  return {
    sizes: await readSizes(database),
    findings: await findFaults(database),
    shares: await readFailureShares(database),
    times: await readTimes(database),
    clocks: await readClocks(database),
    countedDays: await readCountedDays(database),
    codes: await readCodes(database),
  };
}

async function chartsOf(database: FleetDatabase, report: FleetReport) {
  const { findings, shares, codes, sizes } = report;
  const drift = driftChart(findings.driftSeries);
  const [apart] = findings.doorsApart.toSorted((a, b) => b.doors - a.doors);
  const reason = apart?.reason ?? 'low-quality';
  const hours = await readHours(database, reason);
  return {
    failures: failureChart(shares, sizes.doors),
    stages: stageChart(await readEmbedTimes(database)),
    hours: hoursChart(reason, hours, apart?.doors ?? 0),
    codes: codesChart(codes.distances),
    ...(drift && { drift }),
  };
}
