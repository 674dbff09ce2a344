import { type RandomBytes, uniformBelow } from './random.ts';

/**
 * A whole number x with probability proportional to e^(-|x| / scale): added to a count that one person
 * changes by at most 1, it makes the count differentially private with epsilon = 1 / scale.
 *
 * Algorithms 1 and 2 of Canonne, Kamath and Steinke, "The Discrete Gaussian for Differential Privacy"
 * (2020), with the scale a whole number: exact, for it only compares whole numbers. A logarithm of a
 * floating-point number would leave gaps among the results that give the count away (Mironov, 2012).
 */
export function discreteLaplace(scale: number, random: RandomBytes): number {
  if (!Number.isInteger(scale) || scale < 1 || scale > 0xffff) {
    throw new TypeError(`a scale is a whole number from 1 to 65535, not ${scale}`);
  }
  for (;;) {
    const rest = uniformBelow(scale, random);
    if (!happensExp(rest, scale, random)) continue;
    let whole = 0;
    while (happensExp(1, 1, random)) whole += 1;
    const size = rest + scale * whole;
    const negative = uniformBelow(2, random) === 1;
    // Zero has one sign only: without this it would be drawn twice as often.
    if (negative && size === 0) continue;
    return negative ? -size : size;
  }
}

/** True with probability e^(-part / whole), for 0 <= part <= whole: the parity of a run of coins. */
function happensExp(part: number, whole: number, random: RandomBytes): boolean {
  let run = 1;
  while (uniformBelow(whole * run, random) < part) run += 1;
  return run % 2 === 1;
}
