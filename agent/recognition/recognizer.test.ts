import { expect, test } from 'vitest';
import type { Embedding } from '../template/template.ts';
import { anna, carl, fakeDoor as door, type Scene, visitor } from '../test/fakes/fake-door.ts';
import { frontalFace } from '../test/fakes/fake-model.ts';
import { createMotionGate } from '../vision/motion.ts';
import type { RecognizerParts } from './recognizer.ts';
import { createTrack, defaultTrackSettings } from './track.ts';

test('a resident is recognised, and the event says how surely and how fast', async () => {
  const { look } = door({});
  const [event, ...others] = await look();
  expect(others).toEqual([]);
  expect(event).toMatchObject({
    kind: 'match',
    residentId: 'anna',
    score: 0.8,
    runnerUpScore: 0.3,
    threshold: 0.5,
    margin: 0.05,
    framesUsed: 1,
    sourceId: 'fake',
    capturedAtMs: 1000,
    decidedAtMs: 1020,
    pad: { kind: 'not-checked' },
    qualityModel: 'not-checked',
    timesMs: { embed: 20, total: 20 },
  });
  expect(Object.keys(event?.timesMs ?? {})).toEqual([
    'detect',
    'quality',
    'pad',
    'align',
    'embed',
    'template',
    'search',
    'decide',
    'total',
  ]);
});

test.each([
  ['an empty scene', { faces: [] }, { kind: 'no-face' }],
  ['an empty gallery', { candidates: [] }, { kind: 'no-match', score: undefined }],
  ['a stranger', { candidates: [carl] }, { kind: 'no-match', score: 0.3 }],
  [
    'a resident with a double',
    { candidates: [anna, { ...carl, score: 0.78 }] },
    { kind: 'ambiguous', score: 0.8, runnerUpScore: 0.78 },
  ],
  ['a photo', { alive: -9 }, { kind: 'attack', pad: { kind: 'attack' } }],
  ['a face too far away', { faces: [frontalFace(160, 120, 9)] }, { kind: 'poor-quality' }],
  [
    'a model that answers nothing',
    { embedding: [0, 0, 0, 0] },
    { kind: 'poor-quality', reasons: ['NO_EMBEDDING'] },
  ],
  [
    'a model that answers no number',
    { embedding: [Number.NaN, 1, 1, 1] },
    { kind: 'poor-quality', reasons: ['NO_EMBEDDING'] },
  ],
  ['a decision that took too long', { inferenceMs: 1501 }, { kind: 'stale' }],
])('%s is told as what it is and names nobody', async (_, scene: Scene, expected) => {
  const [event, ...others] = await door(scene).look();
  expect(event).toMatchObject(expected);
  expect(others).toEqual([]);
  expect(event).not.toHaveProperty('residentId');
});

test('a photo and a poor face never reach the recogniser', async () => {
  const photo = door({ alive: -9 });
  await photo.look();
  const far = door({ faces: [frontalFace(160, 120, 9)] });
  await far.look();
  expect([...photo.embedder.runs, ...far.embedder.runs]).toEqual([]);
});

test('S3-19 of the people behind the visitor no embedding is computed, and no event is made', async () => {
  const passersBy = [frontalFace(40, 60, 22, 0.95), frontalFace(280, 60, 22, 0.95)];
  const { look, embedder } = door({ faces: [...passersBy, visitor] });
  const events = await look();
  expect(events).toHaveLength(1);
  expect(events[0]).toMatchObject({ kind: 'match', box: { x: expect.closeTo(visitor.box.x, 1) } });
  expect(embedder.runs).toHaveLength(1);
});

test('two faces of one size: one of them, and one event', async () => {
  const faces = [frontalFace(100, 120, 40), frontalFace(220, 120, 40)];
  const { look, embedder } = door({ faces });
  expect(await look()).toHaveLength(1);
  expect(embedder.runs).toHaveLength(1);
});

test('where everybody is identified, everybody has an event of their own', async () => {
  const faces = [frontalFace(100, 120, 40, 0.8), frontalFace(220, 120, 40, 0.9)];
  const { look } = door({ faces }, { faces: 'all' });
  const events = await look();
  expect(events.map(({ kind }) => kind)).toEqual(['match', 'match']);
});

test('embedding and probe are overwritten, also when the search fails', async () => {
  const scene: Scene = {};
  const sound = door(scene);
  await sound.look();
  expect(sound.probes[0]?.values).toEqual([0.5, 0.5, 0.5, 0.5]);
  expect([...(sound.probes[0]?.given ?? [1])]).toEqual([0, 0, 0, 0]);
  expect(sound.forgotten()).toBe(1);

  const failing = door(scene, {
    search: () => {
      throw new Error('the store is gone');
    },
  });
  await expect(failing.look()).rejects.toThrow('store');
  expect([...(failing.probes[0]?.given ?? [1])]).toEqual([0, 0, 0, 0]);
  expect(failing.forgotten()).toBe(1);
});

test('no event holds what is behind it: pixels, embeddings, templates', async () => {
  const [event] = await door({ alive: 9 }).look();
  const inside = (value: unknown): unknown[] =>
    typeof value === 'object' && value !== null
      ? [value, ...Object.values(value).flatMap(inside)]
      : [value];
  const found = inside(event);
  expect(found.length).toBeGreaterThan(30);
  expect(found.filter((value) => ArrayBuffer.isView(value))).toEqual([]);
});

test('a frame whose bytes are not what it says is a mistake of the caller', async () => {
  const { recognizer, frameNow } = door({});
  const { recognise } = recognizer;
  await expect(recognise({ ...frameNow(), data: new Uint8Array(0) })).rejects.toThrow(TypeError);
  await expect(recognise({ ...frameNow(), width: 319 })).rejects.toThrow(TypeError);
});

test('one visitor over several frames is one event, made of several frames', async () => {
  const track = createTrack(defaultTrackSettings);
  const { look, time, probes } = door({ candidates: [{ ...anna, score: 0.52 }] }, { track });
  const reported = [];
  for (let i = 0; i < 6; i++) {
    reported.push(await look());
    time.advance(100);
  }
  expect(reported.flat()).toMatchObject([{ kind: 'match', framesUsed: 3 }]);
  expect(reported[2]).toHaveLength(1);
  // What was compared is the track's: it is overwritten when the visitor has gone.
  expect(probes[0]?.given.some((value) => value !== 0)).toBe(true);
});

test('an empty entrance is no event, and the visitor who has left it none any more', async () => {
  const track = createTrack(defaultTrackSettings);
  const scene: Scene = { candidates: [carl] };
  const { look, time, probes } = door(scene, { track });
  expect(await look()).toEqual([]);
  scene.faces = [];
  time.advance(500);
  expect(await look()).toEqual([]);
  time.advance(500);
  expect(await look()).toMatchObject([{ kind: 'no-match', capturedAtMs: 1000 }]);
  expect([...(probes[0]?.given ?? [1])]).toEqual([0, 0, 0, 0]);
});

test('where nothing moves nobody looks, until somebody does', async () => {
  const motion = createMotionGate({ threshold: 2, holdMs: 1000 });
  const { look, detector, time, recognizer, frameNow } = door({ faces: [] }, { motion });
  await look();
  time.advance(2000);
  expect(await look()).toEqual([]);
  expect(detector.runs).toHaveLength(1);
  const dark = frameNow();
  dark.data.fill(10);
  expect(await recognizer.recognise(dark)).toMatchObject([{ kind: 'no-face' }]);
  expect(detector.runs).toHaveLength(2);
});

test('whoever stands still before the door is looked at all the time', async () => {
  const motion = createMotionGate({ threshold: 2, holdMs: 1000 });
  const { look, detector, time } = door({}, { motion });
  for (let i = 0; i < 10; i++) {
    await look();
    time.advance(500);
  }
  expect(detector.runs).toHaveLength(10);
});

test('after a wipe nothing is left of the visitor', async () => {
  const track = createTrack(defaultTrackSettings);
  const { look, probes, recognizer } = door({ candidates: [carl] }, { track });
  await look();
  expect(probes[0]?.given.some((value) => value !== 0)).toBe(true);
  recognizer.wipe();
  expect(probes[0]?.given.every((value) => value === 0)).toBe(true);
});

/** What a match was made of, as it was at that moment. */
type Confirmed = { residentId: string; values: number[][]; given: readonly Float32Array[] };

function confirming(scene: Scene, parts: Partial<RecognizerParts> = {}) {
  const confirmed: Confirmed[] = [];
  const track = createTrack(defaultTrackSettings);
  const opened = door(scene, {
    track,
    onConfirmedMatch: ({ residentId }, embeddings) => {
      const given = embeddings.map(({ values }) => values);
      confirmed.push({ residentId, values: given.map((each) => [...each]), given });
    },
    ...parts,
  });
  return { ...opened, confirmed };
}

test('a match that is reported is confirmed once, with the fused embedding, before the event is out', async () => {
  const { look, confirmed, time } = confirming({});
  const [event] = await look();
  expect(event).toMatchObject({ kind: 'match', residentId: 'anna' });
  expect(confirmed).toMatchObject([{ residentId: 'anna', values: [[0.5, 0.5, 0.5, 0.5]] }]);
  time.advance(100);
  expect(await look()).toEqual([]);
  expect(confirmed).toHaveLength(1);
});

test.each<[string, Scene]>([
  ['a stranger', { candidates: [carl] }],
  ['a resident with a double', { candidates: [anna, { ...carl, score: 0.78 }] }],
  ['a photo', { alive: -9 }],
  ['a decision that took too long', { inferenceMs: 1501 }],
  [
    'a match that is not sure enough to be reported yet',
    { candidates: [{ ...anna, score: 0.52 }] },
  ],
])('%s confirms nobody', async (_, scene) => {
  const { look, confirmed } = confirming(scene);
  await look();
  expect(confirmed).toEqual([]);
});

test('a visit with an attack in it opens the door to the resident, and confirms nobody', async () => {
  const scene: Scene = { alive: 9, candidates: [{ ...anna, score: 0.52 }] };
  const { look, confirmed, time } = confirming(scene);
  const events = [];
  for (const alive of [9, -9, 9]) {
    scene.alive = alive;
    events.push(...(await look()));
    time.advance(100);
  }
  expect(events).toMatchObject([{ kind: 'match' }]);
  expect(confirmed).toEqual([]);
});

test('embeddings of an earlier recogniser are searched and confirmed beside the new ones, and overwritten', async () => {
  const early: Float32Array[] = [];
  const probed: (readonly Embedding[])[] = [];
  const values = () => Float32Array.of(0, 0.6, 0.8);
  const { look, confirmed } = confirming(
    {},
    {
      embedEarlier: async () => {
        const embedding = { values: values(), modelSha256: 'e'.repeat(64) };
        early.push(embedding.values);
        return [embedding];
      },
      protector: {
        probe: ({ modelSha256 }, earlier) => {
          probed.push(earlier);
          const code = new Uint8Array(512);
          return { code, modelSha256, version: 1, projections: new Int32Array(4096) };
        },
        forget: () => {},
      },
    },
  );
  await look();
  expect(probed[0]?.map(({ modelSha256 }) => modelSha256)).toEqual(['e'.repeat(64)]);
  expect(confirmed[0]?.values).toEqual([[0.5, 0.5, 0.5, 0.5], [...values()]]);
  expect(early.map((each) => [...each])).toEqual([[0, 0, 0]]);
});

test('an earlier recogniser that fails leaves no embedding behind', async () => {
  const { look, embedder } = confirming(
    {},
    { embedEarlier: () => Promise.reject(new Error('out of memory')) },
  );
  await expect(look()).rejects.toThrow('out of memory');
  expect(embedder.runs).toHaveLength(1);
});
