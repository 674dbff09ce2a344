/** Builds every part from the others and from the outside, in the order in which they need each other. */
import type { Config } from './config.ts';
import { AgentError } from './errors.ts';
import type { Gallery } from './gallery/gallery.ts';
import { type LoadedGallery, loadGallery } from './gallery/gallery-loading.ts';
import { type Candidate, search } from './gallery/search.ts';
import { systemClock } from './io/clock.ts';
import { developmentModels } from './io/demo-material.ts';
import { layoutOf } from './io/environment.ts';
import { type PumpCounters, pumpFrames, type SourceLost } from './io/frame-pump.ts';
import { openGalleryStore } from './io/gallery-store.ts';
import { type KeySource, loadRootKey } from './io/key-file.ts';
import type { Log, LogFields } from './io/log.ts';
import { loadManifest } from './io/manifest.ts';
import { createModelFiles, type ModelFiles } from './io/model-files.ts';
import { loadKernels } from './io/native.ts';
import { moduleBeside, startRecognitionThread } from './io/recognition-thread.ts';
import { superviseRecognition } from './io/supervised-recognition.ts';
import type { Clock, EmbeddingEntry, FrameSource, GalleryStore, Kernels } from './ports.ts';
import type { RecognitionEvent } from './recognition/event.ts';
import { createFacePipeline, type FacePipeline } from './recognition/face-pipeline.ts';
import { createRecognizer, type Recognizer } from './recognition/recognizer.ts';
import { createTrack, defaultTrackSettings } from './recognition/track.ts';
import { createProtector, type Protector } from './template/protect.ts';
import type { Probe } from './template/template.ts';
import { defaultDetectionSettings } from './vision/detection.ts';
import { createMotionGate } from './vision/motion.ts';
import { doorLimits, enrolmentLimits, type QualityLimits } from './vision/quality-limits.ts';

/** Where the agent lives and what it was told. */
export type Place = { readonly dataDir: string; readonly config: Config };

/** The version of the templates' key. A higher one makes new templates (`gallery renew`). */
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

/** The models that the settings ask for. */
export function modelNamesOf(config: Config): string[] {
  const quality = config['models.quality'];
  return [
    config['models.detection'],
    config['models.embedding'],
    ...config['models.pad'],
    ...(quality === null ? [] : [quality]),
  ];
}

/** @throws MODEL_MISSING MODEL_CORRUPT MODEL_MISMATCH MODEL_UNKNOWN */
export async function openVision(place: Place): Promise<Vision> {
  const { config } = place;
  const { kernels } = loadKernels();
  const files = modelFilesOf(place);
  for (const name of modelNamesOf(config)) await prepared(files, name);
  const threads = { threads: config['inference.threads'] };
  const quality = config['models.quality'];
  const models = {
    detection: await files.open(config['models.detection'], 'detection', threads),
    embedding: await files.open(config['models.embedding'], 'embedding', threads),
    pad: await Promise.all(config['models.pad'].map((name) => files.open(name, 'pad', threads))),
    quality: quality === null ? undefined : await files.open(quality, 'quality', threads),
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

/** The residents of this device, and the key their templates were made with. */
export type Residents = {
  readonly store: GalleryStore;
  readonly protector: Protector;
  /** As the store is now: read again when any process has changed it. */
  gallery(): Gallery;
  loaded(): LoadedGallery;
  search(probe: Probe): Candidate[];
  close(): void;
};

/** @throws STORE_… KEY_INVALID */
export async function openResidents(place: Place, vision: Vision): Promise<Residents> {
  const { entry, kernels } = vision;
  const store = openStore(place);
  const key = await loadRootKey(keySourceOf(place, store));
  const protector = createProtector({
    rootKey: key.bytes,
    modelSha256: entry.sha256,
    version: templateVersion,
    dimensions: entry.dimensions,
    kernels,
  });
  key.wipe();
  let revision = store.revision();
  let loaded = loadGallery(store, protector);
  const current = () => {
    const now = store.revision();
    if (now !== revision) {
      loaded.gallery.clear();
      loaded = loadGallery(store, protector);
      revision = now;
    }
    return loaded;
  };
  return {
    store,
    protector,
    gallery: () => current().gallery,
    loaded: current,
    search: (probe) => search(current().gallery, probe, kernels),
    close() {
      loaded.gallery.clear();
      protector.wipe();
      store.close();
    },
  };
}

/** Where nothing can be written, who is enrolled can still be let in. */
export function openStore({ dataDir }: Pick<Place, 'dataDir'>): GalleryStore {
  const file = layoutOf(dataDir).gallery;
  try {
    return openGalleryStore({ file });
  } catch (fault) {
    if (!(fault instanceof AgentError && fault.code === 'STORE_READ_ONLY')) throw fault;
    return openGalleryStore({ file, readOnly: true });
  }
}

function keySourceOf({ dataDir, config }: Place, store: GalleryStore): KeySource {
  const [program, ...args] = config['key.command'];
  if (program !== undefined) return { command: [program, ...args] };
  const mayCreate = store.countTemplates().length === 0;
  return { file: layoutOf(dataDir).rootKey, mayCreate };
}

/** What a decision takes, from the settings or, unless they say otherwise, from the recogniser's entry. */
export function decisionOf(config: Config, entry: EmbeddingEntry) {
  return {
    threshold: config['match.threshold'] ?? entry.threshold,
    margin: config['match.margin'] ?? entry.margin,
  };
}

/** 'visits': frames of a camera, one event per visitor. 'pictures': each one an attempt, everybody in it. */
export function buildRecognizer(
  { config }: Place,
  vision: Vision,
  residents: Residents,
  clock: Clock,
  of: 'visits' | 'pictures',
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
    protector: residents.protector,
    search: residents.search,
    decision,
    clock,
    faces: visits ? config['detection.faces'] : 'all',
    maxAgeMs: visits ? config['freshness.maxAgeMs'] : Number.MAX_SAFE_INTEGER,
    track: visits ? createTrack(track) : undefined,
  });
}

export type DoorOutput = {
  readonly onEvent: (event: RecognitionEvent | SourceLost) => void;
  readonly log: Log;
};

/**
 * The door at work until its source ends: frames from the source, recognition in a thread of its own,
 * events out. Returns the counters. @throws SOURCE_LOST, and what keeps the thread from opening
 */
export async function runDoor(
  place: Place,
  source: FrameSource,
  maxFrameBytes: number,
  { onEvent, log }: DoorOutput,
): Promise<PumpCounters> {
  const { config } = place;
  const thread = superviseRecognition<RecognitionEvent>({
    clock: systemClock,
    start: () =>
      startRecognitionThread({
        workerUrl: moduleBeside(import.meta.url, './worker'),
        workerData: place,
        maxFrameBytes,
      }),
    onRestart: ({ attempt, error }) =>
      log.error('recognition-restarted', { attempt, code: error.code }),
  });
  const motion = createMotionGate({
    threshold: config['motion.threshold'],
    // The last word on a visitor who left comes with a later frame: one must be looked at.
    holdMs: Math.max(config['motion.holdMs'], 2 * config['track.gapMs']),
  });
  try {
    await thread.ready;
    log.info('agent-started');
    const pump = pumpFrames<RecognitionEvent>({
      source,
      opensFor: (frame) => !config['motion.enabled'] || motion.opensFor(frame),
      recognise: (frame) => thread.recognise(frame),
      onRest: () => thread.forget(),
      onEvent: (event) => {
        if ('capturedAtMs' in event) motion.keepOpen(event.capturedAtMs);
        onEvent(event);
      },
      onError: (error) => log.error('recognition-failed', codeOf(error)),
    });
    const failed = thread.exited.then(async (error) => {
      await source.close();
      if (error) throw error;
    });
    await Promise.race([pump.done, failed]);
    const counters = pump.counters();
    log.info('agent-stopped', counters);
    return counters;
  } finally {
    motion.wipe();
    await source.close();
    await thread.close();
  }
}

function codeOf(error: unknown): LogFields {
  return { code: error instanceof AgentError ? error.code : 'INTERNAL' };
}
