/**
 * Backup and restore of the gallery. A template means nothing without the key it was made under, and the
 * root key leaves the device in no form. So a backup carries the templates together with the match keys of
 * their versions, under a passphrase: enough to recognise the residents on a device that replaces this one, and
 * nothing that is of use once they have new templates there. Whoever has the file and the passphrase can
 * approximate the faces: the commands say so.
 */
import type { Place } from './agent.ts';
import { isLive, nextGeneration, sameGeneration } from './gallery/generation.ts';
import { dayOf, presetGraceDays } from './gallery/grace.ts';
import { loadManifest } from './io/models/manifest.ts';
import { randomId } from './io/process/chance.ts';
import { layoutOf } from './io/process/environment.ts';
import { secureMemory, wipe } from './io/process/secure-memory.ts';
import type { BackupContent, BackupGeneration, BackupResident } from './io/store/backup-content.ts';
import { readBackup, writeBackup } from './io/store/backup-file.ts';
import { loadRootKey } from './io/store/key-file.ts';
import type { GalleryStore, Generation, SealedTemplate } from './ports.ts';
import { keySourceOf, openStore } from './residents.ts';
import { deriveKey } from './template/keys.ts';
import { createSealer, type Sealer } from './template/sealer.ts';
import { sameKey, tombstoneDigest, unwrapKey, wrapKey } from './template/wrapped-key.ts';

export type BackupResult = {
  readonly residents: number;
  readonly templates: number;
  /** Rows that do not open here, and so cannot be carried. */
  readonly refused: number;
};

/** @throws KEY_INVALID STORE_… */
export async function backUpGallery(
  place: Place,
  file: string,
  passphrase: Uint8Array,
  wallMs: number,
): Promise<BackupResult> {
  const store = openStore(place);
  try {
    const { content, refused } = await contentOf(place, store, wallMs);
    try {
      await writeBackup(file, content, passphrase);
    } finally {
      wipeContent(content);
    }
    const templates = content.residents.reduce((sum, each) => sum + each.templates.length, 0);
    return { residents: content.residents.length, templates, refused };
  } finally {
    store.close();
  }
}

async function contentOf(
  place: Place,
  store: GalleryStore,
  createdAt: number,
): Promise<{ content: BackupContent; refused: number }> {
  const counts = store.templateCounts();
  const generations = store
    .generations()
    .filter((each) => isLive(each) && counts.some((count) => sameGeneration(count, each)));
  if (generations.length === 0) {
    const residents = store.residents().map((resident) => ({ ...resident, templates: [] }));
    return { content: { createdAt, generations: [], residents }, refused: 0 };
  }
  const key = await loadRootKey(keySourceOf(place, store));
  const carried = generations.flatMap((generation) => {
    const matchKey = matchKeyOf(key.bytes, generation);
    if (!matchKey) return [];
    const { modelSha256, version, retirement } = generation;
    const sealer = createSealer(key.bytes, generation, secureMemory);
    return [{ modelSha256, version, isRetiring: retirement !== null, matchKey, sealer }];
  });
  key.wipe();
  let refused = 0;
  const residents = store.residents().map((resident): BackupResident => {
    const rows = store.templatesOf(resident.id);
    const templates = rows.flatMap((row) => {
      const generation = carried.findIndex((each) => sameGeneration(each, row));
      const code = carried[generation]?.sealer.open(row.sealed, row);
      const { label, createdAt: madeAt } = row;
      return code ? [{ generation, label, createdAt: madeAt, code }] : [];
    });
    refused += rows.length - templates.length;
    return { ...resident, templates };
  });
  for (const { sealer } of carried) sealer.wipe();
  const keys = carried.map(({ sealer, ...each }): BackupGeneration => each);
  return { content: { createdAt, generations: keys, residents }, refused };
}

export type RestoreResult = {
  /** When the backup was made. */
  readonly createdAt: number;
  readonly residents: number;
  readonly templates: number;
  /** Left as they are. */
  readonly alreadyHere: readonly string[];
  /** In the backup, and erased on this device since: they stay erased. */
  readonly erased: number;
  /** Made under keys of another device or of an ended version: they serve until there are new ones. */
  readonly foreignTemplates: number;
  /** Models of the backup, by the beginning of their SHA-256, whose templates nothing here can compare with. */
  readonly unknownModels: readonly string[];
};

/** All or nothing. @throws BACKUP_INVALID BACKUP_NEWER INPUT_MISSING KEY_INVALID STORE_… */
export async function restoreGallery(
  place: Place,
  file: string,
  passphrase: Uint8Array,
  wallMs: number,
): Promise<RestoreResult> {
  const backup = await readBackup(file, passphrase);
  try {
    const store = openStore(place);
    try {
      return await restoreInto(place, store, backup.content, wallMs);
    } finally {
      store.close();
    }
  } finally {
    backup.wipe();
  }
}

async function restoreInto(
  place: Place,
  store: GalleryStore,
  content: BackupContent,
  wallMs: number,
): Promise<RestoreResult> {
  const key = await loadRootKey(keySourceOf(place, store));
  try {
    const tombs = store.tombstones().map(({ digest }) => Buffer.from(digest).toString('hex'));
    const buried = new Set(tombs);
    const digestOf = (id: string) => Buffer.from(tombstoneDigest(key.bytes, id)).toString('hex');
    const alreadyHere = content.residents.filter(({ id }) => store.resident(id));
    const others = content.residents.filter(({ id }) => !store.resident(id));
    const wanted = others.filter(({ id }) => !buried.has(digestOf(id)));
    const targets = targetsFor(content.generations, store.generations(), key.bytes, wallMs);
    const sealers = targets.map(({ generation }) =>
      createSealer(key.bytes, generation, secureMemory),
    );
    const templates = wanted.flatMap((resident) => sealedAgain(resident, sealers));
    for (const sealer of sealers) sealer.wipe();
    const isUsed = (generation: Generation) =>
      templates.some((template) => sameGeneration(template, generation));
    const added = targets.filter(({ isNew, generation }) => isNew && isUsed(generation));
    store.restore({
      generations: added.map(({ generation }) => generation),
      residents: wanted.map(({ id, label, enrolledAt }) => ({ id, label, enrolledAt })),
      templates,
    });
    const foreign = targets.filter(({ generation }) => generation.wrappedKey !== null);
    const { entries } = loadManifest(layoutOf(place.dataDir).models);
    const models = new Set(templates.map(({ modelSha256 }) => modelSha256));
    return {
      createdAt: content.createdAt,
      residents: wanted.length,
      templates: templates.length,
      alreadyHere: alreadyHere.map(({ id }) => id),
      erased: others.length - wanted.length,
      foreignTemplates: templates.filter((template) =>
        foreign.some(({ generation }) => sameGeneration(generation, template)),
      ).length,
      unknownModels: [...models]
        .filter((model) => !entries.some(({ sha256 }) => sha256 === model))
        .map((model) => model.slice(0, 12)),
    };
  } finally {
    key.wipe();
  }
}

type Target = { readonly generation: Generation; readonly isNew: boolean };

/**
 * Where the templates of each generation of the backup belong here: to the live one that was made under the same
 * key; else, where the key is this device's own and the store has lost its version, to that version again; else to a
 * new one, which keeps the key it came with and goes as soon as everybody has new templates.
 */
function targetsFor(
  brought: readonly BackupGeneration[],
  known: readonly Generation[],
  rootKey: Uint8Array,
  wallMs: number,
): Target[] {
  const targets: Target[] = [];
  for (const each of brought) {
    const all = [...known, ...targets.map(({ generation }) => generation)];
    targets.push(targetFor(each, all, rootKey, wallMs));
  }
  return targets;
}

function targetFor(
  brought: BackupGeneration,
  known: readonly Generation[],
  rootKey: Uint8Array,
  wallMs: number,
): Target {
  const { modelSha256, version, isRetiring, matchKey } = brought;
  const isHere = (generation: Generation) => {
    if (generation.modelSha256 !== modelSha256 || !isLive(generation)) return false;
    const own = matchKeyOf(rootKey, generation);
    const isSame = own !== undefined && sameKey(own, matchKey);
    if (own) wipe(own);
    return isSame;
  };
  const here = known.find(isHere);
  if (here) return { generation: here, isNew: false };
  const since = { since: wallMs, daysSeen: 0, lastDay: dayOf(wallMs) };
  const plain = { modelSha256, version, startedAt: wallMs, wrappedKey: null, endedAt: null };
  const lost = {
    ...plain,
    retirement: isRetiring ? { ...since, graceDays: presetGraceDays } : null,
  };
  const isVersionFree = !known.some((generation) => sameGeneration(generation, brought));
  if (isVersionFree && isHere(lost)) return { generation: lost, isNew: true };
  const foreign = nextGeneration(known, modelSha256, wallMs);
  const wrappedKey = wrapKey(rootKey, matchKey, foreign);
  const retirement = { ...since, graceDays: null };
  return { generation: { ...foreign, wrappedKey, retirement }, isNew: true };
}

/** Undefined: the key that came with another device's templates does not open here. */
function matchKeyOf(rootKey: Uint8Array, generation: Generation): Uint8Array | undefined {
  return generation.wrappedKey === null
    ? deriveKey(rootKey, 'match', generation, secureMemory)
    : unwrapKey(rootKey, generation.wrappedKey, generation);
}

function sealedAgain(
  { id, templates }: BackupResident,
  sealers: readonly Sealer[],
): SealedTemplate[] {
  return templates.flatMap(({ generation, label, createdAt, code }) => {
    const sealer = sealers[generation];
    if (!sealer) return [];
    const row = { rowId: randomId(), residentId: id };
    const { modelSha256, version } = sealer;
    return [{ ...row, label, modelSha256, version, sealed: sealer.seal(code, row), createdAt }];
  });
}

function wipeContent({ generations, residents }: BackupContent): void {
  for (const { matchKey } of generations) wipe(matchKey);
  for (const { templates } of residents) for (const { code } of templates) code.fill(0);
}
