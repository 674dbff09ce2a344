import type { Acquisition } from '../../gallery/acquisition.ts';
import type { LabelledPicture } from '../../gallery/identification-evaluation.ts';
import type { Draws } from '../../protection/draws.ts';

/** Of the embeddings below. */
export const clusteredModel = 'c1'.repeat(32);

/**
 * Embeddings as a good recogniser would give them: every person has a direction by chance, and every
 * picture is a little beside it. Two pictures of one person have a cosine of about `cosine`, of two persons
 * about 0 ± 1/√dimensions.
 */
export function clusteredFaces(
  shape: {
    readonly persons: number;
    readonly pictures: number;
    readonly dimensions: number;
    readonly cosine: number;
  },
  draws: Draws,
): {
  readonly labels: readonly LabelledPicture[];
  readonly acquired: ReadonlyMap<string, Acquisition>;
} {
  const { persons, pictures, dimensions, cosine } = shape;
  const labels: LabelledPicture[] = [];
  const acquired = new Map<string, Acquisition>();
  const direction = () => unit(Float32Array.from({ length: dimensions }, draws.normal));
  for (let person = 0; person < persons; person++) {
    const own = direction();
    for (let number = 0; number < pictures; number++) {
      const beside = direction();
      const values = unit(
        own.map((value, i) => {
          return Math.sqrt(cosine) * value + Math.sqrt(1 - cosine) * (beside[i] ?? 0);
        }),
      );
      const picture = `person-${person}/${number}.jpg`;
      labels.push({ identity: `person-${person}`, picture });
      const embedding = { values, modelSha256: clusteredModel };
      acquired.set(picture, { kind: 'acquired', embedding });
    }
  }
  return { labels, acquired };
}

function unit(values: Float32Array): Float32Array {
  const norm = Math.hypot(...values);
  return values.map((value) => value / norm);
}
