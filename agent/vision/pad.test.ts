import { describe, expect, test } from 'vitest';
import type { PadEntry } from '../ports.ts';
import { paintedFrame, scriptKernels, texturedFrame } from '../test/fakes/fake-frame.ts';
import { fakeModel, frontalFace, padEntry } from '../test/fakes/fake-model.ts';
import { openReal, readReal } from '../test/fakes/real-material.ts';
import { sharedFaces, sharedModels } from '../test/fakes/shared-material.ts';
import { createDetector } from './detection.ts';
import { createPadCheck, padWindow } from './pad.ts';

const kernels = scriptKernels();
const frame = texturedFrame(320, 240);
const face = frontalFace(160, 120, 40);
const saying = (...logits: number[]) =>
  fakeModel(padEntry, () => ({ output: Float32Array.from(logits) }));

test('without a model nobody is called bona fide', async () => {
  expect(await createPadCheck([], kernels).check(frame, face)).toEqual({ kind: 'not-checked' });
});

test('the largest class decides, and the score is its probability', async () => {
  const check = (...logits: number[]) =>
    createPadCheck([saying(...logits)], kernels).check(frame, face);
  expect(await check(0, Math.log(8), 0)).toEqual({ kind: 'bona-fide', score: expect.closeTo(0.8) });
  expect(await check(Math.log(8), 0, 0)).toEqual({ kind: 'attack', score: expect.closeTo(0.1) });
  // More likely bona fide than not, but less so than one kind of attack.
  expect(await check(Math.log(5), Math.log(4), 0)).toMatchObject({ kind: 'attack' });
});

test('several models are averaged after the softmax', async () => {
  const sure = saying(0, 20, 0);
  const doubting = saying(Math.log(3), 0, 0);
  const outcome = await createPadCheck([sure, doubting], kernels).check(frame, face);
  expect(outcome).toEqual({ kind: 'bona-fide', score: expect.closeTo((1 + 0.2) / 2) });
  const attack = await createPadCheck([doubting, doubting, doubting, sure], kernels).check(
    frame,
    face,
  );
  expect(attack).toEqual({ kind: 'attack', score: expect.closeTo((1 + 0.6) / 4) });
});

test.each([
  [Number.NaN, 0, 0],
  [0, Number.NaN, 0],
  [0, Number.POSITIVE_INFINITY, 0],
])('logits %f %f %f open no door', async (...logits) => {
  const outcome = await createPadCheck([saying(...logits)], kernels).check(frame, face);
  expect(outcome).toEqual({ kind: 'attack', score: 0 });
});

test('a model without its classes is refused by name', async () => {
  const lacking = createPadCheck([saying(1)], kernels).check(frame, face);
  await expect(lacking).rejects.toMatchObject({ code: 'MODEL_MISMATCH' });
  const free: PadEntry = { ...padEntry, input: { ...padEntry.input, shape: [1, 3, 'h', 'w'] } };
  expect(() => createPadCheck([fakeModel(free, () => ({}))], kernels)).toThrow(
    /no fixed input size/,
  );
});

describe('the window', () => {
  const chip = { width: 80, height: 80 };
  /** First and last column and row of the frame that the chip covers. */
  const covered = (
    box: { x: number; y: number; width: number; height: number },
    factor: number,
  ) => {
    const [a, , c, , e, f] = padWindow({ width: 320, height: 240 }, box, factor, chip);
    const edges = [c - a / 2 + 0.5, c + a * 79.5 - 0.5, f - e / 2 + 0.5, f + e * 79.5 - 0.5];
    return edges.map((edge) => Math.round(edge * 1000) / 1000);
  };

  test('is the box times the factor around its middle', () => {
    expect(covered({ x: 140, y: 100, width: 40, height: 40 }, 2)).toEqual([120, 200, 80, 160]);
  });

  test('is shifted inside the picture, not cut', () => {
    expect(covered({ x: 0, y: 100, width: 40, height: 40 }, 2)).toEqual([0, 80, 80, 160]);
    expect(covered({ x: 300, y: 210, width: 40, height: 40 }, 2)).toEqual([239, 319, 159, 239]);
  });

  test('shrinks to the picture where the factor asks for more', () => {
    expect(covered({ x: 100, y: 60, width: 80, height: 120 }, 4)).toEqual([60, 219, 0, 239]);
  });

  test('of a face larger than the picture, and beyond its edge, is still inside', () => {
    const [left = -1, right = -1, top = -1, bottom = -1] = covered(
      { x: -200, y: -100, width: 900, height: 700 },
      2.7,
    );
    expect(left).toBeGreaterThanOrEqual(0);
    expect(right).toBeLessThanOrEqual(319);
    expect(top).toBeGreaterThanOrEqual(0);
    expect(bottom).toBeLessThanOrEqual(239);
    expect(right - left).toBeGreaterThan(250);
  });
});

test('a face at the edge shows the model no black rim', async () => {
  let darkest = Number.NaN;
  const model = fakeModel(padEntry, (input) => {
    darkest = input.reduce((least, value) => Math.min(least, value), 255);
    return { output: Float32Array.of(0, 1, 0) };
  });
  const white = paintedFrame(320, 240, () => 200);
  await createPadCheck([model], kernels).check(white, frontalFace(5, 5, 40));
  expect(darkest).toBe(200);
});

test('the pixels do not outlive the check', async () => {
  let tensor: Float32Array = new Float32Array(0);
  const model = fakeModel(padEntry, (input) => {
    tensor = input;
    throw new Error('out of memory');
  });
  await expect(createPadCheck([model], kernels).check(frame, face)).rejects.toThrow('memory');
  expect(tensor).toHaveLength(3 * 80 * 80);
  expect(tensor.every((value) => value === 0)).toBe(true);
});

describe.skipIf(!sharedModels || !sharedFaces)('the two real models', () => {
  test.each([
    ['a live face is bona fide', 'image_T1.jpg', 'bona-fide'],
    ['a printed photo is an attack', 'image_F1.jpg', 'attack'],
    ['a photo on a tablet is an attack', 'image_F2.jpg', 'attack'],
  ])('%s', async (_, file, kind) => {
    const detector = createDetector(await openReal('detection', 'yunet-n-dynamic'), kernels);
    const models = [
      await openReal('pad', 'minifasnet-v2'),
      await openReal('pad', 'minifasnet-v1se'),
    ];
    const picture = await readReal(`spoof/${file}`);
    const [found] = await detector.detect(picture);
    if (!found) throw new Error(`no face in ${file}`);
    expect(await createPadCheck(models, kernels).check(picture, found)).toMatchObject({ kind });
  });
});
