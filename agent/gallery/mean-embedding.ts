import type { Embedding } from '../template/template.ts';

/**
 * Several looks at one face as one embedding: the mean of the normalised ones, normalised again. What
 * the looks share adds up, what blur and pose did to each averages out. Undefined: there was none, or
 * they cancel out.
 */
export function meanEmbedding(embeddings: readonly Embedding[]): Embedding | undefined {
  const [first, ...more] = embeddings;
  if (!first || more.length === 0) return first;
  const { modelSha256 } = first;
  const values = new Float32Array(first.values.length);
  for (const embedding of embeddings) {
    if (embedding.modelSha256 !== modelSha256 || embedding.values.length !== values.length) {
      throw new TypeError('embeddings of different models have no mean');
    }
    const norm = Math.hypot(...embedding.values);
    for (let i = 0; i < values.length; i++) {
      values[i] = (values[i] ?? 0) + (embedding.values[i] ?? 0) / norm;
    }
  }
  const norm = Math.hypot(...values);
  // Opposite embeddings leave only rounding errors, which would be blown up to a direction.
  if (!(norm > 1e-6)) return undefined;
  return { modelSha256, values: values.map((value) => value / norm) };
}
