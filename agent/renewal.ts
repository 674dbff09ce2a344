/** What `doorkeep gallery` does to the templates as a whole: renew, look at, revoke. No model is loaded for it. */
import { decisionOf, type Place } from './agent.ts';
import { AgentError } from './errors.ts';
import { type Coverage, coverageOf } from './gallery/coverage.ts';
import { loadGallery } from './gallery/gallery-loading.ts';
import {
  beginRenewal,
  currentGeneration,
  isLive,
  settledOn,
  withEnded,
} from './gallery/generation.ts';
import { graceEndsAt, presetGraceDays } from './gallery/grace.ts';
import { closestResidents, type LookAlikes } from './gallery/look-alikes.ts';
import { destroyKeyFile } from './io/files/key-destruction.ts';
import { loadManifest } from './io/models/manifest.ts';
import { chooseModels } from './io/models/model-choice.ts';
import { layoutOf } from './io/process/environment.ts';
import { loadKernels } from './io/process/native.ts';
import { secureMemory } from './io/process/secure-memory.ts';
import { loadRootKey } from './io/store/key-file.ts';
import type { EmbeddingEntry, GalleryStore, Generation, ModelEntry } from './ports.ts';
import { keySourceOf, openStore } from './residents.ts';
import { createSealer } from './template/sealer.ts';

export type RenewalOrder = {
  readonly graceDays: number;
  /** Ends the renewal that is under way, or, where none is, every template there is. */
  readonly now: boolean;
  /** Residents may be left without templates. */
  readonly mayLeave: boolean;
};

export type RenewalResult = Coverage & {
  readonly kind: 'begun' | 'ended';
  readonly version: number;
  /** Of the older templates, not before; null: they are gone, or there were none. */
  readonly graceEndsAt: number | null;
  /** Erased templates are overwritten on the disk; false: when other readers of it close. */
  readonly overwritten: boolean;
};

/** In one transaction, or not at all. @throws RENEWAL_REFUSED CONFIRMATION_NEEDED MODEL_UNKNOWN STORE_… */
export function renewGallery(place: Place, order: RenewalOrder, wallMs: number): RenewalResult {
  const { sha256 } = recogniserOf(place);
  const store = openStore(place);
  try {
    store.updateGenerations((all) => {
      if (!order.now) return beginRenewal(all, sha256, wallMs, order.graceDays);
      const settled = settledOn(all, sha256, wallMs, order.graceDays);
      const isUnderWay = settled.some(({ retirement }) => retirement);
      const begun = isUnderWay ? settled : beginRenewal(settled, sha256, wallMs, order.graceDays);
      checkNobodyLeft(store, begun, order);
      return withEnded(begun, ({ retirement }) => retirement !== null, wallMs);
    });
    const all = store.generations();
    const retiring = all.find(({ retirement }) => retirement)?.retirement;
    return {
      ...coverageOf(all, store.residents(), store.templateCounts()),
      kind: order.now ? 'ended' : 'begun',
      version: currentGeneration(all, sha256, wallMs).version,
      graceEndsAt: retiring ? graceEndsAt(retiring) : null,
      overwritten: store.scrub(),
    };
  } finally {
    store.close();
  }
}

function checkNobodyLeft(
  store: GalleryStore,
  generations: readonly Generation[],
  { mayLeave }: RenewalOrder,
): void {
  const residents = store.residents();
  const { left } = coverageOf(generations, residents, store.templateCounts());
  if (left.length === 0 || mayLeave) return;
  throw new AgentError(
    'CONFIRMATION_NEEDED',
    `${left.length} of ${residents.length} residents would be left without a template and must be enrolled again`,
  );
}

export type GalleryStatus = Coverage & {
  readonly residents: number;
  /** The recogniser in use. */
  readonly model: string;
  /** The live ones. */
  readonly generations: readonly GenerationStatus[];
  /** Of the generations of the recogniser in use. */
  readonly lookAlikes: LookAlikes & { readonly isWarning: boolean };
};

export type GenerationStatus = {
  /** Its name in the manifest, else the beginning of its SHA-256. */
  readonly model: string;
  readonly version: number;
  readonly state: 'current' | 'retiring';
  readonly from: 'this device' | 'a backup';
  readonly startedAt: number;
  readonly templates: number;
  readonly residents: number;
  /** Rows that do not open here: damaged, or of another device. */
  readonly refusedRowIds: readonly string[];
  readonly graceEndsAt: number | null;
  readonly daysSeen: number | null;
  readonly graceDays: number | null;
};

/** A resemblance this far below the threshold is worth a warning: as at enrolment. */
const lookAlikeGuard = 0.05;

/** Changes nothing. @throws STORE_… KEY_INVALID MODEL_UNKNOWN */
export async function galleryStatus(place: Place): Promise<GalleryStatus> {
  const entry = recogniserOf(place);
  const { entries } = loadManifest(layoutOf(place.dataDir).models);
  const store = openStore(place);
  try {
    const all = store.generations();
    const counts = store.templateCounts();
    const residents = store.residents();
    const live = all.filter(isLive);
    const opened = counts.length === 0 ? [] : await openAll(place, store, live);
    const current = currentGeneration(all, entry.sha256, 0);
    const generations = live.map((generation): GenerationStatus => {
      const { modelSha256, version, startedAt, wrappedKey, retirement } = generation;
      const own = counts.filter((each) => nameOf(each) === nameOf(generation));
      const isCurrent = nameOf(generation) === nameOf(current);
      return {
        model: modelName(entries, modelSha256),
        version,
        state: isCurrent ? 'current' : 'retiring',
        from: wrappedKey ? 'a backup' : 'this device',
        startedAt,
        templates: own.reduce((sum, each) => sum + each.templates, 0),
        residents: own.length,
        refusedRowIds: opened.find(({ name }) => name === nameOf(generation))?.refused ?? [],
        graceEndsAt: retirement && graceEndsAt(retirement),
        daysSeen: retirement?.daysSeen ?? null,
        graceDays: retirement?.graceDays ?? null,
      };
    });
    const found = opened.filter(({ model }) => model === entry.sha256).map((each) => each.closest);
    const { threshold } = decisionOf(place.config, entry);
    // As the door sees it once it works with this recogniser, if it does not yet.
    const settled = settledOn(all, entry.sha256, 0, presetGraceDays);
    return {
      ...coverageOf(settled, residents, counts),
      residents: residents.length,
      model: entry.name,
      generations,
      lookAlikes: worst(found, threshold),
    };
  } finally {
    store.close();
  }
}

type Opened = {
  readonly name: string;
  readonly model: string;
  readonly refused: readonly string[];
  readonly closest: LookAlikes;
};

/** Each generation for itself: codes of two of them cannot be compared. */
async function openAll(
  place: Place,
  store: GalleryStore,
  live: readonly Generation[],
): Promise<Opened[]> {
  const { kernels } = loadKernels();
  const key = await loadRootKey(keySourceOf(place, store));
  try {
    return live.map((generation) => {
      const sealer = createSealer(key.bytes, generation, secureMemory);
      const { gallery, refusedRowIds } = loadGallery(store, sealer);
      const closest = closestResidents(gallery, kernels);
      gallery.clear();
      sealer.wipe();
      const model = generation.modelSha256;
      return { name: nameOf(generation), model, refused: refusedRowIds, closest };
    });
  } finally {
    key.wipe();
  }
}

function worst(
  found: readonly LookAlikes[],
  threshold: number,
): LookAlikes & { readonly isWarning: boolean } {
  const pairs = found.flatMap((each) => (each.kind === 'found' ? [each] : []));
  const [closest] = pairs.toSorted((a, b) => b.score - a.score);
  const tooMany = found.find(({ kind }) => kind === 'too-many');
  if (tooMany) return { ...tooMany, isWarning: false };
  if (!closest) return { kind: 'none', isWarning: false };
  return { ...closest, isWarning: closest.score >= threshold - lookAlikeGuard };
}

export type Revocation = {
  /** 'elsewhere': `key.command` brings it, and only its maker can destroy it. */
  readonly key: 'destroyed' | 'absent' | 'elsewhere';
  readonly residents: number;
  readonly overwritten: boolean;
};

/**
 * The key first: with it every template is dead, whatever happens to the rest, and what was interrupted can be
 * asked for again. Then everything that was stored under it. @throws STORE_…
 */
export function revokeGallery(place: Place, wallMs: number): Revocation {
  const { dataDir, config } = place;
  const isElsewhere = config['key.command'].length > 0;
  const isDestroyed = !isElsewhere && destroyKeyFile(layoutOf(dataDir).rootKey);
  const store = openStore(place);
  try {
    const residents = store.eraseAll(wallMs);
    const key = isElsewhere ? 'elsewhere' : isDestroyed ? 'destroyed' : 'absent';
    return { key, residents, overwritten: store.scrub() };
  } finally {
    store.close();
  }
}

/** The entry of the recogniser that is used. */
export function recogniserOf({ dataDir, config }: Place): EmbeddingEntry {
  const { entries } = loadManifest(layoutOf(dataDir).models);
  const { name } = chooseModels(config, entries).embedding;
  const entry = entries.find((each) => each.name === name);
  if (!entry) throw new AgentError('MODEL_UNKNOWN', `no model is named ${name}`);
  if (entry.task === 'embedding') return entry;
  throw new AgentError('MODEL_MISMATCH', `model ${name} is for ${entry.task}, not for embedding`);
}

function modelName(entries: readonly ModelEntry[], sha256: string): string {
  return entries.find((each) => each.sha256 === sha256)?.name ?? sha256.slice(0, 12);
}

function nameOf(named: { readonly modelSha256: string; readonly version: number }): string {
  return `${named.modelSha256}/${named.version}`;
}
