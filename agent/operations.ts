/** What commands ask of the parts that agent.ts built: each a whole task, from files or frames to a result. */
import { decisionOf, type Place, templateVersion, type Vision } from './agent.ts';
import { AgentError } from './errors.ts';
import type { Acquire } from './gallery/acquisition.ts';
import { judgeEnrolment, type Refusal } from './gallery/enrolment.ts';
import { readPicture } from './io/camera/image.ts';
import { sha256Of } from './io/models/model-bytes.ts';
import { randomId, randomKey } from './io/process/chance.ts';
import { secureMemory } from './io/process/secure-memory.ts';
import { loadRootKey } from './io/store/key-file.ts';
import type { GalleryStore } from './ports.ts';
import { findInPhotos } from './recognition/photo-findings.ts';
import { centralFace, primaryFace } from './recognition/primary-face.ts';
import { keySourceOf, openStore, type Residents } from './residents.ts';
import { createProtector, type Protector } from './template/protect.ts';
import type { Embedding } from './template/template.ts';
import { tombstoneDigest } from './template/wrapped-key.ts';
import type { Frame } from './vision/frame.ts';

export type Application = {
  readonly id: string;
  readonly label: string | null;
  readonly photos: readonly { readonly frame: Frame; readonly label: string | null }[];
  /** Photos for a resident who is enrolled already. */
  readonly adds: boolean;
};

/** The other resident whom the photos resemble most. */
export type Resemblance = { readonly residentId: string; readonly score: number };

export type EnrolmentResult =
  | { readonly kind: 'enrolled'; readonly templates: number; readonly closest: Resemblance | null }
  | { readonly kind: 'refused'; readonly refusals: readonly Refusal[] };

/** From here on two photos are one picture saved twice; a resident is too similar this far below the threshold. */
const enrolmentRules = { duplicate: 0.97, guard: 0.05 };

/** All photos become templates, or none. @throws SUBJECT_EXISTS SUBJECT_UNKNOWN STORE_… */
export async function enrolResident(
  { config }: Place,
  vision: Vision,
  residents: Residents,
  application: Application,
  wallMs: number,
): Promise<EnrolmentResult> {
  const { id, label, adds } = application;
  const known = residents.store.resident(id);
  if (known && !adds) throw new AgentError('SUBJECT_EXISTS', `${id} is enrolled already`);
  if (!known && adds) throw new AgentError('SUBJECT_UNKNOWN', `nobody is enrolled as ${id}`);
  const photos = application.photos.map(({ frame }) => ({ frame, digest: sha256Of(frame.data) }));
  const { protector, embedEarlier, isEnrolled } = residents;
  const found = await findInPhotos(photos, id, {
    pipeline: vision.enrolmentPipeline,
    protector,
    embedEarlier,
    search: (embedding, earlier) => residents.search(residents.probe(embedding, earlier)),
    isEnrolled,
  });
  const { threshold } = decisionOf(config, vision.entry);
  const verdict = judgeEnrolment(
    found.map(({ finding }) => finding),
    { threshold, ...enrolmentRules },
  );
  if (verdict.kind === 'refused') return { kind: 'refused', refusals: verdict.refusals };
  const rows = found.flatMap(({ template }, index) => {
    if (!template) throw new TypeError('an accepted photo has a template');
    const row = { rowId: randomId(), residentId: id };
    const sealed = protector.seal(template.code, row);
    template.code.fill(0);
    const { modelSha256, version } = template;
    const photoLabel = application.photos[index]?.label ?? null;
    return [{ ...row, label: photoLabel, modelSha256, version, sealed, createdAt: wallMs }];
  });
  residents.store.enrol({ id, label }, rows, wallMs);
  const closest = found.flatMap(({ finding }) => finding.closestOther ?? []);
  closest.sort((a, b) => b.score - a.score);
  return { kind: 'enrolled', templates: rows.length, closest: closest[0] ?? null };
}

export type Erasure = {
  readonly overwritten: boolean;
  /** Null: no backup brings the resident back. Else why that could not be made sure of. */
  readonly noTombstone: string | null;
};

/**
 * The resident, every template, and, in the same transaction, the mark that keeps a backup from bringing them
 * back. Where the root key cannot be had, the right to be erased goes before the mark. @throws SUBJECT_UNKNOWN STORE_…
 */
export async function eraseResident(place: Place, id: string, wallMs: number): Promise<Erasure> {
  const store = openStore(place);
  try {
    if (!store.resident(id)) throw new AgentError('SUBJECT_UNKNOWN', `nobody is enrolled as ${id}`);
    const digest = await tombstoneOf(place, store, id);
    const isMarked = digest instanceof Uint8Array;
    if (!store.erase(id, isMarked ? { digest, erasedAt: wallMs } : undefined)) {
      throw new AgentError('SUBJECT_UNKNOWN', `nobody is enrolled as ${id}`);
    }
    return { overwritten: store.scrub(), noTombstone: isMarked ? null : digest };
  } finally {
    store.close();
  }
}

async function tombstoneOf(
  place: Place,
  store: GalleryStore,
  id: string,
): Promise<Uint8Array | string> {
  try {
    const key = await loadRootKey(keySourceOf(place, store));
    const digest = tombstoneDigest(key.bytes, id);
    key.wipe();
    return digest;
  } catch (fault) {
    if (fault instanceof AgentError && fault.code === 'KEY_INVALID') return fault.message;
    throw fault;
  }
}

export type Comparison = {
  readonly same: boolean;
  readonly score: number;
  readonly threshold: number;
};

/**
 * Verification (1:1) under a key made for this call alone. @throws INPUT_INVALID where a picture does not
 * show one face that can be compared.
 */
export async function compareFaces(
  { config }: Place,
  vision: Vision,
  frames: readonly [Frame, Frame],
): Promise<Comparison> {
  const protector = scratchProtector(vision);
  try {
    const reference = protector.template(await onlyFace(vision, frames[0]));
    const probe = protector.probe(await onlyFace(vision, frames[1]));
    const score = protector.softScore(probe, reference.code);
    const { threshold } = decisionOf(config, vision.entry);
    return { same: score >= threshold, score, threshold };
  } finally {
    protector.wipe();
  }
}

/** Makes templates that nothing else on this device can be compared with. */
export function scratchProtector({ entry, kernels }: Vision): Protector {
  const rootKey = randomKey();
  const { sha256: modelSha256, dimensions } = entry;
  const version = templateVersion;
  const protector = createProtector({
    rootKey,
    modelSha256,
    version,
    dimensions,
    kernels,
    allocate: secureMemory,
  });
  rootKey.fill(0);
  return protector;
}

async function onlyFace({ pipeline }: Vision, frame: Frame): Promise<Embedding> {
  const faces = await pipeline.locate(frame);
  const [face] = faces;
  const embedding = face && faces.length === 1 ? await pipeline.embed(frame, face) : undefined;
  if (embedding) return embedding;
  throw new AgentError(
    'INPUT_INVALID',
    `${frame.sourceId} shows ${faces.length === 1 ? 'a face that cannot be compared' : `${faces.length} faces, not one`}`,
  );
}

/** For evaluations: a picture file to its embedding, by the door's own path. */
export function acquireWith(
  { pipeline }: Vision,
  options: { readonly quality: boolean; readonly face: string },
): Acquire {
  return async (picture) => {
    const frame = await readPicture(picture);
    try {
      const faces = await pipeline.locate(frame);
      const face = (options.face === 'central' ? centralFace : primaryFace)(faces, frame);
      if (!face) return { kind: 'not-acquired', reasons: ['no-face'] };
      const { quality } = await pipeline.examine(frame, face, faces);
      if (options.quality && quality.reasons.length > 0) {
        return { kind: 'not-acquired', reasons: quality.reasons };
      }
      const embedding = await pipeline.embed(frame, face);
      if (embedding) return { kind: 'acquired', embedding };
      return { kind: 'not-acquired', reasons: ['no-embedding'] };
    } finally {
      frame.data.fill(0);
    }
  };
}
