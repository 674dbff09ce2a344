import { type Proportion, proportion } from './proportion.ts';
import { countAtLeast, thresholdForRate } from './score-threshold.ts';

/** What the search of one probe brought: the best resident, and how near the next one came. */
export type SearchOutcome =
  | {
      readonly kind: 'searched';
      /** Null: the gallery is empty. */
      readonly best: { readonly residentId: string; readonly score: number } | null;
      /** Of the best template of any other resident; null: there is none. */
      readonly runnerUpScore: number | null;
    }
  /** No template could be made of the probe (FTA). */
  | { readonly kind: 'not-acquired' };

export type ProbeResult = {
  /** The resident whom the probe shows; null: a stranger. */
  readonly mated: string | null;
  /** False: none of the pictures of that resident gave a template (FTE), so nothing could be found. */
  readonly enrolled: boolean;
  readonly outcome: SearchOutcome;
};

/**
 * Rates of the door (ISO/IEC 19795-1, open set). FPIR: strangers for whom the door would open. FNIR:
 * residents who are not recognised as themselves; one taken for another resident is counted in it, and
 * apart. Both are of the searches that took place; `…WithFta` are of everybody who came: who gave no
 * template, or has none enrolled, stays outside.
 */
export type IdentificationPoint = {
  readonly threshold: number;
  readonly fpir: Proportion;
  readonly fnir: Proportion;
  readonly misidentified: Proportion;
  /** At or above the threshold, but too close to another resident. */
  readonly refusedByMargin: { readonly mated: number; readonly nonMated: number };
  readonly fpirWithFta: Proportion;
  readonly fnirWithFta: Proportion;
};

export type IdentificationTargetPoint =
  | { readonly kind: 'measured'; readonly fpirTarget: number; readonly point: IdentificationPoint }
  | {
      readonly kind: 'not-supported';
      readonly fpirTarget: number;
      readonly nonMatedProbesNeeded: number;
    };

export type IdentificationAccuracy = {
  readonly matedProbes: number;
  readonly nonMatedProbes: number;
  readonly notAcquired: { readonly matedProbes: number; readonly nonMatedProbes: number };
  /** Mated probes of residents who could not be enrolled, among those acquired. */
  readonly notEnrolled: { readonly matedProbes: number };
  readonly margin: number;
  /** The right resident comes first, whatever the threshold and the margin. */
  readonly rank1: Proportion;
  readonly operatingPoints: readonly IdentificationTargetPoint[];
  /** The trade-off (DET) at the thresholds that were asked for. */
  readonly points: readonly IdentificationPoint[];
};

export type IdentificationOptions = {
  /** Least lead of the best resident over the next: below it the decision is ambiguous, the door shut. */
  readonly margin?: number;
  readonly fpirTargets?: readonly number[];
  readonly thresholds?: readonly number[];
};

export const defaultFpirTargets = [0.01, 0.003] as const;
export const defaultThresholds = [0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6] as const;

/** How often the door would open for strangers, and stay shut for residents. Match: score >= threshold, lead >= margin. */
export function identificationAccuracy(
  results: readonly ProbeResult[],
  options: IdentificationOptions = {},
): IdentificationAccuracy {
  const margin = options.margin ?? 0;
  if (!(margin >= 0)) throw new TypeError(`the margin is at least 0, not ${margin}`);
  const mated = results.filter((result) => result.mated !== null);
  const nonMated = results.filter((result) => result.mated === null);
  const searchedMated = mated.filter((result) => result.enrolled && wasSearched(result));
  const searchedNonMated = nonMated.filter(wasSearched);

  // As `decide` does: of two equal scores neither wins, whatever the margin.
  const leads = ({ lead }: Best) => lead >= margin && lead > 0;
  const right = bestScores(searchedMated, (best) => leads(best) && best.isMate);
  const wrong = bestScores(searchedMated, (best) => leads(best) && !best.isMate);
  const tooClose = bestScores(searchedMated, (best) => !leads(best));
  const stranger = bestScores(searchedNonMated, leads);
  const strangerTooClose = bestScores(searchedNonMated, (best) => !leads(best));

  const pointAt = (threshold: number): IdentificationPoint => {
    const found = countAtLeast(right, threshold);
    const opened = countAtLeast(stranger, threshold);
    return {
      threshold,
      fpir: proportion(opened, searchedNonMated.length),
      fnir: proportion(searchedMated.length - found, searchedMated.length),
      misidentified: proportion(countAtLeast(wrong, threshold), searchedMated.length),
      refusedByMargin: {
        mated: countAtLeast(tooClose, threshold),
        nonMated: countAtLeast(strangerTooClose, threshold),
      },
      fpirWithFta: proportion(opened, nonMated.length),
      fnirWithFta: proportion(mated.length - found, mated.length),
    };
  };
  const acquiredMated = mated.filter(wasSearched).length;
  return {
    matedProbes: mated.length,
    nonMatedProbes: nonMated.length,
    notAcquired: {
      matedProbes: mated.length - acquiredMated,
      nonMatedProbes: nonMated.length - searchedNonMated.length,
    },
    notEnrolled: { matedProbes: acquiredMated - searchedMated.length },
    margin,
    rank1: proportion(searchedMated.filter(isFirst).length, searchedMated.length),
    operatingPoints: (options.fpirTargets ?? defaultFpirTargets).map((fpirTarget) => {
      const found = thresholdForRate(stranger, searchedNonMated.length, fpirTarget, right);
      return found.kind === 'measured'
        ? { kind: 'measured', fpirTarget, point: pointAt(found.threshold) }
        : { kind: 'not-supported', fpirTarget, nonMatedProbesNeeded: found.trialsNeeded };
    }),
    points: (options.thresholds ?? defaultThresholds).map(pointAt),
  };
}

function wasSearched(result: ProbeResult): boolean {
  return result.outcome.kind === 'searched';
}

function isFirst({ mated, outcome }: ProbeResult): boolean {
  return outcome.kind === 'searched' && outcome.best?.residentId === mated;
}

type Best = { readonly isMate: boolean; readonly lead: number };

/** Ascending scores of the best residents that satisfy `keep`. */
function bestScores(results: readonly ProbeResult[], keep: (best: Best) => boolean): Float64Array {
  const scores: number[] = [];
  for (const { mated, outcome } of results) {
    if (outcome.kind !== 'searched' || !outcome.best) continue;
    const { residentId, score } = outcome.best;
    const lead = score - (outcome.runnerUpScore ?? Number.NEGATIVE_INFINITY);
    if (!Number.isFinite(score) || !(lead >= 0)) {
      throw new TypeError(`the best score ${score} is not above ${outcome.runnerUpScore}`);
    }
    if (keep({ isMate: residentId === mated, lead })) scores.push(score);
  }
  return Float64Array.from(scores).sort();
}
