import type { Draws } from '../../agent/protection/draws.ts';
import type { StageTimes } from '../../agent/recognition/stopwatch.ts';
import type { FailureReason } from '../../agent/ueip/attempt.ts';
import type { Door, Faults } from './fleet-plan.ts';

/** An attempt as it happened, before anything was left out of it. */
export type Happened = {
  /** From midnight of the house, on a day of 24 hours. */
  readonly atMs: number;
  /** Who it was, and which look; undefined: there was no face, or none that could be used. */
  readonly face: { readonly who: number; readonly look: number } | undefined;
  /** Null: a success. */
  readonly reason: FailureReason | null;
  readonly bestScore: number | null;
  readonly overheadMs: number;
  readonly stagesMs: StageTimes;
};

export type DoorDay = {
  /** From 0. */
  readonly day: number;
  readonly ofDays: number;
  readonly agentVersion: string;
  readonly faults: Faults;
};

/** What happens at a door in one day, in the order of time. */
export function doorDay(door: Door, today: DoorDay, draws: Draws): Happened[] {
  const visits = poisson(door.visitsPerDay, draws);
  const happened = Array.from({ length: visits }, () => visit(door, today, draws)).flat();
  return happened.sort((a, b) => a.atMs - b.atMs);
}

/** Somebody comes, and tries again if it was refused; strangers give up sooner. */
function visit(door: Door, today: DoorDay, draws: Draws): Happened[] {
  const isStranger = uniform(draws) < strangerShare;
  const who = isStranger ? draws.below(1 << 30) : firstFaceOf(door) + draws.below(door.residents);
  const hour = drawnHour(draws);
  const attempts: Happened[] = [];
  let atMs = (hour + uniform(draws)) * 3_600_000;
  for (let tries = 1; tries <= 3 && atMs < dayMs; tries++) {
    const reason = outcome(door, today, { hour: Math.floor(atMs / 3_600_000), isStranger }, draws);
    attempts.push(attempt(door, today, { atMs, who, reason }, draws));
    if (reason === null || uniform(draws) > (isStranger ? 0.3 : 0.7)) break;
    atMs += 2_000 + 10_000 * uniform(draws);
  }
  return attempts;
}

/** Residents of one door are other people than those of the next, as far as the pool has enough. */
function firstFaceOf({ visitsPerDay, slowness }: Door): number {
  return Math.floor(visitsPerDay * 7_919 + slowness * 104_729);
}

/** By chance one after the other, so that their shares add up. */
function outcome(
  door: Door,
  { agentVersion, day, ofDays, faults }: DoorDay,
  { hour, isStranger }: { readonly hour: number; readonly isStranger: boolean },
  draws: Draws,
): FailureReason | null {
  const { release, dusk, drift } = faults;
  const isDark = door.isDarkAtDusk && hour >= dusk.fromHour && hour < dusk.untilHour;
  const drifts = agentVersion === drift.agentVersion && day >= ofDays - drift.daysFromEnd;
  const isOfRelease = agentVersion === release.agentVersion;
  const noMatch = 0.035 * door.refusal + (isOfRelease ? release.addedNoMatch / residentShare : 0);
  const shares: readonly (readonly [FailureReason, number])[] = [
    ['camera-lost', 0.0005],
    ['model-failed', 0.0002],
    ['stale', 0.001],
    ['no-face', 0.01 * door.refusal + (drifts ? drift.addedNoFace : 0)],
    ['low-quality', isDark ? dusk.lowQuality : 0.02 * door.refusal],
    ['attack', 0.002],
    ['ambiguous', 0.002],
    ['no-match', isStranger ? 0.97 : noMatch],
  ];
  let left = uniform(draws);
  for (const [reason, share] of shares) {
    if (left < share) return reason;
    left -= share;
  }
  return null;
}

function attempt(
  door: Door,
  { faults }: DoorDay,
  { atMs, who, reason }: { atMs: number; who: number; reason: FailureReason | null },
  draws: Draws,
): Happened {
  const stagesMs = stageTimes(door, faults, reason, draws);
  const isFault = reason === 'camera-lost' || reason === 'model-failed';
  const late = reason === 'stale' ? 3_000 : 0;
  const beside = isFault ? 0 : late + aboutMs(60, door, draws);
  const isCompared = reason === null || reason === 'no-match' || reason === 'ambiguous';
  return {
    atMs,
    face: isCompared ? { who, look: draws.below(1 << 30) } : undefined,
    reason,
    bestScore: isCompared ? (reason === 'no-match' ? 0.3 : 0.6) + 0.05 * draws.normal() : null,
    overheadMs: stagesMs.total + beside,
    stagesMs,
  };
}

/** As far as the attempt came. Of the size to be expected of a door's processor; not measured on one. */
function stageTimes(
  door: Door,
  { recogniser }: Faults,
  reason: FailureReason | null,
  draws: Draws,
): StageTimes {
  if (reason === 'camera-lost' || reason === 'model-failed') return { total: 0 };
  const isSlow = door.embeddingModel === recogniser.embeddingModel;
  const factor = isSlow ? recogniser.embedFactor : 1;
  const detect = aboutMs(70, door, draws);
  if (reason === 'no-face') return { detect, total: detect };
  const quality = aboutMs(12, door, draws);
  if (reason === 'low-quality') return { detect, quality, total: detect + quality };
  const pad = aboutMs(90, door, draws);
  if (reason === 'attack') return { detect, quality, pad, total: detect + quality + pad };
  const embed = aboutMs(180 * factor, door, draws);
  const search = aboutMs(6, door, draws);
  return { detect, quality, pad, embed, search, total: detect + quality + pad + embed + search };
}

function aboutMs(middleMs: number, { slowness }: Door, draws: Draws): number {
  return middleMs * slowness * Math.exp(0.15 * draws.normal());
}

/** Mornings and evenings, and hardly anybody at night. */
const visitsByHour = [1, 1, 0, 0, 0, 2, 6, 12, 12, 8, 6, 6, 8, 7, 6, 7, 9, 12, 13, 11, 8, 6, 4, 2];
const hoursByVisit = visitsByHour.flatMap((visits, hour) => new Array<number>(visits).fill(hour));

function drawnHour(draws: Draws): number {
  return hoursByVisit[draws.below(hoursByVisit.length)] ?? 12;
}

const strangerShare = 0.06;
/** Of attempts: strangers try less often again, so nearly that of visits. */
const residentShare = 1 - strangerShare;
const dayMs = 86_400_000;

function uniform(draws: Draws): number {
  return draws.below(1 << 30) / (1 << 30);
}

/** Knuth's product of uniform numbers: for means below some hundreds. */
function poisson(mean: number, draws: Draws): number {
  const limit = Math.exp(-mean);
  let count = 0;
  for (let product = uniform(draws); product > limit; product *= uniform(draws)) count += 1;
  return count;
}
