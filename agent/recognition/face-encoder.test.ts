import { expect, test } from 'vitest';
import { scriptKernels, texturedFrame } from '../test/fakes/fake-frame.ts';
import { embeddingEntry, fakeModel, frontalFace } from '../test/fakes/fake-model.ts';
import { createFaceEncoder } from './face-encoder.ts';

const frame = texturedFrame(320, 240);
const face = frontalFace(160, 120);
const answering = (...values: number[]) =>
  fakeModel(embeddingEntry, () => ({ embedding: Float32Array.from(values) }));

function encode(...values: number[]) {
  return createFaceEncoder(answering(...values), scriptKernels()).encode(frame, face, () => {});
}

test('an embedding has length 1 and says which model made it', async () => {
  const embedding = await encode(0, 3, 0, 4);
  expect([...(embedding?.values ?? [])]).toEqual([0, expect.closeTo(0.6), 0, expect.closeTo(0.8)]);
  expect(embedding?.modelSha256).toBe(embeddingEntry.sha256);
});

test.each([
  ['nothing', [0, 0, 0, 0]],
  ['no number', [1, Number.NaN, 0, 0]],
  ['infinity', [1, Number.NEGATIVE_INFINITY, 0, 0]],
])('a model that answers with %s gives nothing to compare', async (_, values) => {
  expect(await encode(...values)).toBeUndefined();
});

test('a model of another length is refused by name', async () => {
  await expect(encode(1, 2)).rejects.toMatchObject({ code: 'MODEL_MISMATCH' });
});

test('landmarks on one spot never reach the model', async () => {
  const model = answering(1, 0, 0, 0);
  const spot = [9, 9] as const;
  const broken = { ...face, landmarks: [spot, spot, spot, spot, spot] as const };
  const encoder = createFaceEncoder(model, scriptKernels());
  expect(await encoder.encode(frame, broken, () => {})).toBeUndefined();
  expect(model.runs).toEqual([]);
});

test('the stages are told apart', async () => {
  const laps: string[] = [];
  const encoder = createFaceEncoder(answering(1, 0, 0, 0), scriptKernels());
  await encoder.encode(frame, face, (stage) => laps.push(stage));
  expect(laps).toEqual(['align', 'embed']);
});

test('the pixels do not outlive the face, not even when the model fails', async () => {
  let tensor: Float32Array = new Float32Array(0);
  const chips: Uint8Array[] = [];
  const kernels = scriptKernels();
  const failing = fakeModel(embeddingEntry, (input) => {
    tensor = input;
    throw new Error('out of memory');
  });
  const encoder = createFaceEncoder(failing, {
    ...kernels,
    warp: (from, by, chip) => {
      kernels.warp(from, by, chip);
      chips.push(chip.data);
      expect(chip.data.some((value) => value > 0)).toBe(true);
    },
  });
  await expect(encoder.encode(frame, face, () => {})).rejects.toThrow('memory');
  expect(tensor).toHaveLength(3 * 112 * 112);
  expect(tensor.every((value) => value === 0)).toBe(true);
  expect(chips).toHaveLength(1);
  expect(chips[0]?.every((value) => value === 0)).toBe(true);
});
