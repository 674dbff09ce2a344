import type { Candidate } from '../../gallery/search.ts';
import { createFacePipeline } from '../../recognition/face-pipeline.ts';
import { createRecognizer, type RecognizerParts } from '../../recognition/recognizer.ts';
import { defaultDetectionSettings } from '../../vision/detection.ts';
import type { Face } from '../../vision/face.ts';
import { doorLimits } from '../../vision/quality-limits.ts';
import { scriptKernels, texturedFrame } from './fake-frame.ts';
import { embeddingEntry, fakeDetector, fakeModel, frontalFace, padEntry } from './fake-model.ts';
import { createManualTime } from './manual-time.ts';

export type Scene = {
  faces?: readonly Face[];
  candidates?: readonly Candidate[];
  embedding?: readonly number[];
  /** Logit of the bona fide class; undefined: no model for attacks. */
  alive?: number;
  /** How long the detector takes, and the model of embeddings. */
  detectionMs?: number;
  inferenceMs?: number;
};

export const anna: Candidate = { residentId: 'anna', score: 0.8, distanceBits: 900 };
export const carl: Candidate = { residentId: 'carl', score: 0.3, distanceBits: 1700 };
/** A face that is large enough, in the middle. */
export const visitor = frontalFace(160, 120, 40);

/** A door before which `scene` happens; the scene may be changed between frames. */
export function fakeDoor(scene: Scene, parts: Partial<RecognizerParts> = {}) {
  const time = createManualTime();
  const probes: { given: Float32Array; values: readonly number[] }[] = [];
  let forgotten = 0;
  const embedder = fakeModel(embeddingEntry, () => {
    time.advance(scene.inferenceMs ?? 20);
    return { embedding: Float32Array.from(scene.embedding ?? [0.5, 0.5, 0.5, 0.5]) };
  });
  const detector = fakeDetector(() => {
    time.advance(scene.detectionMs ?? 0);
    return scene.faces ?? [visitor];
  });
  const pad = fakeModel(padEntry, () => ({ output: Float32Array.of(0, scene.alive ?? 0, 0) }));
  const pipeline = createFacePipeline({
    models: {
      detection: detector,
      embedding: embedder,
      pad: scene.alive === undefined ? [] : [pad],
    },
    kernels: scriptKernels(),
    detection: defaultDetectionSettings,
    limits: doorLimits,
  });
  const recognizer = createRecognizer({
    pipeline,
    protector: {
      probe: ({ values, modelSha256 }) => {
        probes.push({ given: values, values: [...values] });
        const code = new Uint8Array(512);
        return { code, modelSha256, version: 1, projections: new Int32Array(4096) };
      },
      forget: () => {
        forgotten++;
      },
    },
    search: () => scene.candidates ?? [anna, carl],
    decision: { threshold: 0.5, margin: 0.05 },
    clock: time.clock,
    faces: 'best',
    maxAgeMs: 1500,
    ...parts,
  });
  const frameNow = () => texturedFrame(320, 240, time.clock.monotonicMs());
  return {
    time,
    probes,
    embedder,
    detector,
    recognizer,
    frameNow,
    look: () => recognizer.recognise(frameNow()),
    forgotten: () => forgotten,
  };
}
