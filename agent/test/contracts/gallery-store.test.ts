import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe } from 'vitest';
import { openGalleryStore } from '../../io/store/gallery-store.ts';
import { memoryGalleryStore } from '../fakes/memory-gallery-store.ts';
import { galleryGenerationsContract } from './gallery-generations-contract.ts';
import { galleryStoreContract } from './gallery-store-contract.ts';

const folder = mkdtempSync(join(tmpdir(), 'doorkeep-gallery-'));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
const sqlite = () => openGalleryStore({ file: join(folder, `${files++}.db`) });

for (const [name, open] of [
  ['memory', memoryGalleryStore],
  ['sqlite', sqlite],
] as const) {
  describe(`gallery store: ${name}`, () => galleryStoreContract(open));
  describe(`generations of a gallery store: ${name}`, () => galleryGenerationsContract(open));
}
