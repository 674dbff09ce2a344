import type { Generation, Resident, TemplateCount } from '../ports.ts';
import { type GenerationName, isLive, sameGeneration, withEnded } from './generation.ts';
import { isGraceOver, withDayCounted } from './grace.ts';

/** New templates a resident gets in a renewal: as many as an enrolment brings on the average. */
export const newTemplatesMost = 3;

/** How far a renewal has come, by residents' ids. */
export type Coverage = {
  /** Have a template under the generation that stays. */
  readonly renewed: readonly string[];
  /** Are recognised by templates that are on their way out, and by nothing else. */
  readonly left: readonly string[];
  /** Have no template that is compared with: they must be enrolled again. */
  readonly needEnrolment: readonly string[];
};

export function coverageOf(
  generations: readonly Generation[],
  residents: readonly Pick<Resident, 'id'>[],
  counts: readonly TemplateCount[],
): Coverage {
  const stays = idsWith(
    counts,
    generations.filter((each) => isLive(each) && !each.retirement),
  );
  const goes = idsWith(
    counts,
    generations.filter((each) => isLive(each) && each.retirement),
  );
  const ids = residents.map(({ id }) => id);
  return {
    renewed: ids.filter((id) => stays.has(id)),
    left: ids.filter((id) => !stays.has(id) && goes.has(id)),
    needEnrolment: ids.filter((id) => !stays.has(id) && !goes.has(id)),
  };
}

/**
 * The daily round of the door: the day is counted, and generations end whose grace is over, or whose every
 * resident has all the new templates there are to get.
 */
export function afterDailyRound(
  all: readonly Generation[],
  counts: readonly TemplateCount[],
  wallMs: number,
): readonly Generation[] {
  const counted = all.map((each) => withDayCounted(each, wallMs));
  const stay = counted.filter((each) => isLive(each) && !each.retirement);
  const isOver = (generation: Generation) =>
    generation.retirement !== null &&
    (isGraceOver(generation, wallMs) || isReplaced(generation, stay, counts));
  return withEnded(counted, isOver, wallMs);
}

function isReplaced(
  generation: Generation,
  stay: readonly GenerationName[],
  counts: readonly TemplateCount[],
): boolean {
  const fresh = new Map<string, number>();
  for (const count of counts) {
    if (!stay.some((each) => sameGeneration(each, count))) continue;
    fresh.set(count.residentId, (fresh.get(count.residentId) ?? 0) + count.templates);
  }
  const has = (id: string) => (fresh.get(id) ?? 0) >= newTemplatesMost;
  return [...idsWith(counts, [generation])].every(has);
}

function idsWith(counts: readonly TemplateCount[], among: readonly GenerationName[]): Set<string> {
  const found = counts.filter((count) => among.some((each) => sameGeneration(each, count)));
  return new Set(found.map(({ residentId }) => residentId));
}
