import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Place } from '../../agent.ts';
import { presets } from '../../config.ts';
import { layoutOf } from '../../io/process/environment.ts';
import { openGalleryStore } from '../../io/store/gallery-store.ts';
import type { GalleryStore } from '../../ports.ts';
import { recogniserOf } from '../../renewal.ts';
import { deriveKey } from '../../template/keys.ts';
import { project } from '../../template/projection.ts';
import { createProtector, type Protector } from '../../template/protect.ts';
import { unwrapKey } from '../../template/wrapped-key.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { enrolAll, faceOf } from './test-device.ts';

/** A data directory as a device has it, for what needs store and key and no model. */
export type StockedDevice = {
  readonly place: Place;
  readonly modelSha256: string;
  readonly keyFile: string;
  readonly galleryFile: string;
  /** The store, opened for `work` and closed again. */
  withStore<T>(work: (store: GalleryStore) => T): T;
  /** Under a version of this device's own key. */
  protector(version?: number): Protector;
  /** One template of each face, under that version. */
  enrol(ids: readonly string[], version?: number): void;
  /** Whom the stored templates of all live generations name when this face is at the door. */
  recognise(name: string): string[];
};

/** `keyByte`: the root key is made of it; undefined: there is none yet. */
export function stockedDevice(keyByte?: number): StockedDevice {
  const dataDir = join(temporaryFolder(), 'data');
  const place: Place = { dataDir, config: presets };
  const { rootKey: keyFile, gallery: galleryFile } = layoutOf(dataDir);
  const { sha256: modelSha256 } = recogniserOf(place);
  const rootKey = new Uint8Array(32).fill(keyByte ?? 0);
  if (keyByte !== undefined) {
    mkdirSync(dirname(keyFile), { recursive: true, mode: 0o700 });
    writeFileSync(keyFile, rootKey, { mode: 0o600 });
  }
  const scope = { modelSha256, dimensions: 32, kernels: { project } };
  const protector = (version = 1) => createProtector({ rootKey, version, ...scope });

  function withStore<T>(work: (store: GalleryStore) => T): T {
    const store = openGalleryStore({ file: galleryFile });
    try {
      return work(store);
    } finally {
      store.close();
    }
  }

  return {
    place,
    modelSha256,
    keyFile,
    galleryFile,
    withStore,
    protector,
    enrol: (ids, version) => withStore((store) => enrolAll(store, protector(version), ids)),
    recognise: (name) =>
      withStore((store) => {
        const face = faceOf(name, modelSha256);
        const named = new Set<string>();
        for (const generation of store.generations()) {
          const { version, wrappedKey } = generation;
          const own = deriveKey(rootKey, 'match', generation);
          const matchKey = wrappedKey ? unwrapKey(rootKey, wrappedKey, generation) : own;
          if (!matchKey) continue;
          const keyed = createProtector({ rootKey, matchKey, version, ...scope });
          for (const row of store.templates(modelSha256)) {
            const code = row.version === version ? keyed.open(row.sealed, row) : undefined;
            if (code && keyed.softScore(keyed.probe(face), code) > 0.9) named.add(row.residentId);
          }
        }
        return [...named];
      }),
  };
}
