import type { Kernels } from '../ports.ts';
import { softScore } from '../template/soft-score.ts';
import { type Probe, templateBytes } from '../template/template.ts';
import type { Gallery } from './gallery.ts';

/** A resident and how well the best of his or her templates fits the probe. */
export type Candidate = {
  readonly residentId: string;
  /** Comparison score of that template, -1…1. */
  readonly score: number;
  /** Bits in which it differs from the probe, of 4,096. */
  readonly distanceBits: number;
};

/** Rows re-scored at first. LFW loses nothing that can be measured by it: docs/privacy.md. */
const shortlist = 16;
/** The decision needs the best resident and the runner-up: without two of them the list is widened. */
const residentsWanted = 2;

/**
 * The residents nearest to the probe, best first, each once, equals by row. All templates are compared by
 * Hamming distance, the nearest of them again by soft score. Where one resident's templates fill the
 * list, it is made longer until a second resident is in it.
 */
export function search(
  gallery: Gallery,
  probe: Probe,
  kernels: Pick<Kernels, 'hammingTopK'>,
): Candidate[] {
  if (probe.modelSha256 !== gallery.modelSha256 || probe.version !== gallery.version) {
    throw new TypeError('a probe of another model or version cannot be searched in this gallery');
  }
  const wanted = Math.min(residentsWanted, gallery.residents);
  if (wanted === 0) return [];
  for (let size = shortlist; ; size *= 4) {
    const candidates = bestOfEach(gallery, probe, kernels, Math.min(size, gallery.rows));
    if (candidates.length >= wanted || size >= gallery.rows) return candidates;
  }
}

function bestOfEach(
  gallery: Gallery,
  probe: Probe,
  kernels: Pick<Kernels, 'hammingTopK'>,
  size: number,
): Candidate[] {
  const rows = new Uint32Array(size);
  const distances = new Uint32Array(size);
  const { codes } = gallery;
  const found = kernels.hammingTopK(codes, gallery.rows, probe.code, rows, distances);
  const best = new Map<string, Candidate>();
  rows.subarray(0, found).forEach((row, i) => {
    const residentId = gallery.residentOf(row);
    const start = row * templateBytes;
    const score = softScore(probe, codes.subarray(start, start + templateBytes));
    const before = best.get(residentId);
    if (!before || score > before.score) {
      best.set(residentId, { residentId, score, distanceBits: distances[i] ?? 0 });
    }
  });
  return [...best.values()].sort((a, b) => b.score - a.score);
}
