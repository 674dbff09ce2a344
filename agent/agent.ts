/** Builds every part from the others and from the outside, in the order in which they need each other. */
import type { Config } from './config.ts';
import { AgentError } from './errors.ts';
import { developmentModels } from './io/camera/demo-material.ts';
import { loadManifest } from './io/models/manifest.ts';
import { chooseModels, type ModelsInUse, namesOf } from './io/models/model-choice.ts';
import { createModelFiles, type ModelFiles } from './io/models/model-files.ts';
import { layoutOf } from './io/process/environment.ts';
import { loadKernels } from './io/process/native.ts';
import type { Clock, EmbeddingEntry, Kernels } from './ports.ts';
import { createFacePipeline, type FacePipeline } from './recognition/face-pipeline.ts';
import {
  createRecognizer,
  type Recognizer,
  type RecognizerParts,
} from './recognition/recognizer.ts';
import { createTrack, defaultTrackSettings } from './recognition/track.ts';
import type { Residents } from './residents.ts';
import { defaultDetectionSettings } from './vision/detection.ts';
import { doorLimits, enrolmentLimits, type QualityLimits } from './vision/quality-limits.ts';

/** Where the agent lives and what it was told. */
export type Place = { readonly dataDir: string; readonly config: Config };

/** Of templates that are made for one evaluation and kept nowhere; those of residents have their generation's. */
export const templateVersion = 1;

/** Models and kernels: from pixels to embeddings. Knows nobody. */
export type Vision = {
  readonly kernels: Kernels;
  readonly entry: EmbeddingEntry;
  readonly pipeline: FacePipeline;
  /** The same models under the stricter limits of an enrolment photo. */
  readonly enrolmentPipeline: FacePipeline;
  close(): Promise<void>;
};

export function modelFilesOf({ dataDir }: Pick<Place, 'dataDir'>): ModelFiles {
  const dataModelsDir = layoutOf(dataDir).models;
  const { entries } = loadManifest(dataModelsDir);
  const extraDirs = developmentModels === undefined ? [] : [developmentModels];
  return createModelFiles({ dataModelsDir, extraDirs, entries });
}

/** The models that are used here, and why (io/models/model-choice.ts has the rule). @throws MODEL_UNKNOWN */
export function modelsInUse({ dataDir, config }: Place): ModelsInUse {
  return chooseModels(config, loadManifest(layoutOf(dataDir).models).entries);
}

/** Their names. */
export function modelNamesOf(place: Place): string[] {
  return namesOf(modelsInUse(place));
}

/** @throws MODEL_MISSING MODEL_CORRUPT MODEL_MISMATCH MODEL_UNKNOWN */
export async function openVision(place: Place): Promise<Vision> {
  const { config } = place;
  const { kernels } = loadKernels();
  const files = modelFilesOf(place);
  const inUse = modelsInUse(place);
  for (const name of namesOf(inUse)) await prepared(files, name);
  const threads = { threads: config['inference.threads'] };
  const { detection: detector, embedding, pad, quality } = inUse;
  const models = {
    detection: await files.open(detector.name, 'detection', threads),
    embedding: await files.open(embedding.name, 'embedding', threads),
    pad: await Promise.all(pad.map(({ name }) => files.open(name, 'pad', threads))),
    quality: quality && (await files.open(quality.name, 'quality', threads)),
  };
  const detection = {
    ...defaultDetectionSettings,
    inputWidth: config['detection.inputWidth'],
    scoreThreshold: config['detection.scoreThreshold'],
    nmsIou: config['detection.overlap'],
  };
  const pipelineWith = (limits: QualityLimits) =>
    createFacePipeline({
      models,
      kernels,
      detection,
      limits: { ...limits, minEyeDistancePx: config['quality.minEyeDistancePx'] },
    });
  return {
    kernels,
    entry: models.embedding.entry,
    pipeline: pipelineWith(doorLimits),
    enrolmentPipeline: pipelineWith(enrolmentLimits),
    async close() {
      const all = [models.detection, models.embedding, ...models.pad, models.quality];
      await Promise.all(all.map((model) => model?.close()));
    },
  };
}

/** On a data volume that cannot be written the model is loaded as it is, which is slower and no fault. */
async function prepared(files: ModelFiles, name: string): Promise<void> {
  try {
    await files.ensurePrepared(name);
  } catch (fault) {
    if (!(fault instanceof AgentError && fault.code.startsWith('STORE_'))) throw fault;
  }
}

/** What a decision takes, from the settings or, unless they say otherwise, from the recogniser's entry. */
export function decisionOf(config: Config, entry: EmbeddingEntry) {
  return {
    threshold: config['match.threshold'] ?? entry.threshold,
    margin: config['match.margin'] ?? entry.margin,
  };
}

/**
 * 'visits': frames of a camera, one event per visitor. 'pictures': each one an attempt, everybody in it.
 * `onAttempt` hears of every event: see `RecognizerParts`.
 */
export function buildRecognizer(
  { config }: Place,
  vision: Vision,
  residents: Residents,
  clock: Clock,
  of: 'visits' | 'pictures',
  onAttempt?: RecognizerParts['onAttempt'],
): Recognizer {
  const visits = of === 'visits';
  const decision = decisionOf(config, vision.entry);
  const track = {
    ...defaultTrackSettings,
    maxFrames: config['track.frames'],
    gapMs: config['track.gapMs'],
    repeatAfterMs: config['track.repeatAfterMs'],
  };
  return createRecognizer({
    pipeline: vision.pipeline,
    protector: residents,
    search: residents.search,
    embedEarlier: residents.embedEarlier,
    onConfirmedMatch: residents.renewal?.offer,
    onAttempt,
    decision,
    clock,
    faces: visits ? config['detection.faces'] : 'all',
    maxAgeMs: visits ? config['freshness.maxAgeMs'] : Number.MAX_SAFE_INTEGER,
    track: visits ? createTrack(track) : undefined,
  });
}
