import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { localTimeIn } from '../../agent/io/process/local-time.ts';
import { loadKernels } from '../../agent/io/process/native.ts';
import { seededChance } from '../../agent/io/process/seeded-chance.ts';
import { bundledPolicies } from '../../agent/io/programme/policies.ts';
import type { LocalTime, ToLocalTime } from '../../agent/ueip/attempt.ts';
import { createFacePool } from './face-pool.ts';
import type { FleetPlan } from './fleet-plan.ts';
import { nightlyObjects } from './simulated-door.ts';

export type GeneratedFleet = {
  readonly objects: number;
  readonly records: number;
  readonly sizeBytes: number;
  readonly plainBytes: number;
};

/**
 * The folder as a bucket, and planted.json beside the objects.
 * @throws TypeError: the folder is not empty, and two fleets in one are a fleet that nobody planned
 */
export function generateFleet(plan: FleetPlan, folder: string): GeneratedFleet {
  mkdirSync(folder, { recursive: true });
  if (readdirSync(folder).length > 0) throw new TypeError(`${folder} is not empty`);
  const policy = bundledPolicies().at(-1);
  if (!policy) throw new TypeError('the package has no notice');
  const parts = {
    pool: createFacePool(seededChance(`${plan.seed}/faces`)),
    kernels: loadKernels().kernels,
    policy,
    localTimeIn: rememberedLocalTime(),
  };
  const made = { objects: 0, records: 0, sizeBytes: 0, plainBytes: 0 };
  for (let number = 0; number < plan.doors; number++) {
    for (const { key, bytes, plainBytes, rows } of nightlyObjects(number, plan, parts)) {
      const file = join(folder, key);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, bytes);
      made.objects += 1;
      made.records += rows;
      made.sizeBytes += bytes.length;
      made.plainBytes += plainBytes;
    }
  }
  writeFileSync(join(folder, 'planted.json'), `${JSON.stringify(plan, null, 2)}\n`);
  return made;
}

/** Every door of a zone asks for the same quarters of hours, within which no zone changes its clocks. */
function rememberedLocalTime(): (zone: string) => ToLocalTime {
  const zones = new Map<string, ToLocalTime>();
  return (zone) => {
    const known = zones.get(zone);
    if (known) return known;
    const toLocalTime = localTimeIn(zone);
    const quarters = new Map<number, LocalTime>();
    const remembered: ToLocalTime = (wallMs) => {
      const quarter = Math.floor(wallMs / quarterMs);
      const local = quarters.get(quarter) ?? toLocalTime(wallMs);
      quarters.set(quarter, local);
      return local;
    };
    zones.set(zone, remembered);
    return remembered;
  };
}

const quarterMs = 15 * 60_000;
