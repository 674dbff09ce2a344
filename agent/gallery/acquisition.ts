import type { Embedding } from '../template/template.ts';

/** What a picture gave. `reasons`: "no-face", or those of the quality check. */
export type Acquisition =
  | { readonly kind: 'acquired'; readonly embedding: Embedding }
  | { readonly kind: 'not-acquired'; readonly reasons: readonly string[] };

/** The whole way from a picture to its embedding. A picture that cannot be read rejects, and ends the evaluation. */
export type Acquire = (picture: string) => Promise<Acquisition>;

export type Progress = (done: number, total: number) => void;

/** Every picture goes through the models once, however often it is compared. */
export async function acquireAll(
  pictures: Iterable<string>,
  acquire: Acquire,
  onProgress: Progress = () => {},
): Promise<ReadonlyMap<string, Acquisition>> {
  const distinct = [...new Set(pictures)];
  const acquired = new Map<string, Acquisition>();
  for (const picture of distinct) {
    acquired.set(picture, await acquire(picture));
    onProgress(acquired.size, distinct.length);
  }
  return acquired;
}

/** How many pictures there were, and why some of them gave nothing (FTA). */
export type AcquisitionCounts = {
  readonly pictures: number;
  readonly notAcquired: number;
  /** A picture counts under each of its reasons. */
  readonly reasons: Readonly<Record<string, number>>;
};

export function countAcquisitions(acquired: Iterable<Acquisition>): AcquisitionCounts {
  let pictures = 0;
  let notAcquired = 0;
  const reasons = new Map<string, number>();
  for (const acquisition of acquired) {
    pictures += 1;
    if (acquisition.kind === 'acquired') continue;
    notAcquired += 1;
    for (const reason of acquisition.reasons) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  const sorted = [...reasons].sort(([a], [b]) => (a < b ? -1 : 1));
  return { pictures, notAcquired, reasons: Object.fromEntries(sorted) };
}
