import type { Kernels } from '../ports.ts';
import type { Protector } from '../template/protect.ts';
import type { Embedding, Probe } from '../template/template.ts';
import type { Gallery } from './gallery.ts';
import { type Candidate, search } from './search.ts';

/** The templates of one generation in memory, and the keys to compare with them. */
export type OpenGeneration = {
  readonly protector: Protector;
  readonly gallery: Gallery;
  /** On its way out: still compared with, and no new templates are made under it. */
  readonly isRetiring: boolean;
  /**
   * Added to its scores. Those of two recognisers are no numbers of one scale: shifted so that their
   * thresholds lie on one another, they say how far above its threshold each of them is. 0: the one in use.
   */
  readonly scoreShift: number;
};

/**
 * A probe for each generation, in their order, from the embedding of its own model; undefined: there is
 * none. They hold until the next call or the protectors' `forget`.
 */
export function probesFor(
  open: readonly OpenGeneration[],
  embeddings: readonly Embedding[],
): readonly (Probe | undefined)[] {
  return open.map(({ protector }) => {
    const own = embeddings.find(({ modelSha256 }) => modelSha256 === protector.modelSha256);
    return own && protector.probe(own);
  });
}

/**
 * The residents nearest to the probes, best first, each once with the best of all generations. As in each
 * of them the best two residents are found, so they are over all.
 */
export function searchGenerations(
  open: readonly OpenGeneration[],
  probes: readonly (Probe | undefined)[],
  kernels: Pick<Kernels, 'hammingTopK'>,
): Candidate[] {
  const best = new Map<string, Candidate>();
  open.forEach(({ gallery, scoreShift }, i) => {
    const probe = probes[i];
    if (!probe) return;
    for (const found of search(gallery, probe, kernels)) {
      const candidate = { ...found, score: shifted(found.score, scoreShift) };
      const before = best.get(candidate.residentId);
      if (!before || candidate.score > before.score) best.set(candidate.residentId, candidate);
    }
  });
  return [...best.values()].sort((a, b) => b.score - a.score);
}

/** A comparison score stays one. */
export function shifted(score: number, shift: number): number {
  return Math.max(-1, Math.min(1, score + shift));
}
