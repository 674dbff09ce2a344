import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { buildRecognizer, openVision, type Place } from '../../agent.ts';
import { presets } from '../../config.ts';
import { openDemoCamera } from '../../io/camera/demo-camera.ts';
import { findDemoMaterial } from '../../io/camera/demo-material.ts';
import { readPicture } from '../../io/camera/image.ts';
import type { Timers } from '../../io/process/clock.ts';
import { createAttemptRecorder } from '../../io/programme/attempt-recorder.ts';
import {
  createAttemptRing,
  ringConsumer,
  ringProducer,
  ringSlots,
} from '../../io/programme/attempt-ring.ts';
import { openRecordStore } from '../../io/store/record-store.ts';
import { enrolResident } from '../../operations.ts';
import type { Clock } from '../../ports.ts';
import type { RecognitionEvent } from '../../recognition/event.ts';
import type { RecognizerParts } from '../../recognition/recognizer.ts';
import { createTrack, defaultTrackSettings } from '../../recognition/track.ts';
import { openResidents } from '../../residents.ts';
import { eventually } from '../fakes/eventually.ts';
import { anna, carl, fakeDoor, type Scene } from '../fakes/fake-door.ts';
import { frontalFace } from '../fakes/fake-model.ts';
import { createManualTime } from '../fakes/manual-time.ts';
import { sharedFaces, sharedModels } from '../fakes/shared-material.ts';
import { type StoringThread, startStoring } from '../fakes/storing-thread.ts';
import { temporaryFolder } from '../fakes/temporary-folder.ts';

type OnAttempt = NonNullable<RecognizerParts['onAttempt']>;

/** The same visits, every time: calls `between` after each frame. Returns what came out, frame by frame. */
type Visits = (
  onAttempt: OnAttempt | undefined,
  between: () => void,
) => Promise<RecognitionEvent[][]>;

/** What stands beside the door while the visits happen. */
type Beside = {
  readonly onAttempt?: OnAttempt | undefined;
  readonly between?: () => void;
  /** Shows that it was what its name says. */
  readonly proof: (events: number) => void | Promise<void>;
};

const clock = { monotonicMs: () => performance.now(), wallMs: () => 1_800_000_000_000 };

function recording(dimensions: number) {
  const ring = createAttemptRing(dimensions);
  return { ring, consumer: ringConsumer(ring), onAttempt: createAttemptRecorder(ring, clock) };
}

const circumstances: Record<string, (dimensions: number) => Beside | Promise<Beside>> = {
  'nobody listens': (dimensions) => {
    const { consumer, onAttempt } = recording(dimensions);
    return { onAttempt, proof: () => expect(consumer.take(1, () => {})).toBe(0) };
  },
  'somebody listens and takes': (dimensions) => {
    const { consumer, onAttempt } = recording(dimensions);
    consumer.listen(true);
    let taken = 0;
    const between = () => {
      taken += consumer.take(ringSlots, () => {});
    };
    return { onAttempt, between, proof: (events) => expect(taken).toBe(events) };
  },
  'somebody listens and never takes': (dimensions) => {
    const { consumer, onAttempt } = recording(dimensions);
    consumer.listen(true);
    return { onAttempt, proof: (events) => expect(consumer.take(1e4, () => {})).toBe(events) };
  },
  'the ring is full': (dimensions) => {
    const { ring, consumer, onAttempt } = recording(dimensions);
    consumer.listen(true);
    const any = { wallMs: 0, monotonicMs: 0, overheadMs: 0, bestScore: null, values: undefined };
    const success = { result: 'success', reason: null, stagesMs: { total: 0 } } as const;
    const other = ringProducer(ring);
    for (let n = 0; n < ringSlots; n++) other.offer({ ...any, ...success });
    return { onAttempt, proof: (events) => expect(consumer.dropped()).toBe(events) };
  },
  'consent is given and withdrawn again and again': (dimensions) => {
    const { consumer, onAttempt } = recording(dimensions);
    let turns = 0;
    const between = () => {
      if (turns++ % 2 === 0) consumer.listen(true);
      else consumer.wipe();
    };
    return { onAttempt, between, proof: () => expect(turns).toBeGreaterThan(9) };
  },
  'the recorder throws': () => {
    let thrown = 0;
    const onAttempt = () => {
      thrown++;
      throw new Error('the recorder fell over');
    };
    return { onAttempt, proof: (events) => expect(thrown).toBe(events) };
  },
  'records are stored in another thread': (dimensions) =>
    storing(dimensions, {}, ({ stored }, events) => stored === events),
  'the store is full': (dimensions) =>
    storing(dimensions, { maxRecords: 1 }, ({ evicted }) => evicted > 0),
  'the store is locked by another process': (dimensions) =>
    storing(dimensions, { isLocked: true }, ({ failures }) => failures.includes('STORE_FAILED')),
  'the store is damaged again and again': (dimensions) =>
    storing(dimensions, { isDamaged: true }, ({ resets }) => resets > 0),
};

/** A real store with a real thread; `proves` is waited for after the visits. */
async function storing(
  dimensions: number,
  { maxRecords = 1000, isLocked = false, isDamaged = false },
  proves: (stored: ReturnType<StoringThread['stored']>, events: number) => boolean,
): Promise<Beside> {
  const { ring, onAttempt } = recording(dimensions);
  const folder = temporaryFolder();
  const limits = { maxRecords, maxBytes: 4 * 1024 * 1024 };
  const file = join(folder, 'records.db');
  const place = { file, keyFile: join(folder, 'epoch.key'), limits };
  openRecordStore(place).store.close();
  expect(existsSync(file)).toBe(true);
  if (isLocked) {
    const other = new Database(file);
    other.pragma('locking_mode = EXCLUSIVE');
    other.exec('BEGIN EXCLUSIVE');
    onTestFinished(() => void other.close());
  }
  const database = isDamaged ? 'damaged' : 'sound';
  const thread = startStoring({ ring, place, database });
  onTestFinished(() => thread.end());
  await thread.listening;
  return { onAttempt, proof: (events) => eventually(() => proves(thread.stored(), events)) };
}

/** What comes out with nothing beside the door. */
const alone = (visits: Visits) => visits(undefined, () => {});

function sameBesideAll(visits: Visits, dimensions: number): void {
  let expected: string | undefined;

  test('there is something to compare with: residents, strangers and others, the same each time', async () => {
    const events = await alone(visits);
    const kinds = new Set(events.flat().map(({ kind }) => kind));
    expect([...kinds]).toEqual(expect.arrayContaining(['match', 'no-match']));
    expected = JSON.stringify(events);
    expect(JSON.stringify(await alone(visits))).toBe(expected);
  });

  test.each(Object.entries(circumstances))('S0-34 S1-19 %s', async (_, beside) => {
    const { onAttempt, between = () => {}, proof } = await beside(dimensions);
    const events = await visits(onAttempt, between);
    expect(JSON.stringify(events)).toBe(expected ?? JSON.stringify(await alone(visits)));
    await proof(events.flat().length);
  });
}

describe('every event is the same, byte for byte, whatever happens to the improvement programme', () => {
  sameBesideAll(async (onAttempt, between) => {
    const scene: Scene = {};
    const track = createTrack(defaultTrackSettings);
    const { look, time } = fakeDoor(scene, { track, onAttempt });
    const events = [];
    for (const each of fakeVisits) {
      for (const key of ['faces', 'embedding'] as const) delete scene[key];
      Object.assign(scene, { candidates: [anna, carl], inferenceMs: 20, ...each });
      events.push(await look());
      between();
      time.advance(each.faces ? 1000 : 100);
    }
    return events;
  }, 4);
});

const nobody: Scene = { faces: [] };
const fakeVisits: Scene[] = [
  {},
  nobody,
  { candidates: [carl] },
  { candidates: [carl], inferenceMs: 70 },
  nobody,
  { faces: [frontalFace(160, 120, 9)] },
  nobody,
  { inferenceMs: 1501 },
  nobody,
  { candidates: [anna, { ...carl, score: 0.78 }] },
  nobody,
  { embedding: [0, 1, 0, 0] },
].flatMap((scene) => [scene, scene]);

describe.skipIf(!sharedModels || !sharedFaces)('the same with real models and faces', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'doorkeep-'));
  const place: Place = { dataDir, config: presets };
  let door: Awaited<ReturnType<typeof openRealDoor>> | undefined;
  afterAll(async () => {
    await door?.residents.close();
    await door?.vision.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  sameBesideAll(async (onAttempt, between) => {
    door ??= await openRealDoor(place);
    const { vision, residents, visits } = door;
    const { time, timers, ticking } = manualTimes();
    const recognizer = buildRecognizer(place, vision, residents, ticking, 'visits', onAttempt);
    const camera = openDemoCamera(visits, time.clock, timers);
    const events = [];
    for (let frame = await camera.next(); frame; frame = await camera.next()) {
      events.push(await recognizer.recognise(frame));
      between();
    }
    await camera.close();
    return events;
  }, 256);
});

/** Three residents, and the visits of two of them and of a stranger. */
async function openRealDoor(place: Place) {
  const { residents: people, visits } = findDemoMaterial();
  const vision = await openVision(place);
  const residents = await openResidents(place, vision);
  for (const { id, photos } of people.slice(0, 3)) {
    const photo = { frame: await readPicture(photos[0] ?? ''), label: null };
    const application = { id, label: null, photos: [photo], adds: false };
    await enrolResident(place, vision, residents, application, 0);
  }
  const strangers = visits.filter(({ expected }) => expected === null).slice(0, 1);
  return { vision, residents, visits: [...visits.slice(0, 2), ...strangers] };
}

function manualTimes() {
  const time = createManualTime();
  const timers: Timers = {
    after: (delayMs, run) => {
      time.advance(delayMs);
      run();
      return () => {};
    },
  };
  // Every question for the time takes some, so that no duration is 0.
  const ticking: Clock = {
    wallMs: time.clock.wallMs,
    monotonicMs: () => {
      time.advance(0.125);
      return time.clock.monotonicMs();
    },
  };
  return { time, timers, ticking };
}
