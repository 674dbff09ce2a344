import { describe, expect, test } from 'vitest';
import type { Embedding } from '../template/template.ts';
import { anna, carl, fakeDoor, type Scene } from '../test/fakes/fake-door.ts';
import { frontalFace } from '../test/fakes/fake-model.ts';
import type { RecognitionEvent } from './event.ts';
import type { RecognizerParts } from './recognizer.ts';
import { createTrack, defaultTrackSettings } from './track.ts';

/** What was told of an attempt: the embedding's values as they were in that moment, and their memory. */
type Told = {
  readonly event: RecognitionEvent;
  readonly values: readonly number[] | undefined;
  readonly memory: Embedding | undefined;
};

const almostAnna = { ...anna, score: 0.52 };

function listening(scene: Scene, parts: Partial<RecognizerParts> = {}) {
  const told: Told[] = [];
  const door = fakeDoor(scene, {
    onAttempt: (event, embedding) => {
      told.push({ event, values: embedding && [...embedding.values], memory: embedding });
    },
    ...parts,
  });
  return { ...door, told };
}

const tracked = () => ({ track: createTrack(defaultTrackSettings) });

test.each<[string, Scene, string, number[] | undefined]>([
  ['a resident', {}, 'match', [0.5, 0.5, 0.5, 0.5]],
  ['a stranger', { candidates: [carl] }, 'no-match', [0.5, 0.5, 0.5, 0.5]],
  [
    'a resident with a double',
    { candidates: [anna, { ...carl, score: 0.78 }] },
    'ambiguous',
    [0.5, 0.5, 0.5, 0.5],
  ],
  ['a decision that took too long', { inferenceMs: 1501 }, 'stale', [0.5, 0.5, 0.5, 0.5]],
  ['an empty scene', { faces: [] }, 'no-face', undefined],
  ['a photo', { alive: -9 }, 'attack', undefined],
  ['a face too far away', { faces: [frontalFace(160, 120, 9)] }, 'poor-quality', undefined],
  ['a model that answers nothing', { embedding: [0, 0, 0, 0] }, 'poor-quality', undefined],
])(
  'S0-19 %s is told, with the embedding that was compared and no other',
  async (_, scene, kind, values) => {
    const { look, told } = listening(scene);
    const events = await look();
    expect(told.map(({ event }) => event)).toEqual(events);
    expect(told).toMatchObject([{ event: { kind }, values }]);
  },
);

test('where everybody is identified, everybody is told', async () => {
  const faces = [frontalFace(100, 120, 40, 0.8), frontalFace(220, 120, 40, 0.9)];
  const { look, told } = listening({ faces }, { faces: 'all' });
  const events = await look();
  expect(events).toHaveLength(2);
  expect(told.map(({ event }) => event)).toEqual(events);
});

test('the embedding is the one that was compared, not a copy, and is overwritten afterwards', async () => {
  const { look, told, probes } = listening({});
  await look();
  expect(told[0]?.memory?.values).toBe(probes[0]?.given);
  expect([...(told[0]?.memory?.values ?? [1])]).toEqual([0, 0, 0, 0]);
});

describe('one visitor is told once', () => {
  test('with what the frames of the visit add up to', async () => {
    const scene: Scene = { candidates: [almostAnna], embedding: [1, 0, 0, 0] };
    const { look, told, time, probes } = listening(scene, tracked());
    const events = [];
    for (const embedding of [
      [1, 0, 0, 0],
      [0.8, 0.6, 0, 0],
      [1, 0, 0, 0],
    ]) {
      scene.embedding = embedding;
      events.push(...(await look()));
      time.advance(100);
    }
    expect(events).toMatchObject([{ kind: 'match', framesUsed: 3 }]);
    expect(told.map(({ event }) => event)).toEqual(events);
    expect(told[0]?.values).toEqual(probes[2]?.values);
    expect(told[0]?.values?.[1]).toBeGreaterThan(0.1);
    expect(told[0]?.memory?.modelSha256).toBe('f'.repeat(64));
  });

  test('also where the last frames could not be used: the embedding is that of the frame that could', async () => {
    const scene: Scene = { candidates: [carl] };
    const { look, told, time } = listening(scene, tracked());
    const events = await look();
    scene.embedding = [0, 0, 0, 0];
    for (let i = 0; i < 2; i++) {
      time.advance(100);
      events.push(...(await look()));
    }
    expect(events).toMatchObject([{ kind: 'no-match' }]);
    expect(told).toMatchObject([{ event: { kind: 'no-match' }, values: [0.5, 0.5, 0.5, 0.5] }]);
  });

  test('and a photo without a face, although a frame of the visit was compared', async () => {
    const scene: Scene = { alive: 9, candidates: [almostAnna] };
    const { look, told, time } = listening(scene, tracked());
    const events = [];
    for (const alive of [9, -9, -9]) {
      scene.alive = alive;
      events.push(...(await look()));
      time.advance(100);
    }
    expect(events).toMatchObject([{ kind: 'attack' }]);
    expect(told).toMatchObject([{ event: { kind: 'attack' }, values: undefined }]);
  });

  test('when leaving, with the embedding, which is overwritten then', async () => {
    const scene: Scene = { candidates: [carl] };
    const { look, told, time } = listening(scene, tracked());
    await look();
    expect(told).toEqual([]);
    scene.faces = [];
    time.advance(1000);
    const events = await look();
    expect(events).toMatchObject([{ kind: 'no-match' }]);
    expect(told.map(({ event }) => event)).toEqual(events);
    expect(told[0]?.values).toEqual([0.5, 0.5, 0.5, 0.5]);
    expect(told[0]?.memory?.modelSha256).toBe('f'.repeat(64));
    expect([...(told[0]?.memory?.values ?? [1])]).toEqual([0, 0, 0, 0]);
  });

  test('when another takes the place: without an embedding, which is gone by then', async () => {
    const scene: Scene = { candidates: [almostAnna], embedding: [1, 0, 0, 0] };
    const { look, told, time } = listening(scene, tracked());
    await look();
    scene.embedding = [0, 1, 0, 0];
    time.advance(100);
    await look();
    expect(told).toEqual([]);
    time.advance(100);
    const events = await look();
    expect(told.map(({ event }) => event)).toEqual(events);
    expect(told).toMatchObject([{ event: { kind: 'stale' }, values: undefined }]);
  });
});

test('S0-34 a listener that throws changes no event and leaves no embedding; it is counted', async () => {
  const scene: Scene = { candidates: [carl] };
  const silent = fakeDoor(scene, tracked());
  const memory: Float32Array[] = [];
  const failing = fakeDoor(scene, {
    ...tracked(),
    onAttempt: (_, embedding) => {
      if (embedding) memory.push(embedding.values);
      throw new Error('the programme fell over');
    },
  });
  const visits = async (door: typeof silent) => {
    const events = [];
    for (let i = 0; i < 4; i++) {
      events.push(...(await door.look()));
      door.time.advance(1000);
    }
    return events;
  };
  const expected = await visits(silent);
  expect(expected).toHaveLength(3);
  expect(await visits(failing)).toEqual(expected);
  expect([failing.recognizer.attemptFaults, silent.recognizer.attemptFaults]).toEqual([3, 0]);
  expect(memory.map((values) => [...values])).toEqual(Array(3).fill([0, 0, 0, 0]));
});
