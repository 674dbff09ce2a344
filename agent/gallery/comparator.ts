import type { Embedding } from '../template/template.ts';

export type Reference = { readonly residentId: string; readonly embedding: Embedding };

/** The residents nearest to a probe, each once, best first. Two of them are enough. */
export type Search = (
  probe: Embedding,
) => readonly { readonly residentId: string; readonly score: number }[];

/** One way to compare faces. An evaluation runs several side by side, so that what protection costs can be seen. */
export type Comparator = {
  readonly name: string;
  /** Comparison score of two pictures. */
  compare(probe: Embedding, reference: Embedding): number;
  /** Builds a gallery of these. Each search is for itself; an earlier one stays usable. */
  enrol(references: readonly Reference[]): Search;
};

/** The unprotected comparison that templates are measured against: the dot product of normalised embeddings. */
export const cosineComparator: Comparator = {
  name: 'cosine',
  compare: cosine,
  enrol: (references) => (probe) => {
    const best = new Map<string, number>();
    for (const { residentId, embedding } of references) {
      const score = cosine(probe, embedding);
      if (score > (best.get(residentId) ?? Number.NEGATIVE_INFINITY)) best.set(residentId, score);
    }
    return [...best]
      .map(([residentId, score]) => ({ residentId, score }))
      .sort((a, b) => b.score - a.score);
  },
};

function cosine(a: Embedding, b: Embedding): number {
  if (a.modelSha256 !== b.modelSha256 || a.values.length !== b.values.length) {
    throw new TypeError('embeddings of different models cannot be compared');
  }
  let sum = 0;
  for (let i = 0; i < a.values.length; i++) sum += (a.values[i] ?? 0) * (b.values[i] ?? 0);
  return sum;
}
