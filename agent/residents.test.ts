import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openVision, type Vision } from './agent.ts';
import { presets } from './config.ts';
import { renewGallery, revokeGallery } from './renewal.ts';
import { openResidents } from './residents.ts';
import { createManualTime } from './test/fakes/manual-time.ts';
import { sharedModels } from './test/fakes/shared-material.ts';
import { stockedDevice } from './test/fakes/stocked-device.ts';
import { statesOf } from './test/fakes/test-device.ts';

const dayMs = 86_400_000;
const renewal = { graceDays: 30, now: false, mayLeave: true };

describe.skipIf(!sharedModels)('the residents of a door at work', () => {
  let folder: string;
  let vision: Vision;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'doorkeep-residents-'));
    vision = await openVision({ dataDir: folder, config: presets });
  });
  afterAll(async () => {
    await vision.close();
    rmSync(folder, { recursive: true });
  });

  async function doorAtWork() {
    const device = stockedDevice(1);
    device.enrol(['ann', 'bob']);
    const time = createManualTime();
    const residents = await openResidents(device.place, vision, time);
    const states = () => statesOf(residents.store.generations());
    return { device, time, residents, states };
  }

  test('the grace of a renewal runs out while the door works, after its days and not before', async () => {
    const { device, time, residents, states } = await doorAtWork();
    renewGallery(device.place, renewal, time.clock.wallMs());
    time.advance(29 * dayMs);
    expect(states()).toBe('1 retiring, 2 stays');
    time.advance(2 * dayMs);
    expect(states()).toBe('1 ended, 2 stays');
    await residents.close();
    expect(time.pendingMs).toEqual([]);
  });

  test('the days before the door started do not count', async () => {
    const { device, time, residents } = await doorAtWork();
    await residents.close();
    renewGallery(device.place, renewal, time.clock.wallMs());
    time.advance(40 * dayMs);
    const later = await openResidents(device.place, vision, time);
    expect(statesOf(later.store.generations())).toBe('1 retiring, 2 stays');
    await later.close();
  });

  test('a command that opens the residents begins and ends nothing', async () => {
    const device = stockedDevice(1);
    const residents = await openResidents(device.place, vision);
    expect(residents.store.generations()).toEqual([]);
    expect(residents.renewal).toBeUndefined();
    await residents.close();
  });

  test('after a revocation the door has no key to make templates with', async () => {
    const { device, residents } = await doorAtWork();
    expect(residents.isEnrolled('ann')).toBe(true);
    revokeGallery(device.place, 5);
    const { sha256: modelSha256, dimensions } = vision.entry;
    const embedding = { values: new Float32Array(dimensions).fill(1), modelSha256 };
    expect(residents.search(residents.probe(embedding, []))).toEqual([]);
    expect(residents.isEnrolled('ann')).toBe(false);
    expect(() => residents.protector).toThrow(
      expect.objectContaining({ code: 'GENERATION_ENDED' }),
    );
    await residents.close();
  });

  test('templates whose key is missing keep the door closed, and say why', async () => {
    const { device, residents } = await doorAtWork();
    await residents.close();
    rmSync(device.keyFile);
    const open = openResidents(device.place, vision);
    await expect(open).rejects.toMatchObject({ code: 'KEY_INVALID' });
    writeFileSync(device.keyFile, new Uint8Array(32).fill(1), { mode: 0o600 });
    const again = await openResidents(device.place, vision);
    expect(again.isEnrolled('ann')).toBe(true);
    await again.close();
  });
});
