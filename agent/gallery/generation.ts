import { AgentError } from '../errors.ts';
import type { Generation } from '../ports.ts';
import { dayOf } from './grace.ts';

export type GenerationName = Pick<Generation, 'modelSha256' | 'version'>;

export function sameGeneration(a: GenerationName, b: GenerationName): boolean {
  return a.modelSha256 === b.modelSha256 && a.version === b.version;
}

export function isLive(generation: Generation): boolean {
  return generation.endedAt === null;
}

/** The one that new templates of this model are made under: the newest of this device; else one that is yet to begin. */
export function currentGeneration(
  all: readonly Generation[],
  modelSha256: string,
  atMs: number,
): Generation {
  const own = all.filter(
    (each) => each.modelSha256 === modelSha256 && isLive(each) && each.wrappedKey === null,
  );
  return own.toSorted((a, b) => b.version - a.version)[0] ?? nextGeneration(all, modelSha256, atMs);
}

/** A version that no template of this model ever had: those that have ended count. */
export function nextGeneration(
  all: readonly Generation[],
  modelSha256: string,
  atMs: number,
): Generation {
  const taken = all.filter((each) => each.modelSha256 === modelSha256).map((each) => each.version);
  const version = Math.max(0, ...taken) + 1;
  return {
    modelSha256,
    version,
    startedAt: atMs,
    wrappedKey: null,
    retirement: null,
    endedAt: null,
  };
}

/** New templates under a new version; all before it are on their way out. @throws RENEWAL_REFUSED */
export function beginRenewal(
  all: readonly Generation[],
  modelSha256: string,
  atMs: number,
  graceDays: number,
): readonly Generation[] {
  const underWay = renewalUnderWay(all, modelSha256);
  if (underWay) {
    const since = new Date(underWay.retirement?.since ?? 0).toISOString().slice(0, 10);
    throw new AgentError(
      'RENEWAL_REFUSED',
      `a renewal is under way since ${since}: wait for its end, or end it with --now`,
    );
  }
  const before = all.map((each) => retired(each, atMs, graceDays));
  return [...before, nextGeneration(all, modelSha256, atMs)];
}

/** The generation of this model and device that is being replaced; undefined: none is. */
export function renewalUnderWay(
  all: readonly Generation[],
  modelSha256: string,
): Generation | undefined {
  return all.find(
    (each) =>
      each.modelSha256 === modelSha256 && isLive(each) && !each.wrappedKey && each.retirement,
  );
}

/**
 * The door works with this model: its newest generation stays, or begins; those of other models are on
 * their way out. Going back to an earlier model takes its generation back.
 */
export function settledOn(
  all: readonly Generation[],
  modelSha256: string,
  atMs: number,
  graceDays: number,
): readonly Generation[] {
  const current = currentGeneration(all, modelSha256, atMs);
  const isKnown = all.some((each) => sameGeneration(each, current));
  return (isKnown ? all : [...all, current]).map((each) => {
    if (sameGeneration(each, current)) return { ...each, retirement: null };
    return each.modelSha256 === modelSha256 ? each : retired(each, atMs, graceDays);
  });
}

function retired(generation: Generation, atMs: number, graceDays: number): Generation {
  if (!isLive(generation) || generation.retirement) return generation;
  const retirement = { since: atMs, graceDays, daysSeen: 0, lastDay: dayOf(atMs) };
  return { ...generation, retirement };
}

/** Ended generations stay in the list: their versions are never used again. Their keys do not. */
export function withEnded(
  all: readonly Generation[],
  isOver: (generation: Generation) => boolean,
  atMs: number,
): readonly Generation[] {
  return all.map((each) =>
    isLive(each) && isOver(each)
      ? { ...each, endedAt: atMs, wrappedKey: null, retirement: null }
      : each,
  );
}
