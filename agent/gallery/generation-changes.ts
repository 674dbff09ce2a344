import { AgentError } from '../errors.ts';
import type { Generation, SealedTemplate } from '../ports.ts';
import { isLive, sameGeneration } from './generation.ts';

/**
 * Those that are new or differ. What has ended stays so and stays known, because a version is never used
 * twice: anything else is a TypeError.
 */
export function changedGenerations(
  before: readonly Generation[],
  after: readonly Generation[],
): Generation[] {
  for (const each of before) {
    const now = after.find((other) => sameGeneration(other, each));
    if (!now || (!isLive(each) && isLive(now))) {
      throw new TypeError('a generation cannot be left out, nor begin again');
    }
  }
  return after.filter((each) => {
    const old = before.find((other) => sameGeneration(other, each));
    return old === undefined || !isEqual(old, each);
  });
}

/** The generations that these templates are the first of. @throws GENERATION_ENDED */
export function begunBy(
  templates: readonly SealedTemplate[],
  known: readonly Generation[],
  startedAt: number,
): Generation[] {
  const begun: Generation[] = [];
  for (const { modelSha256, version } of templates) {
    const named = { modelSha256, version };
    const found = [...known, ...begun].find((each) => sameGeneration(each, named));
    if (found && !takesTemplates(found)) {
      throw new AgentError(
        'GENERATION_ENDED',
        `template version ${version} ended, or was given to a backup's templates, while these were made`,
      );
    }
    if (found) continue;
    begun.push({ ...named, startedAt, wrappedKey: null, retirement: null, endedAt: null });
  }
  return begun;
}

/** Of templates that another device made there are no new ones: the key of this version is not this device's. */
export function takesTemplates(generation: Generation): boolean {
  return isLive(generation) && generation.wrappedKey === null;
}

function isEqual(a: Generation, b: Generation): boolean {
  const [x, y] = [a.retirement, b.retirement];
  return (
    a.endedAt === b.endedAt &&
    sameBytes(a.wrappedKey, b.wrappedKey) &&
    (x === null) === (y === null) &&
    x?.since === y?.since &&
    x?.graceDays === y?.graceDays &&
    x?.daysSeen === y?.daysSeen &&
    x?.lastDay === y?.lastDay
  );
}

function sameBytes(a: Uint8Array | null, b: Uint8Array | null): boolean {
  if (a === null || b === null) return a === b;
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
