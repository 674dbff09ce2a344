import { expect, test } from 'vitest';
import type { RecognizerParts } from '../../recognition/recognizer.ts';
import { createTrack, defaultTrackSettings } from '../../recognition/track.ts';
import { carl, fakeDoor, type Scene } from '../../test/fakes/fake-door.ts';
import { frontalFace } from '../../test/fakes/fake-model.ts';
import { createManualTime } from '../../test/fakes/manual-time.ts';
import { createAttemptRecorder } from './attempt-recorder.ts';
import { createAttemptRing, ringConsumer } from './attempt-ring.ts';
import type { RingAttempt } from './attempt-slots.ts';

/** A door whose attempts go into a ring, under a wall clock that the test sets. */
function recordedDoor(scene: Scene, parts: Partial<RecognizerParts> = {}) {
  const ring = createAttemptRing(4);
  const consumer = ringConsumer(ring);
  const wall = { ms: 1_800_000_000_000 };
  // The door's own clock is made with it; the recorder is made before and asks it when it is asked.
  let monotonicMs = createManualTime().clock.monotonicMs;
  const clock = { monotonicMs: () => monotonicMs(), wallMs: () => wall.ms };
  const door = fakeDoor(scene, { onAttempt: createAttemptRecorder(ring, clock), ...parts });
  monotonicMs = door.time.clock.monotonicMs;
  const taken = () => {
    const all: RingAttempt[] = [];
    consumer.take(Number.POSITIVE_INFINITY, (each) =>
      all.push({ ...each, values: each.values?.slice() }),
    );
    return all;
  };
  return { ...door, wall, consumer, taken };
}

test('S0-20 an attempt bears the time from the camera to the decision, and of its stages', async () => {
  const scene: Scene = { detectionMs: 12.5, inferenceMs: 33.25 };
  const { look, time, frameNow, recognizer, taken, consumer } = recordedDoor(scene);
  consumer.listen(true);
  await look();
  const late = frameNow();
  time.advance(100);
  await recognizer.recognise(late);
  const [first, second] = taken();
  expect(first).toMatchObject({ overheadMs: 45.75 });
  expect(first?.stagesMs).toEqual({
    detect: 12.5,
    quality: 0,
    pad: 0,
    align: 0,
    embed: 33.25,
    template: 0,
    search: 0,
    decide: 0,
    total: 45.75,
  });
  // A frame that waited took longer, though its stages did not.
  expect(second).toMatchObject({ overheadMs: 145.75, stagesMs: { total: 45.75 } });
});

test('S0-20 a wall clock that jumps in the midst of an identification disturbs no duration', async () => {
  const scene: Scene = { inferenceMs: 30 };
  const { look, wall, taken, consumer } = recordedDoor(scene, {
    search: () => {
      wall.ms -= 10 * 365 * 86_400_000;
      return [carl];
    },
  });
  consumer.listen(true);
  const before = wall.ms;
  await look();
  expect(taken()).toMatchObject([{ overheadMs: 30, stagesMs: { total: 30 }, wallMs: wall.ms }]);
  expect(wall.ms).toBeLessThan(before);
});

test('S0-21 an attempt bears both clocks of the moment in which it was recorded', async () => {
  const { look, wall, time, taken, consumer } = recordedDoor({ inferenceMs: 30 });
  consumer.listen(true);
  await look();
  wall.ms += 5_000;
  time.advance(4_000);
  await look();
  expect(taken()).toMatchObject([
    { wallMs: 1_800_000_000_000, monotonicMs: 1_030 },
    { wallMs: 1_800_000_005_000, monotonicMs: 5_060 },
  ]);
});

test('S0-21 who left before anything was said is recorded when it is said', async () => {
  const scene: Scene = { candidates: [carl], inferenceMs: 30 };
  const track = createTrack(defaultTrackSettings);
  const { look, wall, time, taken, consumer } = recordedDoor(scene, { track });
  consumer.listen(true);
  await look();
  wall.ms += 900;
  time.advance(900);
  scene.faces = [];
  await look();
  expect(taken()).toMatchObject([
    { reason: 'no-match', overheadMs: 30, monotonicMs: 1_930, wallMs: 1_800_000_000_900 },
  ]);
});

test('S0-19 every event is one attempt, failures too, and the counts are equal', async () => {
  const scene: Scene = {};
  const { look, time, taken, consumer } = recordedDoor(scene, {
    track: createTrack(defaultTrackSettings),
  });
  consumer.listen(true);
  const scenes: Scene[] = [
    {},
    { faces: [] },
    { candidates: [carl] },
    { faces: [] },
    { alive: 9, faces: [frontalFace(160, 120, 9)] },
    { faces: [] },
    { inferenceMs: 1501 },
    { faces: [] },
    { embedding: [Number.NaN, 1, 1, 1] },
    { faces: [] },
  ];
  const kinds = [];
  for (const each of scenes) {
    for (const key of ['faces', 'candidates', 'alive', 'inferenceMs', 'embedding'] as const) {
      delete scene[key];
    }
    Object.assign(scene, each);
    kinds.push(...(await look()).map(({ kind }) => kind));
    time.advance(1000);
  }
  expect(kinds).toEqual(['match', 'no-match', 'poor-quality', 'stale', 'poor-quality']);
  const attempts = taken();
  expect(attempts.map(({ reason }) => reason)).toEqual([
    null,
    'no-match',
    'low-quality',
    'stale',
    'low-quality',
  ]);
  expect(attempts.map(({ values }) => values?.length)).toEqual([4, 4, undefined, 4, undefined]);
});

test('where nobody listens nothing is asked, not even the time', async () => {
  const ring = createAttemptRing(4);
  const clock = {
    monotonicMs: () => expect.unreachable('the clock was read'),
    wallMs: () => expect.unreachable('the clock was read'),
  };
  const door = fakeDoor({}, { onAttempt: createAttemptRecorder(ring, clock) });
  await door.look();
  expect(door.recognizer.attemptFaults).toBe(0);
  expect(ringConsumer(ring).take(1, () => {})).toBe(0);
});
