import type { GalleryStore } from '../ports.ts';
import type { Protector } from '../template/protect.ts';
import { createGallery, type Gallery } from './gallery.ts';

export type LoadedGallery = {
  readonly gallery: Gallery;
  /** Rows that were sealed by another device, for another row, or are damaged: they compare with nobody. */
  readonly refusedRowIds: readonly string[];
  /** Templates of this model under an older or newer key. */
  readonly otherVersions: number;
};

/** The store's templates of the protector's model and version, opened. Errors of the store pass through. */
export function loadGallery(
  store: Pick<GalleryStore, 'templates' | 'countTemplates'>,
  protector: Pick<Protector, 'modelSha256' | 'version' | 'open'>,
): LoadedGallery {
  const { modelSha256, version } = protector;
  const capacity = store
    .countTemplates()
    .filter((count) => count.modelSha256 === modelSha256 && count.version === version)
    .reduce((sum, count) => sum + count.templates, 0);
  const gallery = createGallery({ modelSha256, version, capacity });
  const refusedRowIds: string[] = [];
  let otherVersions = 0;
  for (const row of store.templates(modelSha256)) {
    if (row.version !== version) {
      otherVersions++;
      continue;
    }
    const code = protector.open(row.sealed, row);
    if (!code) {
      refusedRowIds.push(row.rowId);
      continue;
    }
    gallery.add(row.residentId, { code, modelSha256, version });
    code.fill(0);
  }
  return { gallery, refusedRowIds, otherVersions };
}
