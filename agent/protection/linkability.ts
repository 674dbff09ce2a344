import type { Draws } from './draws.ts';

/** How well scores tell "from one sample" (mated) from "from two" (non-mated). */
export type Linkability = {
  /** 0: not at all, 1: always. */
  readonly dSys: number;
  /** Equal steps from the lowest to the highest of all scores. */
  readonly bins: number;
  readonly mated: number;
  readonly nonMated: number;
};

/**
 * D_sys of Gomez-Barrero, Galbally, Rathgeb and Busch, "General Framework to Evaluate Unlinkability in
 * Biometric Template Protection Systems" (IEEE TIFS, 2018), with equal priors (omega = 1): where
 * LR(s) = p(s | mated) / p(s | non-mated) is above 1 the score s links by D(s) = 2·LR / (1 + LR) - 1,
 * elsewhere by 0, and D_sys is the mean of D over the mated scores. The densities are histograms of one
 * bin for every ten mated scores, at most 100. Never negative, so that pure chance gives more than 0:
 * `linkabilityFloor` says how much.
 */
export function linkability(mated: ArrayLike<number>, nonMated: ArrayLike<number>): Linkability {
  const { of, bins } = binned(mated, nonMated);
  return {
    dSys: dSysOf(of, mated.length, bins),
    bins,
    mated: mated.length,
    nonMated: nonMated.length,
  };
}

/** What D_sys is where nothing can be linked: of random labels for the same scores. */
export function linkabilityFloor(
  mated: ArrayLike<number>,
  nonMated: ArrayLike<number>,
  draws: Pick<Draws, 'below'>,
  repeats = 10,
): { readonly mean: number; readonly highest: number } {
  const { of, bins } = binned(mated, nonMated);
  const found: number[] = [];
  for (let repeat = 0; repeat < repeats; repeat++) {
    for (let i = 0; i < mated.length; i++) {
      const j = i + draws.below(of.length - i);
      const taken = of[j] ?? 0;
      of[j] = of[i] ?? 0;
      of[i] = taken;
    }
    found.push(dSysOf(of, mated.length, bins));
  }
  return {
    mean: found.reduce((sum, dSys) => sum + dSys, 0) / repeats,
    highest: Math.max(...found),
  };
}

/**
 * Share of the pairs (one mated, one non-mated distance) in which the mated one is smaller; equal ones
 * count half. 0.5: distances say nothing.
 */
export function areaUnderRoc(
  matedDistances: ArrayLike<number>,
  nonMatedDistances: ArrayLike<number>,
): number {
  const mated = Float64Array.from(matedDistances).sort();
  const nonMated = Float64Array.from(nonMatedDistances).sort();
  let below = 0;
  let upTo = 0;
  let won = 0;
  for (const distance of mated) {
    while ((nonMated[below] ?? Number.POSITIVE_INFINITY) < distance) below += 1;
    upTo = Math.max(upTo, below);
    while ((nonMated[upTo] ?? Number.POSITIVE_INFINITY) <= distance) upTo += 1;
    won += nonMated.length - upTo + (upTo - below) / 2;
  }
  return won / (mated.length * nonMated.length);
}

const mostBins = 100;
const scoresPerBin = 10;

/** The bin of every score, the mated ones first. */
function binned(
  mated: ArrayLike<number>,
  nonMated: ArrayLike<number>,
): { readonly of: Uint8Array; readonly bins: number } {
  if (mated.length === 0 || nonMated.length === 0) {
    throw new TypeError('linkability needs mated and non-mated scores');
  }
  const scores = new Float64Array(mated.length + nonMated.length);
  scores.set(Float64Array.from(mated));
  scores.set(Float64Array.from(nonMated), mated.length);
  let lowest = Number.POSITIVE_INFINITY;
  let highest = Number.NEGATIVE_INFINITY;
  for (const score of scores) {
    if (!Number.isFinite(score)) throw new TypeError('a comparison score is not finite');
    lowest = Math.min(lowest, score);
    highest = Math.max(highest, score);
  }
  const bins = Math.max(2, Math.min(mostBins, Math.floor(mated.length / scoresPerBin)));
  const width = (highest - lowest) / bins;
  const of = Uint8Array.from(scores, (score) =>
    width > 0 ? Math.min(bins - 1, Math.floor((score - lowest) / width)) : 0,
  );
  return { of, bins };
}

/** The first `mated` entries are the mated ones. */
function dSysOf(of: Uint8Array, mated: number, bins: number): number {
  const matedShare = new Float64Array(bins);
  const nonMatedShare = new Float64Array(bins);
  const nonMated = of.length - mated;
  of.forEach((bin, i) => {
    if (i < mated) matedShare[bin] = (matedShare[bin] ?? 0) + 1 / mated;
    else nonMatedShare[bin] = (nonMatedShare[bin] ?? 0) + 1 / nonMated;
  });
  let sum = 0;
  for (let bin = 0; bin < bins; bin++) {
    const p = matedShare[bin] ?? 0;
    const q = nonMatedShare[bin] ?? 0;
    // 2·LR / (1 + LR) - 1 with LR = p/q, written so that q may be 0.
    if (p > q) sum += (p * (p - q)) / (p + q);
  }
  return sum;
}
