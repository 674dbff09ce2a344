import { z95 } from './normal-distribution.ts';

/** Sums over doors, of which each had `trials` attempts with `events` among them. */
export type DoorSums = {
  readonly doors: number;
  readonly events: number;
  readonly trials: number;
  readonly eventsSquared: number;
  readonly trialsSquared: number;
  readonly eventsTimesTrials: number;
};

export type ClusteredShare = {
  /** Null where nothing was tried; the interval is then all of 0…1. */
  readonly share: number | null;
  readonly low95: number;
  readonly high95: number;
  /** How many attempts are worth one that is independent of all others: 1 or more. */
  readonly designEffect: number;
};

/**
 * A share of attempts with the 95 % interval of Wilson (1927). Attempts at one door are alike (its light, its
 * residents), so they count for fewer: they are divided by the design effect (Rao and Scott, 1992), which is
 * the variance between doors, as a ratio has it, over that of as many independent attempts.
 */
export function clusteredShare(sums: DoorSums): ClusteredShare {
  const { doors, events, trials } = sums;
  if (!(events >= 0 && events <= trials)) throw new TypeError('no share has these sums');
  if (trials === 0) return { share: null, low95: 0, high95: 1, designEffect: 1 };
  const share = events / trials;
  const residuals =
    sums.eventsSquared - 2 * share * sums.eventsTimesTrials + share * share * sums.trialsSquared;
  const between = (doors / Math.max(1, doors - 1)) * (residuals / trials ** 2);
  const independent = (share * (1 - share)) / trials;
  // None of none, and few doors, can look more even than chance would have it: that proves nothing.
  const designEffect = independent > 0 ? Math.max(1, between / independent) : 1;
  return { share, ...wilson(share, trials / designEffect), designEffect };
}

function wilson(share: number, trials: number) {
  const z2 = z95 * z95;
  const centre = (share + z2 / (2 * trials)) / (1 + z2 / trials);
  const half =
    (z95 / (1 + z2 / trials)) *
    Math.sqrt((share * (1 - share)) / trials + z2 / (4 * trials * trials));
  return {
    low95: share === 0 ? 0 : Math.max(0, centre - half),
    high95: share === 1 ? 1 : Math.min(1, centre + half),
  };
}
