import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { openVision, type Place } from './agent.ts';
import { presets } from './config.ts';
import { type DoorOutput, runDoor } from './door.ts';
import { demoFrame, demoFrameBytes, openDemoCamera } from './io/camera/demo-camera.ts';
import { findDemoMaterial } from './io/camera/demo-material.ts';
import { readPicture } from './io/camera/image.ts';
import { systemClock } from './io/process/clock.ts';
import { createLog } from './io/process/log.ts';
import { createAttemptRing, ringConsumer } from './io/programme/attempt-ring.ts';
import type { RingAttempt } from './io/programme/attempt-slots.ts';
import { enrolResident } from './operations.ts';
import type { RecognitionEvent } from './recognition/event.ts';
import { openResidents } from './residents.ts';
import { createFakeHolder } from './test/fakes/fake-holder.ts';
import { createFakeSource } from './test/fakes/fake-source.ts';
import { sharedFaces, sharedModels } from './test/fakes/shared-material.ts';

/** Models are prepared once for all doors. */
const dataDir = mkdtempSync(join(tmpdir(), 'doorkeep-'));
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

/** A door with real models and nobody enrolled, in its real thread; what came out of it. */
function aDoor() {
  const place: Place = { dataDir, config: presets };
  const events: RecognitionEvent[] = [];
  const logged: string[] = [];
  const output = {
    log: createLog({ level: 'error', clock: systemClock, write: (line) => logged.push(line) }),
    onEvent: (event) => {
      if (event.kind !== 'source-lost') events.push(event);
    },
  } satisfies DoorOutput;
  return { place, events, logged, output };
}

const visits = (most: number) =>
  openDemoCamera(findDemoMaterial().visits.slice(0, most), systemClock);

function fakeCamera() {
  const { width, height } = demoFrame;
  return createFakeSource({ format: 'nv12', width, height }, systemClock);
}

describe.skipIf(!sharedModels || !sharedFaces)('the door at work', () => {
  test('S0-19 S0-20 puts every attempt into the ring, with face and times, from the moment somebody listens', async () => {
    const { place, events, output } = aDoor();
    const attempts = createAttemptRing(256);
    const consumer = ringConsumer(attempts);
    const onEvent: DoorOutput['onEvent'] = (event) => {
      output.onEvent(event);
      consumer.listen(true);
    };
    await runDoor(place, visits(2), demoFrameBytes, { ...output, onEvent, attempts });
    const taken: RingAttempt[] = [];
    consumer.take(99, (each) => taken.push({ ...each, values: each.values?.slice() }));
    expect([events.length, taken.length]).toEqual([2, 1]);
    const [, event] = events;
    const { capturedAtMs = 0, decidedAtMs = 0 } = event ?? {};
    const [{ reason, overheadMs, stagesMs, values } = {}] = taken;
    expect(event?.kind).toBe(reason);
    expect(overheadMs).toBeCloseTo(decidedAtMs - capturedAtMs, 6);
    expect(stagesMs?.total).toBeCloseTo(event?.timesMs.total ?? 0, 3);
    expect(Math.hypot(...(values ?? []))).toBeCloseTo(1, 4);
  });

  test('a resident at the door: the relay has its order before anybody else hears of it', async () => {
    const { output } = aDoor();
    const place: Place = { dataDir: join(dataDir, 'with-a-resident'), config: presets };
    mkdirSync(place.dataDir, { mode: 0o700 });
    symlinkSync(join(dataDir, 'models'), join(place.dataDir, 'models'));
    await enrolFirstResident(place);
    const holder = createFakeHolder({ obeys: true });
    let toldBefore = 0;
    const onEvent: DoorOutput['onEvent'] = (event) => {
      if (event.kind === 'match') toldBefore = holder.told.length;
    };
    await runDoor(place, visits(1), demoFrameBytes, {
      ...output,
      onEvent,
      relay: holder.startHolder,
    });
    expect(holder.told).toEqual(['start', 'pulse 3000', 'release']);
    expect(toldBefore).toBe(2);
  });

  test('S0-40 a camera that is lost is one attempt, and one who cannot hear of it is no concern', async () => {
    const { place, output, logged } = aDoor();
    const faults: string[] = [];
    const source = fakeCamera();
    source.lose();
    const onFault = (fault: string) => {
      faults.push(fault);
      throw new Error('the programme fell over');
    };
    await expect(runDoor(place, source, demoFrameBytes, { ...output, onFault })).rejects.toThrow(
      'the cable was cut',
    );
    expect(faults).toEqual(['camera-lost']);
    expect(logged.join()).toContain('attempts-not-told');
  });

  test('S0-40 frames that cannot be examined, one after the other, are one attempt', async () => {
    const { place, output } = aDoor();
    const faults: string[] = [];
    const onFault = (fault: string) => faults.push(fault);
    const counters = await runDoor(place, visits(1), 10, { ...output, onFault });
    expect(counters.errors).toBeGreaterThan(1);
    expect(faults).toEqual(['model-failed']);
  });
});

/** Whose is the first of the visits. */
async function enrolFirstResident(place: Place): Promise<void> {
  const [resident] = findDemoMaterial().residents;
  if (!resident) throw new Error('nobody lives here');
  const vision = await openVision(place);
  const residents = await openResidents(place, vision);
  try {
    for (const photo of resident.photos) {
      const photos = [{ frame: await readPicture(photo), label: null }];
      const application = { id: resident.id, label: null, photos, adds: false };
      const result = await enrolResident(place, vision, residents, application, 0);
      if (result.kind !== 'refused') return;
    }
    throw new Error(`no photo of ${resident.id} is good enough`);
  } finally {
    await residents.close();
    await vision.close();
  }
}
