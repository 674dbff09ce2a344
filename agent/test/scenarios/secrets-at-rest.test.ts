import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadKernels } from '../../io/process/native.ts';
import { openGalleryStore } from '../../io/store/gallery-store.ts';
import { loadRootKey } from '../../io/store/key-file.ts';
import { deriveKey } from '../../template/keys.ts';
import { createProtector } from '../../template/protect.ts';
import { keyedScope, patternedFace } from '../fakes/keyed-patterns.ts';
import { temporaryFolder } from '../fakes/temporary-folder.ts';

test('S0-18 S2-18 no file of the gallery holds a key or a code, neither while it is open nor afterwards', async () => {
  const folder = temporaryFolder();
  const galleryFolder = join(folder, 'gallery');
  const { bytes: rootKey } = await loadRootKey({
    file: join(folder, 'keys', 'root.key'),
    mayCreate: true,
  });
  const { kernels } = loadKernels();
  const protector = createProtector({ ...keyedScope, rootKey, kernels });
  const store = openGalleryStore({ file: join(galleryFolder, 'gallery.db') });
  const enrolled = [1, 2, 3].map((face) => {
    const { code } = protector.template(patternedFace(face));
    const row = { rowId: `row-${face}`, residentId: `resident-${face}` };
    const sealed = protector.seal(code, row);
    const { modelSha256, version } = keyedScope;
    store.enrol(
      { id: row.residentId, label: null },
      [{ ...row, label: null, modelSha256, version, sealed, createdAt: 1 }],
      1,
    );
    return { code, sealed };
  });
  const secrets = [
    rootKey,
    deriveKey(rootKey, 'match', keyedScope),
    deriveKey(rootKey, 'seal', keyedScope),
    // 32 bytes of each code, wherever: a page of the database may end in it.
    ...enrolled.flatMap(({ code }) => [0, 240, 480].map((at) => code.subarray(at, at + 32))),
  ];
  const expectNone = () => {
    const files = readdirSync(galleryFolder).map((name) => readFileSync(join(galleryFolder, name)));
    const holding = (bytes: Uint8Array) => files.filter((file) => file.indexOf(bytes) >= 0).length;
    for (const { sealed } of enrolled) expect(holding(sealed)).toBeGreaterThan(0);
    expect(secrets.map(holding)).toEqual(secrets.map(() => 0));
  };
  expect(readdirSync(galleryFolder).toSorted()).toEqual([
    'gallery.db',
    'gallery.db-shm',
    'gallery.db-wal',
  ]);
  expectNone();
  store.close();
  expectNone();
});
