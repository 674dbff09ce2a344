import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Acquire } from '../../agent/gallery/acquisition.ts';
import type { Comparator } from '../../agent/gallery/comparator.ts';
import { templateComparator } from '../../agent/gallery/template-comparator.ts';
import type { PicturePair } from '../../agent/gallery/verification-evaluation.ts';
import { readPicture } from '../../agent/io/camera/image.ts';
import {
  type IdentificationSet,
  readIdentificationList,
} from '../../agent/io/measuring/identification-files.ts';
import type { EmbeddingEntry, Kernels } from '../../agent/ports.ts';
import type { FaceEncoder } from '../../agent/recognition/face-encoder.ts';
import type { centralFace } from '../../agent/recognition/primary-face.ts';
import { createProtector } from '../../agent/template/protect.ts';
import type { Detector } from '../../agent/vision/detection.ts';
import { parseLfwPairs } from './lfw-pairs.ts';

/** Labeled Faces in the Wild as it lies in a folder: pairs.txt, ident.csv and images/. */
export type LfwSet = {
  readonly images: string;
  readonly pairs: readonly (PicturePair & { readonly fold: number })[];
  readonly split: IdentificationSet;
};

export async function readLfw(folder: string): Promise<LfwSet> {
  const images = join(folder, 'images');
  const rows = parseLfwPairs(await readFile(join(folder, 'pairs.txt'), 'utf8'));
  const pairs = rows.map(({ a, b, same, fold }) => ({
    probe: join(images, a),
    reference: join(images, b),
    same,
    fold,
  }));
  const split = await readIdentificationList(join(folder, 'ident.csv'), images);
  return { images, pairs, split };
}

/** From a picture to its embedding by the door's own code, without its quality gate. */
export function acquireBy(
  detector: Detector,
  encoder: FaceEncoder,
  chooseFace: typeof centralFace,
): Acquire {
  return async (picture) => {
    const frame = await readPicture(picture);
    const face = chooseFace(await detector.detect(frame), frame);
    if (!face) return { kind: 'not-acquired', reasons: ['no-face'] };
    const embedding = await encoder.encode(frame, face, () => {});
    return embedding
      ? { kind: 'acquired', embedding }
      : { kind: 'not-acquired', reasons: ['no-embedding'] };
  };
}

/** Templates under `count` device keys that are the same in every run. */
export function underKeys(
  { sha256, dimensions }: EmbeddingEntry,
  kernels: Kernels,
  count: number,
): Comparator[] {
  const shape = { modelSha256: sha256, version: 1, dimensions, kernels };
  return Array.from({ length: count }, (_, key) => {
    const rootKey = new Uint8Array(32).fill(key + 1);
    const protector = createProtector({ ...shape, rootKey });
    return { ...templateComparator(protector, kernels), name: `template, key ${key + 1}` };
  });
}
