/** Reads the objects of a fleet, as they lie in the bucket, with DuckDB; see docs/fleets.md. */
import { parseArgs } from 'node:util';
import { findingLines } from './fleet-report.ts';
import { readFleet, writeFleet } from './read-fleet.ts';

const usage = `node scripts/fleet/read.ts DIR --out DIR
DIR holds the objects as in the bucket (ttl…/ueip/…/*.jsonl.gz). Written are fleet.md, fleet.json, a CSV of
each table and an SVG of each chart; printed is what was found.`;

const { values: options, positionals } = parseArgs({
  options: { out: { type: 'string' } },
  allowPositionals: true,
});
const [folder] = positionals;
if (!folder || positionals.length > 1 || !options.out) {
  process.stderr.write(`${usage}\n`);
  process.exit(64);
}

const read = await readFleet(folder, () => performance.now());
await writeFleet(read, options.out);
const { loadSeconds, querySeconds } = read;
const used = process.resourceUsage();
const cpuSeconds = (used.userCPUTime + used.systemCPUTime) / 1e6;
const effort = { loadSeconds, querySeconds, cpuSeconds, residentMiB: used.maxRSS >> 10 };
process.stderr.write(`${JSON.stringify({ ...read.report.sizes, ...effort })}\n`);
process.stdout.write(
  findingLines(read.report.findings)
    .map((line) => `${line}\n`)
    .join('') || 'nothing was found\n',
);
