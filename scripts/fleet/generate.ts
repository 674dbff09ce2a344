/**
 * Writes the objects that a fleet of doors would upload, into a folder that stands for the bucket, with faults
 * planted in it (scripts/fleet/fleet-plan.ts). No door, no face and no household in it exists.
 */
import { parseArgs } from 'node:util';
import { isDate } from '../../agent/ueip/field-types.ts';
import { noFaults, plantedFaults, presetFirstDate } from './fleet-plan.ts';
import { generateFleet } from './generated-fleet.ts';

const usage = `node scripts/fleet/generate.ts --devices N --nights N --out DIR [options]
The nightly objects of N simulated devices, laid out as in the bucket, and planted.json, which says what is
wrong with them. DIR must be new or empty.
  --seed TEXT    the same text gives the same objects; "fleet" by default
  --from DATE    first day of records; ${presetFirstDate} by default
  --healthy      plants nothing: whatever is found then is a false alarm`;

const { values: options } = parseArgs({
  options: {
    devices: { type: 'string' },
    nights: { type: 'string' },
    out: { type: 'string' },
    seed: { type: 'string', default: 'fleet' },
    from: { type: 'string', default: presetFirstDate },
    healthy: { type: 'boolean', default: false },
  },
});
const doors = Number(options.devices);
const nights = Number(options.nights);
const { out, seed, from: firstDate } = options;
if (!isUpTo(doors, 1e6) || !isUpTo(nights, 31) || !out || !isDate(firstDate)) {
  process.stderr.write(`${usage}\n`);
  process.exit(64);
}

const startedMs = performance.now();
const faults = options.healthy ? noFaults : plantedFaults;
const made = generateFleet({ doors, nights, firstDate, seed, faults }, out);
const seconds = Math.round(performance.now() - startedMs) / 1000;
const used = process.resourceUsage();
const cpuSeconds = (used.userCPUTime + used.systemCPUTime) / 1e6;
const residentMiB = used.maxRSS >> 10;
process.stdout.write(`${JSON.stringify({ ...made, seconds, cpuSeconds, residentMiB })}\n`);

function isUpTo(value: number, most: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= most;
}
