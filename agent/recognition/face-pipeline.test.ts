import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { EmbeddingEntry, Model } from '../ports.ts';
import { scriptKernels, texturedFrame } from '../test/fakes/fake-frame.ts';
import {
  embeddingEntry,
  fakeDetector,
  fakeModel,
  frontalFace,
  padEntry,
} from '../test/fakes/fake-model.ts';
import { openReal, readReal } from '../test/fakes/real-material.ts';
import { sharedFaces, sharedModels } from '../test/fakes/shared-material.ts';
import { defaultDetectionSettings } from '../vision/detection.ts';
import type { Box, Face, Point } from '../vision/face.ts';
import { doorLimits } from '../vision/quality-limits.ts';
import { iou } from '../vision/suppression.ts';
import { createFacePipeline, type FacePipeline } from './face-pipeline.ts';

const frame = texturedFrame(320, 240);

/** Reads its input only after others have had their turn, as a real inference does. */
const slowEmbedder: Model<EmbeddingEntry> = {
  entry: embeddingEntry,
  run: async (input) => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    return { embedding: input.slice(6000, 6004) };
  },
  close: async () => {},
};

function fakePipeline() {
  const pad = fakeModel(padEntry, () => ({ output: Float32Array.of(0, 5, 0) }));
  const pipeline = createFacePipeline({
    models: {
      detection: fakeDetector(() => [frontalFace(160, 120)]),
      embedding: slowEmbedder,
      pad: [pad],
    },
    kernels: scriptKernels(),
    detection: defaultDetectionSettings,
    limits: doorLimits,
  });
  return { pipeline, pad };
}

test('every stage is timed, in the order of the path', async () => {
  const { pipeline } = fakePipeline();
  const laps: string[] = [];
  const lap = (stage: string) => laps.push(stage);
  const faces = await pipeline.locate(frame, lap);
  const [face] = faces;
  if (!face) throw new Error('the fake face was not found');
  await pipeline.examine(frame, face, faces, lap);
  await pipeline.embed(frame, face, lap);
  expect(laps).toEqual(['detect', 'quality', 'pad', 'align', 'embed']);
});

test('a face that is refused for its quality is not checked for an attack', async () => {
  const { pipeline, pad } = fakePipeline();
  const small = frontalFace(160, 120, 8);
  const { quality, pad: outcome } = await pipeline.examine(frame, small, [small]);
  expect(quality.reasons).toContain('TOO_SMALL');
  expect(outcome).toEqual({ kind: 'not-checked' });
  expect(pad.runs).toEqual([]);
});

test('calls that overlap do not mix their faces', async () => {
  const faces = [80, 160, 240].map((x) => frontalFace(x, 120, 30));
  const { pipeline } = fakePipeline();
  const alone = [];
  for (const face of faces) alone.push(await pipeline.embed(frame, face));
  const together = await Promise.all(faces.map((face) => pipeline.embed(frame, face)));
  expect(together).toEqual(alone);
  expect(alone[0]).not.toEqual(alone[1]);
});

test('a failure stops nobody else', async () => {
  const { pipeline } = fakePipeline();
  const broken = pipeline.locate({ ...frame, data: new Uint8Array(5) });
  const sound = pipeline.locate(frame);
  await expect(broken).rejects.toThrow(TypeError);
  expect(await sound).toHaveLength(1);
});

/** Made by another implementation, in another language, from the same weights. */
type Golden = {
  readonly images: readonly {
    readonly file: string;
    readonly w: number;
    readonly h: number;
    readonly n: number;
    readonly score: number;
    readonly box: readonly [number, number, number, number];
    readonly landmarks: readonly Point[];
    readonly embedding_head: readonly number[];
  }[];
  readonly cosine: { readonly matrix: readonly (readonly number[])[] };
};

describe.skipIf(!sharedModels || !sharedFaces)('golden faces with real weights', () => {
  const { images, cosine } = readGolden();
  const results: { face: Face; count: number; width: number; values: Float32Array }[] = [];

  beforeAll(async () => {
    const pipeline = await realPipeline();
    for (const { file } of images) {
      const picture = await readReal(file, 640);
      const faces = await pipeline.locate(picture);
      const [face] = faces;
      if (!face) throw new Error(`no face in ${file}`);
      const embedding = await pipeline.embed(picture, face);
      if (!embedding) throw new Error(`no embedding of ${file}`);
      const { values } = embedding;
      results.push({ face, count: faces.length, width: picture.width, values });
    }
  });

  test.each(images.map((image, i) => [image.file, i] as const))('%s', (_, i) => {
    const golden = images[i];
    const found = results[i];
    if (!golden || !found) throw new Error('nothing was measured');
    expect(found.width).toBe(golden.w);
    expect(found.count).toBe(golden.n);
    expect(found.face.score).toBeCloseTo(golden.score, 1);
    const [x, y, width, height] = golden.box;
    const box: Box = { x, y, width, height };
    expect(iou(found.face.box, box)).toBeGreaterThan(0.95);
    for (const [n, [px, py]] of golden.landmarks.entries()) {
      const [fx, fy] = found.face.landmarks[n] ?? [0, 0];
      expect(Math.hypot(fx - px, fy - py)).toBeLessThan(1.5);
    }
    const head = golden.embedding_head;
    expect(dot(found.values.subarray(0, head.length), head)).toBeGreaterThan(
      0.99 * norm(head) * norm(found.values.subarray(0, head.length)),
    );
  });

  test('everybody is as far from everybody as in the golden table', () => {
    const worst = results.map(({ values }, i) =>
      results.map(({ values: other }, j) =>
        Math.abs(dot(values, other) - (cosine.matrix[i]?.[j] ?? Number.NaN)),
      ),
    );
    expect(worst.flat()).toHaveLength(14 * 14);
    expect(Math.max(...worst.flat())).toBeLessThan(0.02);
  });
});

async function realPipeline(): Promise<FacePipeline> {
  return createFacePipeline({
    models: {
      detection: await openReal('detection', 'yunet-n-dynamic'),
      embedding: await openReal('embedding', 'face-reidentification-retail-0095'),
      pad: [],
    },
    kernels: scriptKernels(),
    // The golden values were taken at this size.
    detection: { ...defaultDetectionSettings, inputWidth: 640 },
    limits: doorLimits,
  });
}

function readGolden(): Golden {
  if (!sharedModels) return { images: [], cosine: { matrix: [] } };
  return JSON.parse(readFileSync(join(sharedModels, 'golden.json'), 'utf8'));
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a, (value, i) => value * (b[i] ?? Number.NaN)).reduce((x, y) => x + y, 0);
}

function norm(a: ArrayLike<number>): number {
  return Math.sqrt(dot(a, a));
}
