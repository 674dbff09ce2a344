import type { Embedding } from '../../template/template.ts';

/** As many embeddings as asked for, of nobody: independent directions, all equally likely. */
export function randomFaces(
  count: number,
  dimensions: number,
  random: (sizeBytes: number) => Uint8Array,
): Embedding[] {
  return Array.from({ length: count }, () => ({
    values: Float32Array.from({ length: dimensions }, () => gaussian(random)),
    modelSha256: '0'.repeat(64),
  }));
}

/** The same face a moment later: its direction turned until the cosine is about `cosine`. */
export function anotherLook(
  face: Embedding,
  cosine: number,
  random: (sizeBytes: number) => Uint8Array,
): Embedding {
  const spread = Math.sqrt(1 - cosine ** 2);
  const values = face.values.map((value) => cosine * value + spread * gaussian(random));
  return { ...face, values };
}

/** Sum of twelve uniform numbers less six: near enough to normal. */
function gaussian(random: (sizeBytes: number) => Uint8Array): number {
  const bytes = new DataView(random(24).buffer);
  let sum = -6;
  for (let i = 0; i < 24; i += 2) sum += (bytes.getUint16(i) + 0.5) / 0x10000;
  return sum;
}
