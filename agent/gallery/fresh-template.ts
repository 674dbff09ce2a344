import type { Embedding, Template } from '../template/template.ts';
import { templateBytes } from '../template/template.ts';
import { newTemplatesMost } from './coverage.ts';
import type { DecisionSettings } from './decision.ts';
import { type OpenGeneration, shifted } from './open-generation.ts';
import { isStrong } from './strong-match.ts';

/** What the door has just reported. */
export type ConfirmedMatch = DecisionSettings & {
  readonly residentId: string;
  readonly runnerUpScore: number | undefined;
};

/**
 * The template that a confirmed match makes of whoever is at the door, under the generation that stays; undefined:
 * it makes none. Only a template that is on its way out can vouch for a new one, never one that was made this way:
 * else small mistakes would add up from visit to visit. Ends the life of the protectors' probes.
 */
export function freshTemplate(
  match: ConfirmedMatch,
  embeddings: readonly Embedding[],
  open: readonly OpenGeneration[],
): { readonly template: Template; readonly target: OpenGeneration } | undefined {
  const target = open.find(({ isRetiring }) => !isRetiring);
  if (!target || target.gallery.rowsOf(match.residentId) >= newTemplatesMost) return undefined;
  const scores = open
    .filter(({ isRetiring }) => isRetiring)
    .map((older) => scoreAgainst(older, match.residentId, embeddings));
  if (!isStrong(Math.max(...scores), match.runnerUpScore, match)) return undefined;
  const { protector } = target;
  const embedding = embeddings.find((each) => each.modelSha256 === protector.modelSha256);
  return embedding && { template: protector.template(embedding), target };
}

/** Of the best of this resident's templates; -∞: there are none, or nothing to compare them with. */
function scoreAgainst(
  { protector, gallery, scoreShift }: OpenGeneration,
  residentId: string,
  embeddings: readonly Embedding[],
): number {
  const embedding = embeddings.find((each) => each.modelSha256 === protector.modelSha256);
  if (!embedding || gallery.rowsOf(residentId) === 0) return Number.NEGATIVE_INFINITY;
  const probe = protector.probe(embedding);
  const { codes } = gallery;
  let best = Number.NEGATIVE_INFINITY;
  for (let row = 0; row < gallery.rows; row++) {
    if (gallery.residentOf(row) !== residentId) continue;
    const start = row * templateBytes;
    best = Math.max(best, protector.softScore(probe, codes.subarray(start, start + templateBytes)));
  }
  protector.forget();
  return shifted(best, scoreShift);
}
