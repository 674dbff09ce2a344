/** Who is enrolled, in memory and searchable: the templates of every live generation, and the keys to them. */
import { decisionOf, modelFilesOf, type Place, type Vision } from './agent.ts';
import { AgentError } from './errors.ts';
import { afterDailyRound } from './gallery/coverage.ts';
import { isLive, settledOn } from './gallery/generation.ts';
import { openGenerationSet } from './gallery/generation-set.ts';
import { presetGraceDays } from './gallery/grace.ts';
import { probesFor, searchGenerations } from './gallery/open-generation.ts';
import type { Candidate } from './gallery/search.ts';
import { createTemplateRenewal, type TemplateRenewal } from './gallery/template-renewal.ts';
import { loadManifest } from './io/models/manifest.ts';
import { randomId } from './io/process/chance.ts';
import type { Timers } from './io/process/clock.ts';
import { layoutOf } from './io/process/environment.ts';
import { secureMemory, wipe } from './io/process/secure-memory.ts';
import { openGalleryStore } from './io/store/gallery-store.ts';
import { type KeySource, loadRootKey } from './io/store/key-file.ts';
import type { Clock, EmbeddingEntry, GalleryStore, Generation } from './ports.ts';
import { createFaceEncoder, type FaceEncoder } from './recognition/face-encoder.ts';
import { createProtector, type Protector } from './template/protect.ts';
import type { Embedding, Probe } from './template/template.ts';
import { unwrapKey } from './template/wrapped-key.ts';
import type { Face } from './vision/face.ts';
import type { Frame } from './vision/frame.ts';

export type Residents = {
  readonly store: GalleryStore;
  /** Makes new templates. */
  readonly protector: Protector;
  /** The face by recognisers that some templates still are of; undefined: there are none such. */
  readonly embedEarlier: ((frame: Frame, face: Face) => Promise<Embedding[]>) | undefined;
  /** One for each generation, of the store as it is now. They hold until the next call or `forget`. */
  probe(embedding: Embedding, earlier: readonly Embedding[]): readonly (Probe | undefined)[];
  forget(): void;
  search(probes: readonly (Probe | undefined)[]): Candidate[];
  /** Has a template that is compared with. */
  isEnrolled(residentId: string): boolean;
  /** New templates from confirmed matches; undefined where this is not the door at work. */
  readonly renewal: TemplateRenewal | undefined;
  close(): Promise<void>;
};

/** What the door at work has that a command does not. */
export type AtWork = { readonly clock: Pick<Clock, 'wallMs'>; readonly timers: Timers };

type Recogniser = {
  readonly entry: EmbeddingEntry;
  /** Undefined: the one in use, whose embeddings come from the pipeline. */
  readonly encoder?: FaceEncoder;
  close?(): Promise<void>;
};

const roundEveryMs = 3_600_000;
/** The event is long out by then, and the next frame not yet examined or late by one write. */
const storeAfterMs = 200;

/** `door`: generations begin, are renewed and end here. @throws STORE_… KEY_INVALID MODEL_… */
export async function openResidents(
  place: Place,
  vision: Vision,
  door?: AtWork,
): Promise<Residents> {
  const { entry, kernels } = vision;
  const store = openStore(place);
  if (door) tolerant(() => settle(store, entry, door));
  const recognisers = await openRecognisers(place, vision, store);
  const { threshold } = decisionOf(place.config, entry);
  const shiftOf = (other: EmbeddingEntry) => (other === entry ? 0 : threshold - other.threshold);
  const set = await openGenerationSet({
    store,
    modelSha256: entry.sha256,
    scoreShifts: new Map([...recognisers].map(([sha256, each]) => [sha256, shiftOf(each.entry)])),
    openKeys: async (generations) => {
      const key = await loadRootKey(keySourceOf(place, store));
      try {
        return generations.map((each) => protectorOf(key.bytes, each, recognisers, vision));
      } finally {
        key.wipe();
      }
    },
  });
  const alarms = door && createAlarms(door.timers);
  const renewal =
    door &&
    createTemplateRenewal({
      store,
      open: () => set.open,
      wallMs: door.clock.wallMs,
      newRowId: randomId,
      later: (flush) => alarms?.after(storeAfterMs, flush),
      onStored: set.added,
      nameFault: (fault) => (fault instanceof AgentError ? fault.code : 'INTERNAL'),
    });
  if (door) alarms?.every(roundEveryMs, () => tolerant(() => makeRound(store, door)));
  const encoders = [...recognisers.values()].flatMap(({ encoder }) => encoder ?? []);
  return {
    store,
    get protector() {
      const target = set.open.find(({ isRetiring }) => !isRetiring);
      if (!target) throw new AgentError('GENERATION_ENDED', 'the templates were just revoked');
      return target.protector;
    },
    embedEarlier: encoders.length === 0 ? undefined : (frame, face) => embed(encoders, frame, face),
    probe: (embedding, earlier) => probesFor(set.current(), [embedding, ...earlier]),
    forget: () => {
      for (const { protector } of set.open) protector.forget();
    },
    search: (probes) => searchGenerations(set.open, probes, kernels),
    isEnrolled: (residentId) => set.open.some(({ gallery }) => gallery.rowsOf(residentId) > 0),
    renewal,
    async close() {
      alarms?.cancel();
      renewal?.flush();
      set.wipe();
      store.close();
      for (const { close } of recognisers.values()) await close?.();
    },
  };
}

/** What must not keep the door from opening: a full or read-only volume. */
function tolerant(work: () => void): void {
  try {
    work();
  } catch (fault) {
    const isVolume = fault instanceof AgentError && fault.code !== 'STORE_CORRUPT';
    if (!isVolume || !fault.code.startsWith('STORE_')) throw fault;
  }
}

function settle(store: GalleryStore, entry: EmbeddingEntry, door: AtWork): void {
  const wallMs = door.clock.wallMs();
  store.updateGenerations((all) => settledOn(all, entry.sha256, wallMs, presetGraceDays));
  makeRound(store, door);
}

function makeRound(store: GalleryStore, { clock }: AtWork): void {
  if (!store.generations().some(({ retirement }) => retirement)) return;
  const wallMs = clock.wallMs();
  store.updateGenerations((all) => afterDailyRound(all, store.templateCounts(), wallMs));
}

/** By the SHA-256 of the model: the one in use, and those that live templates are of and whose files are here. */
async function openRecognisers(
  place: Place,
  { entry, kernels }: Vision,
  store: GalleryStore,
): Promise<Map<string, Recogniser>> {
  const recognisers = new Map<string, Recogniser>([[entry.sha256, { entry }]]);
  const counts = store.countTemplates();
  const files = modelFilesOf(place);
  const { entries } = loadManifest(layoutOf(place.dataDir).models);
  for (const { modelSha256 } of store.generations().filter(isLive)) {
    const isUsed = counts.some((count) => count.modelSha256 === modelSha256);
    const earlier = entries.find(({ sha256 }) => sha256 === modelSha256);
    if (recognisers.has(modelSha256) || !isUsed || earlier?.task !== 'embedding') continue;
    try {
      const threads = { threads: place.config['inference.threads'] };
      const model = await files.open(earlier.name, 'embedding', threads);
      const encoder = createFaceEncoder(model, kernels);
      recognisers.set(modelSha256, { entry: model.entry, encoder, close: model.close });
    } catch (fault) {
      // `gallery status` names the generations whose recogniser is not here.
      if (!(fault instanceof AgentError && fault.code.startsWith('MODEL_'))) throw fault;
    }
  }
  return recognisers;
}

async function embed(
  encoders: readonly FaceEncoder[],
  frame: Frame,
  face: Face,
): Promise<Embedding[]> {
  const embeddings: Embedding[] = [];
  for (const { encode } of encoders) {
    const embedding = await encode(frame, face, () => {});
    if (embedding) embeddings.push(embedding);
  }
  return embeddings;
}

/** Undefined: the key of another device's templates does not open here. */
function protectorOf(
  rootKey: Uint8Array,
  generation: Generation,
  recognisers: ReadonlyMap<string, Recogniser>,
  { kernels }: Vision,
): Protector | undefined {
  const { modelSha256, version, wrappedKey } = generation;
  const { dimensions } = recognisers.get(modelSha256)?.entry ?? {};
  if (dimensions === undefined) return undefined;
  const matchKey = wrappedKey ? unwrapKey(rootKey, wrappedKey, generation) : undefined;
  if (wrappedKey && !matchKey) return undefined;
  const scope = { modelSha256, version, dimensions, kernels };
  const protector = createProtector({ rootKey, matchKey, ...scope, allocate: secureMemory });
  if (matchKey) wipe(matchKey);
  return protector;
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

export function keySourceOf({ dataDir, config }: Place, store: GalleryStore): KeySource {
  const [program, ...args] = config['key.command'];
  if (program !== undefined) return { command: [program, ...args] };
  const mayCreate = store.countTemplates().length === 0;
  return { file: layoutOf(dataDir).rootKey, mayCreate };
}

/** Timers that end together. */
function createAlarms(timers: Timers) {
  const cancels = new Set<() => void>();
  const after = (delayMs: number, run: () => void) => {
    const cancel = timers.after(delayMs, () => {
      cancels.delete(cancel);
      run();
    });
    cancels.add(cancel);
  };
  const every = (periodMs: number, run: () => void) =>
    after(periodMs, () => {
      run();
      every(periodMs, run);
    });
  const cancel = () => {
    for (const each of cancels) each();
    cancels.clear();
  };
  return { after, every, cancel };
}
