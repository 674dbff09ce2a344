/** What a CUSUM chart says of a series of standardised differences. */
export type Cusum =
  | { readonly kind: 'steady'; readonly height: number }
  /** `sinceIndex`: where the sum that went over the limit had begun. */
  | {
      readonly kind: 'drift';
      readonly height: number;
      readonly direction: 'up' | 'down';
      readonly sinceIndex: number;
    };

/**
 * Page's cumulative sums (1954), to both sides. It sees a small change that stays where a test of each day sees
 * nothing, and with the reference value of one half it is quickest at changes of one standard error.
 */
export function cusum(differences: readonly number[], limit: number): Cusum {
  const up = oneSided(differences, limit);
  const down = oneSided(
    differences.map((difference) => -difference),
    limit,
  );
  const [direction, side] =
    up.height >= down.height ? (['up', up] as const) : (['down', down] as const);
  return side.sinceIndex === undefined
    ? { kind: 'steady', height: side.height }
    : { kind: 'drift', height: side.height, direction, sinceIndex: side.sinceIndex };
}

/**
 * The limit under which `points` points of series without any change give `falseAlarms` on average: by
 * Siegmund's approximation (1985) of the average run length, for two sides.
 */
export function cusumLimit(points: number, falseAlarms: number): number {
  const wanted = (2 * Math.max(1, points)) / falseAlarms;
  let low = 0;
  let high = 100;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (runLength(middle) < wanted) low = middle;
    else high = middle;
  }
  return high;
}

/** Points until a false alarm, on average, of one side. */
function runLength(limit: number): number {
  const b = 2 * reference * (limit + 1.166);
  return (Math.exp(b) - b - 1) / (2 * reference ** 2);
}

const reference = 0.5;

function oneSided(differences: readonly number[], limit: number) {
  let sum = 0;
  let began = 0;
  let height = 0;
  let sinceIndex: number | undefined;
  for (const [index, difference] of differences.entries()) {
    if (sum === 0) began = index;
    sum = Math.max(0, sum + difference - reference);
    height = Math.max(height, sum);
    if (sum > limit) sinceIndex ??= began;
  }
  return { height, sinceIndex };
}
