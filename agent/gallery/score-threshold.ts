/**
 * The threshold that lets at most `target` of `trials` through, and the lowest such one that was seen
 * as a score. A score passes when it is at or above the threshold, so of equal scores all pass or none.
 */
export type ThresholdForRate =
  | { readonly kind: 'measured'; readonly threshold: number }
  /** So few trials cannot show so small a rate: one single event would already exceed it. */
  | { readonly kind: 'not-supported'; readonly trialsNeeded: number };

/**
 * `unwanted`: ascending scores that should not pass, at most `trials` of them (the other trials could
 * not pass at any threshold). `wanted`: ascending scores that should.
 */
export function thresholdForRate(
  unwanted: Float64Array,
  trials: number,
  target: number,
  wanted: Float64Array,
): ThresholdForRate {
  if (!(target > 0 && target < 1)) throw new TypeError(`no rate between 0 and 1: ${target}`);
  if (unwanted.length > trials) throw new TypeError('more scores than trials');
  const allowed = mostEvents(target, trials);
  if (allowed < 1) return { kind: 'not-supported', trialsNeeded: trialsFor(target) };
  const bar = unwanted[unwanted.length - 1 - allowed] ?? Number.NEGATIVE_INFINITY;
  const seen = Math.min(
    unwanted[firstAbove(unwanted, bar)] ?? Number.POSITIVE_INFINITY,
    wanted[firstAbove(wanted, bar)] ?? Number.POSITIVE_INFINITY,
  );
  if (Number.isFinite(seen)) return { kind: 'measured', threshold: seen };
  // Nothing was seen above the bar; without a bar nothing was seen at all, and any threshold will do.
  return { kind: 'measured', threshold: Number.isFinite(bar) ? nextAbove(bar) : 0 };
}

/** How many of the ascending scores pass: those at or above the threshold. */
export function countAtLeast(ascending: Float64Array, threshold: number): number {
  return ascending.length - partition(ascending, (score) => score >= threshold);
}

/** The next number above, so that `score >= nextAbove(x)` says `score > x`. */
export function nextAbove(value: number): number {
  if (value === 0) return Number.MIN_VALUE;
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  view.setBigInt64(0, view.getBigInt64(0) + (value > 0 ? 1n : -1n));
  return view.getFloat64(0);
}

/** The largest k with k / trials <= target, free of the rounding of target · trials. */
function mostEvents(target: number, trials: number): number {
  const k = Math.ceil(target * trials);
  return k / trials <= target ? k : k - 1;
}

/** The fewest trials with 1 / trials <= target. */
function trialsFor(target: number): number {
  const trials = Math.floor(1 / target);
  return 1 / trials <= target ? trials : trials + 1;
}

function firstAbove(ascending: Float64Array, bar: number): number {
  return partition(ascending, (score) => score > bar);
}

/** The first index whose score satisfies `passes`, which is false up to some score and true from it on. */
function partition(ascending: Float64Array, passes: (score: number) => boolean): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (passes(ascending[middle] ?? Number.NaN)) high = middle;
    else low = middle + 1;
  }
  return low;
}
