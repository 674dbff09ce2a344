import type { Gallery } from '../../gallery/gallery.ts';
import { loadGallery } from '../../gallery/gallery-loading.ts';
import type { GalleryStore, Generation, SealedTemplate } from '../../ports.ts';
import { project } from '../../template/projection.ts';
import { createProtector, type Protector } from '../../template/protect.ts';
import type { Embedding } from '../../template/template.ts';

export const testModel = 'a'.repeat(64);
const dimensions = 32;

/** The keys of a device, made of one byte; a protector of any model and version. */
export function testDevice(keyByte: number, more: { readonly matchKey?: Uint8Array } = {}) {
  const rootKey = new Uint8Array(32).fill(keyByte);
  return (version = 1, modelSha256 = testModel): Protector =>
    createProtector({ rootKey, modelSha256, version, dimensions, kernels: { project }, ...more });
}

/** The face of whoever has this name: always the same, unlike everybody else's. `mix`: part of another's face. */
export function faceOf(name: string, modelSha256 = testModel, mix = 0, other = ''): Embedding {
  const values = new Float32Array(dimensions);
  const own = directionOf(name);
  const strange = directionOf(other);
  values.forEach((_, i) => {
    values[i] = (1 - mix) * (own[i] ?? 0) + mix * (strange[i] ?? 0);
  });
  const norm = Math.hypot(...values);
  return { values: values.map((value) => value / norm), modelSha256 };
}

function directionOf(name: string): number[] {
  let state = [...name].reduce(
    (sum, letter) => Math.imul(sum ^ letter.charCodeAt(0), 0x01000193),
    17,
  );
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  return Array.from({ length: dimensions }, () => next() + next() + next() + next() - 2);
}

/** A face as the row it is stored as. */
export function rowOf(
  protector: Protector,
  residentId: string,
  face: Embedding,
  createdAt = 0,
): SealedTemplate {
  const row = { rowId: crypto.randomUUID(), residentId };
  const { code, modelSha256, version } = protector.template(face);
  return {
    ...row,
    label: null,
    modelSha256,
    version,
    sealed: protector.seal(code, row),
    createdAt,
  };
}

/** Enrols everybody with one template of his or her own face. */
export function enrolAll(store: GalleryStore, protector: Protector, ids: readonly string[]): void {
  for (const id of ids) {
    const face = faceOf(id, protector.modelSha256);
    store.enrol({ id, label: null }, [rowOf(protector, id, face)], 0);
  }
}

/** What of the store opens under this protector. */
export function openedBy(store: GalleryStore, protector: Protector): Gallery {
  return loadGallery(store, protector).gallery;
}

/** The state in a few words: "1 retiring, 2 stays". */
export function statesOf(generations: readonly Generation[]): string {
  return generations
    .map(({ version, retirement, endedAt }) => {
      const state = endedAt !== null ? 'ended' : retirement ? 'retiring' : 'stays';
      return `${version} ${state}`;
    })
    .join(', ');
}
