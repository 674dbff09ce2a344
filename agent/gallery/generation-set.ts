import type { GalleryStore, Generation } from '../ports.ts';
import type { Protector } from '../template/protect.ts';
import type { Template } from '../template/template.ts';
import { loadGallery } from './gallery-loading.ts';
import { currentGeneration, isLive, sameGeneration } from './generation.ts';
import type { OpenGeneration } from './open-generation.ts';

/** Every live generation whose recogniser and keys are here, in memory. */
export type GenerationSet = {
  /** Read again when any process has changed the store. What it returned before is then empty, its keys may be wiped. */
  current(): readonly OpenGeneration[];
  /** What `current` has returned last. */
  readonly open: readonly OpenGeneration[];
  /** This process has stored one more template: not all has to be read again for it. */
  added(residentId: string, template: Template): void;
  wipe(): void;
};

type Parts = {
  readonly store: GalleryStore;
  /** Of the recogniser in use. */
  readonly modelSha256: string;
  /** By model: what is added to its scores (see OpenGeneration). Others' generations are left out. */
  readonly scoreShifts: ReadonlyMap<string, number>;
  /** Their protectors, in that order, from the root key as it is now; undefined: that generation's key does not open. */
  readonly openKeys: (
    generations: readonly Generation[],
  ) => Promise<readonly (Protector | undefined)[]>;
};

/** Errors of the store and of `openKeys` pass through. */
export async function openGenerationSet(parts: Parts): Promise<GenerationSet> {
  const { store, modelSha256, scoreShifts, openKeys } = parts;
  /** What a first enrolment will begin; the store knows it from then on. */
  const planned = currentGeneration(store.generations(), modelSha256, 0);
  const protectors = new Map<string, Protector>();
  /** The revision at which the keys of a generation were last read. */
  const keysReadAt = new Map<string, number>();
  let open: readonly OpenGeneration[] = [];
  let revision = unread;
  let isAdopting = false;
  let isWiped = false;

  const liveGenerations = (): Generation[] => {
    const stored = store.generations();
    const isStored = stored.some((each) => sameGeneration(each, planned));
    const all = isStored ? stored : [...stored, planned];
    return all.filter((each) => isLive(each) && scoreShifts.has(each.modelSha256));
  };

  const readKeys = async (wanting: readonly Generation[], at: number) => {
    const found = await openKeys(wanting);
    wanting.forEach((generation, i) => {
      const name = nameOf(generation);
      const protector = found[i];
      keysReadAt.set(name, at);
      if (!protector) return;
      protectors.get(name)?.wipe();
      protectors.set(name, protector);
      if (isWiped) protector.wipe();
    });
    revision = unread;
  };

  /** The door goes on with the others meanwhile; where it fails, the next change of the store asks again. */
  const adopt = (wanting: readonly Generation[]) => {
    if (isAdopting) return;
    isAdopting = true;
    void readKeys(wanting, revision)
      .catch(() => {})
      .finally(() => {
        isAdopting = false;
      });
  };

  const read = () => {
    for (const { gallery } of open) gallery.clear();
    const live = liveGenerations();
    const names = new Set(live.map(nameOf));
    for (const [name, protector] of protectors) {
      if (names.has(name)) continue;
      protector.wipe();
      protectors.delete(name);
    }
    const stays = currentGeneration(live, modelSha256, 0);
    const wanting: Generation[] = [];
    open = live.flatMap((generation): OpenGeneration[] => {
      const name = nameOf(generation);
      const isUnread = keysReadAt.get(name) !== revision;
      const protector = protectors.get(name);
      const loaded = protector && loadGallery(store, protector);
      // Rows of which none opens: the root key is another one since.
      const isStale = !loaded || (loaded.gallery.rows === 0 && loaded.refusedRowIds.length > 0);
      if (isStale && isUnread) wanting.push(generation);
      if (!protector || !loaded) return [];
      const scoreShift = scoreShifts.get(generation.modelSha256) ?? 0;
      const isRetiring = !sameGeneration(generation, stays);
      return [{ protector, gallery: loaded.gallery, isRetiring, scoreShift }];
    });
    if (wanting.length > 0) adopt(wanting);
  };

  const current = () => {
    const now = store.revision();
    if (now === revision) return open;
    revision = now;
    read();
    return open;
  };

  await readKeys(liveGenerations(), store.revision());
  current();
  return {
    current,
    get open() {
      return open;
    },
    added(residentId, template) {
      open
        .find(({ protector }) => sameGeneration(protector, template))
        ?.gallery.add(residentId, template);
      // Any other change since the last reading leaves the two apart: then everything is read again.
      revision += 1;
    },
    wipe() {
      isWiped = true;
      for (const { gallery } of open) gallery.clear();
      for (const protector of protectors.values()) protector.wipe();
    },
  };
}

/** No revision of a store. */
const unread = -1;

function nameOf({ modelSha256, version }: Generation): string {
  return `${modelSha256}/${version}`;
}
