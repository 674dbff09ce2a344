import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { DetectionEntry } from '../ports.ts';
import { paintedFrame, scriptKernels } from '../test/fakes/fake-frame.ts';
import { detectionEntry, fakeDetector, fakeModel, frontalFace } from '../test/fakes/fake-model.ts';
import { openReal, readReal } from '../test/fakes/real-material.ts';
import { sharedFaces, sharedModels } from '../test/fakes/shared-material.ts';
import {
  createDetector,
  type Detector,
  defaultDetectionSettings,
  tensorSize,
} from './detection.ts';

const frame = paintedFrame(640, 480, () => 128);

test('faces come back in frame coordinates, the surest first, one per person', async () => {
  const faces = [
    frontalFace(80, 100, 30, 0.7),
    frontalFace(240, 100, 30, 0.9),
    frontalFace(248, 108, 30, 0.8),
  ];
  const model = fakeDetector(() => faces);
  const found = await createDetector(model, scriptKernels()).detect(frame);
  expect(found.map(({ score }) => score)).toEqual([expect.closeTo(0.9), expect.closeTo(0.7)]);
  expect(found[0]?.landmarks[2][0]).toBeCloseTo(240 * 2, 0);
  expect(model.runs).toEqual([[1, 3, 256, 320]]);
});

test('an empty scene has no faces', async () => {
  expect(
    await createDetector(
      fakeDetector(() => []),
      scriptKernels(),
    ).detect(frame),
  ).toEqual([]);
});

test('a detector that answers with 500 faces is cut to the limit', async () => {
  const crowd = Array.from({ length: 500 }, (_, i) =>
    frontalFace(4 + 8 * (i % 40), 4 + 8 * Math.floor(i / 40), 2, 0.7 + i / 10_000),
  );
  const detector = createDetector(
    fakeDetector(() => crowd),
    scriptKernels(),
  );
  expect(await detector.detect(frame)).toHaveLength(defaultDetectionSettings.maxFaces);
});

test('a frame whose bytes are not what it says is a mistake of the caller', async () => {
  const { detect } = createDetector(
    fakeDetector(() => []),
    scriptKernels(),
  );
  await expect(detect({ ...frame, data: new Uint8Array(0) })).rejects.toThrow(TypeError);
  await expect(detect({ ...frame, width: 641 })).rejects.toThrow(TypeError);
  await expect(detect({ ...frame, height: 0, data: new Uint8Array(0) })).rejects.toThrow(TypeError);
});

test('the pixels do not outlive the frame, not even when the model fails', async () => {
  let tensor: Float32Array = new Float32Array(0);
  const failing = fakeModel(detectionEntry, (input) => {
    tensor = input;
    expect(input.some((value) => value === 128)).toBe(true);
    throw new Error('out of memory');
  });
  await expect(createDetector(failing, scriptKernels()).detect(frame)).rejects.toThrow('memory');
  expect(tensor.length).toBe(3 * 320 * 256);
  expect(tensor.every((value) => value === 0)).toBe(true);
});

test.each([
  ['VGA', 640, 480, 320, 256],
  ['720p', 1280, 720, 320, 192],
  ['portrait', 480, 640, 256, 320],
  ['a small picture is not enlarged', 250, 250, 256, 256],
  ['the smallest', 16, 16, 32, 32],
])('a model of free size sees %s %i x %i as %i x %i', (_, width, height, wide, high) => {
  expect(tensorSize(detectionEntry, { width, height }, 320)).toEqual({ width: wide, height: high });
});

test('a model of fixed size keeps its own', () => {
  const input = { ...detectionEntry.input, shape: [1, 3, 640, 320] };
  const fixed: DetectionEntry = { ...detectionEntry, input };
  expect(tensorSize(fixed, frame, 320)).toEqual({ width: 320, height: 640 });
});

describe.skipIf(!sharedModels || !sharedFaces)('the real detector at 320', () => {
  let detector: Detector;
  beforeAll(async () => {
    detector = createDetector(await openReal('detection', 'yunet-n-dynamic'), scriptKernels());
  });

  test('finds at least 45 of the 46 labelled faces and nothing in the picture without one', async () => {
    let found = 0;
    let labelled = 0;
    for (const { file, noses } of annotations()) {
      // The labels are in pixels of the full size.
      const { size, frame } = await shrunk(`multi/${file}`);
      const scale = frame.width / size;
      const faces = await detector.detect(frame);
      const hits = noses.filter(([x, y]) =>
        faces.some(
          ({ box }) =>
            x * scale >= box.x &&
            x * scale <= box.x + box.width &&
            y * scale >= box.y &&
            y * scale <= box.y + box.height,
        ),
      );
      if (noses.length === 0) expect(faces).toEqual([]);
      found += hits.length;
      labelled += noses.length;
    }
    expect(labelled).toBe(46);
    expect(found).toBeGreaterThanOrEqual(45);
  });

  test('finds nobody in a cat, a cup and a rocket', async () => {
    for (const file of ['chelsea.png', 'coffee.png', 'rocket.jpg']) {
      expect(await detector.detect(await readReal(`nonface/${file}`))).toEqual([]);
    }
  });
});

type Annotation = { readonly file: string; readonly noses: readonly (readonly [number, number])[] };

function annotations(): readonly Annotation[] {
  const text = readFileSync(join(sharedFaces ?? '', 'multi/annotations.json'), 'utf8');
  const parsed: { readonly images: readonly Annotation[] } = JSON.parse(text);
  return parsed.images;
}

/** The picture at a camera's size, and its full width. */
async function shrunk(file: string) {
  const { default: sharp } = await import('sharp');
  const { width } = await sharp(join(sharedFaces ?? '', file)).metadata();
  return { size: width, frame: await readReal(file, 1280) };
}
