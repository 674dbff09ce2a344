import { beforeAll, describe, expect, test } from 'vitest';
import { paintedFrame, scriptKernels, texturedFrame } from '../test/fakes/fake-frame.ts';
import { fakeModel, frontalFace, qualityEntry } from '../test/fakes/fake-model.ts';
import { openReal, readReal } from '../test/fakes/real-material.ts';
import { sharedFaces, sharedModels } from '../test/fakes/shared-material.ts';
import { createDetector, type Detector } from './detection.ts';
import type { Frame } from './frame.ts';
import { createQualityCheck } from './quality.ts';
import { doorLimits, enrolmentLimits } from './quality-limits.ts';

const kernels = scriptKernels();
const frame = texturedFrame(320, 240);
const face = frontalFace(160, 120, 40);
const door = createQualityCheck({ kernels, limits: doorLimits });

test('a sharp, frontal, well-lit face passes, and nobody claims a model has seen it', async () => {
  const report = await door.assess(frame, face, [face]);
  expect(report.reasons).toEqual([]);
  expect(report.model).toBe('not-checked');
  expect(report.measures.eyeDistancePx).toBeCloseTo(40, 0);
});

test('a face over the border is clipped', async () => {
  const half = frontalFace(20, 120, 40);
  const { reasons, measures } = await door.assess(frame, half, [half]);
  expect(reasons).toContain('CLIPPED');
  expect(measures.outsidePart).toBeCloseTo((41 * 40) / 35.24 / 72 / (40 / 35.24) - 0.32, 1);
});

test('a face wholly outside the frame is clipped wholly', async () => {
  const outside = frontalFace(900, 120, 40);
  const { measures } = await door.assess(frame, outside, [outside]);
  expect(measures.outsidePart).toBe(1);
});

test('a second face nearly as large is told to whoever enrols', async () => {
  const enrolment = createQualityCheck({ kernels, limits: enrolmentLimits });
  const other = frontalFace(60, 60, 32);
  const passerBy = frontalFace(60, 60, 15);
  expect((await enrolment.assess(frame, face, [other, face])).reasons).toEqual(['MULTI_FACE']);
  expect((await enrolment.assess(frame, face, [face, passerBy])).reasons).toEqual([]);
});

test('light behind the visitor is told from a dark night', async () => {
  const lit = paintedFrame(320, 240, (x, y) => {
    const isFace = Math.hypot(x - 160, (y - 120) / 1.3) < 60;
    const detail = frame.data[(y * 320 + x) * 3] ?? 0;
    return isFace ? detail / 4 : 230;
  });
  const night = paintedFrame(320, 240, (x, y) => (frame.data[(y * 320 + x) * 3] ?? 0) / 8);
  expect((await door.assess(lit, face, [face])).reasons).toContain('BACKLIT');
  const { reasons } = await door.assess(night, face, [face]);
  expect(reasons).toContain('TOO_DARK');
  expect(reasons).not.toContain('BACKLIT');
});

test('landmarks on one spot are a refusal, not a crash', async () => {
  const spot = [100, 100] as const;
  const broken = { ...face, landmarks: [spot, spot, spot, spot, spot] as const };
  const { reasons } = await door.assess(frame, broken, [broken]);
  expect(reasons).toContain('TOO_SMALL');
  expect(reasons).toContain('POSE');
});

describe('with a quality model', () => {
  const scoring = (score: number) =>
    fakeModel(qualityEntry, () => ({ quality: Float32Array.of(score) }));

  test.each([
    [0.8, []],
    [0.2, ['LOW_QUALITY']],
    [Number.NaN, ['LOW_QUALITY']],
  ])('its score %f says %j', async (score, reasons) => {
    const check = createQualityCheck({ kernels, limits: doorLimits, model: scoring(score) });
    const report = await check.assess(frame, face, [face]);
    expect(report.reasons).toEqual(reasons);
    expect(report.model).toEqual({ score: Number.isNaN(score) ? 0 : expect.closeTo(score) });
  });

  test('it is not asked about a face that is refused already', async () => {
    const model = scoring(0.8);
    const check = createQualityCheck({ kernels, limits: doorLimits, model });
    const small = frontalFace(160, 120, 10);
    expect((await check.assess(frame, small, [small])).model).toBe('not-checked');
    expect(model.runs).toEqual([]);
  });
});

describe.skipIf(!sharedModels || !sharedFaces)('a real portrait', () => {
  let detector: Detector;
  let portrait: Frame;
  beforeAll(async () => {
    detector = createDetector(await openReal('detection', 'yunet-n-dynamic'), kernels);
    portrait = await readReal('single/astronaut.png');
  });

  async function reasonsFor(changed: Frame): Promise<readonly string[]> {
    // The face is looked for in the good picture: what is tested is the measure, not the detector.
    const [found] = await detector.detect(portrait);
    if (!found) throw new Error('no face in the portrait');
    const model = await openReal('quality', 'lightqnet-dm025');
    const check = createQualityCheck({ kernels, limits: doorLimits, model });
    return (await check.assess(changed, found, [found])).reasons;
  }

  test('passes as it is', async () => {
    expect(await reasonsFor(portrait)).toEqual([]);
  });

  test('is refused out of focus, in the dark, and overexposed', async () => {
    expect(await reasonsFor(await altered(portrait, { blur: 4 }))).toEqual(['BLUR']);
    expect(await reasonsFor(await altered(portrait, { gain: 0.1 }))).toEqual(['TOO_DARK']);
    expect(await reasonsFor(await altered(portrait, { gain: 4 }))).toContain('TOO_BRIGHT');
  });
});

async function altered(frame: Frame, change: { blur?: number; gain?: number }): Promise<Frame> {
  const { default: sharp } = await import('sharp');
  const { width, height } = frame;
  let picture = sharp(frame.data, { raw: { width, height, channels: 3 } });
  if (change.blur) picture = picture.blur(change.blur);
  if (change.gain) picture = picture.linear(change.gain, 0);
  return { ...frame, data: new Uint8Array(await picture.raw().toBuffer()) };
}
