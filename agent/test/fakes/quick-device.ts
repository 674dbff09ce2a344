import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import {
  createProgrammeDevice,
  type DeviceOptions,
  type ProgrammeDevice,
} from './programme-device.ts';

/** In memory where that is possible: every commit waits for the disk. Gone when the test is over. */
export function quickFolder(): string {
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'doorkeep-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A device that is closed, and its files gone, when the test is over. */
export function programmeDevice(options: Partial<DeviceOptions> = {}): ProgrammeDevice {
  const device = createProgrammeDevice({ dataDir: join(quickFolder(), 'data'), ...options });
  onTestFinished(device.stop);
  return device;
}

/** As when the power fails: nothing was closed, and the device goes on with a copy of its files. */
export function afterPowerCut(
  { place, world, time }: ProgrammeDevice,
  options: Partial<DeviceOptions> = {},
): ProgrammeDevice {
  const dataDir = join(quickFolder(), 'data');
  if (existsSync(place.dataDir)) cpSync(place.dataDir, dataDir, { recursive: true });
  const ranMs = time.clock.monotonicMs();
  return programmeDevice({ config: place.config, world, ranMs, ...options, dataDir });
}
