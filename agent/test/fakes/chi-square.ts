/** Pearson's statistic: how far the counts are from those expected, in all. */
export function chiSquare(
  observed: ArrayLike<number>,
  expected: (index: number) => number,
): number {
  let sum = 0;
  for (let i = 0; i < observed.length; i++) {
    const wanted = expected(i);
    sum += ((observed[i] ?? 0) - wanted) ** 2 / wanted;
  }
  return sum;
}

/**
 * What chance exceeds once in ten million times: Wilson and Hilferty's approximation of the quantile of
 * chi-square at 1 - 1e-7 (z = 5.2).
 */
export function chiSquareLimit(degreesOfFreedom: number): number {
  const part = 2 / (9 * degreesOfFreedom);
  return degreesOfFreedom * (1 - part + 5.2 * Math.sqrt(part)) ** 3;
}
