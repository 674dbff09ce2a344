import type { Kernels } from '../ports.ts';
import { templateBits, templateBytes } from '../template/template.ts';
import type { Gallery } from './gallery.ts';

/** The two residents of a gallery who resemble one another most. */
export type LookAlikes =
  | {
      readonly kind: 'found';
      readonly residentIds: readonly [string, string];
      readonly score: number;
    }
  /** Fewer than two residents. */
  | { readonly kind: 'none' }
  /** Every template is compared with every other: too long for this many. */
  | { readonly kind: 'too-many'; readonly templates: number };

/** Half a second of AVX2, some seconds of a small processor. */
const templatesMost = 4000;

/** By code alone, for there is no probe: see `scoreOfDistance`. */
export function closestResidents(
  gallery: Gallery,
  kernels: Pick<Kernels, 'hammingTopK'>,
): LookAlikes {
  const { codes, rows, residents } = gallery;
  if (rows > templatesMost) return { kind: 'too-many', templates: rows };
  if (residents < 2) return { kind: 'none' };
  let closest: { ids: readonly [string, string]; bits: number } | undefined;
  for (let row = 0; row < rows; row++) {
    const id = gallery.residentOf(row);
    // All of the resident's own may be nearer: one more is somebody else's.
    const size = gallery.rowsOf(id) + 1;
    const nearest = new Uint32Array(size);
    const distances = new Uint32Array(size);
    const start = row * templateBytes;
    const probe = codes.subarray(start, start + templateBytes);
    const found = kernels.hammingTopK(codes, rows, probe, nearest, distances);
    const other = nearest.subarray(0, found).findIndex((each) => gallery.residentOf(each) !== id);
    const bits = distances[other];
    const otherRow = nearest[other];
    if (bits === undefined || otherRow === undefined || bits >= (closest?.bits ?? Infinity))
      continue;
    closest = { ids: [id, gallery.residentOf(otherRow)], bits };
  }
  if (!closest) return { kind: 'none' };
  return { kind: 'found', residentIds: closest.ids, score: scoreOfDistance(closest.bits) };
}

/**
 * The cosine that two codes of this Hamming distance stand for, and so the score to be expected at the door:
 * two directions at the angle t have different signs under a random projection with probability t/π (Goemans
 * and Williamson 1995). Of 4,096 bits the standard error is 0.025 at most.
 */
function scoreOfDistance(bits: number): number {
  return Math.cos((Math.PI * bits) / templateBits);
}
