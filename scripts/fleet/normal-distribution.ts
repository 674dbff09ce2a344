/** The standard normal distribution has 95 % between -z95 and z95. */
export const z95 = 1.959963984540054;

/**
 * Chance of more than z, with a relative error below 1e-9 as far out as it matters: the series of
 * the density's integral near the middle, Laplace's continued fraction beyond it.
 */
export function upperTail(z: number): number {
  if (Number.isNaN(z)) throw new TypeError('there is no tail beyond NaN');
  if (z < 0) return 1 - upperTail(-z);
  const density = Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI);
  return z < 2.5 ? 0.5 - density * series(z) : density / fraction(z);
}

/**
 * A value of Student's t as one of the normal distribution that is as far out (Wallace, 1959): what a
 * difference between few doors is worth.
 */
export function tAsNormal(t: number, degrees: number): number {
  const size = Math.sqrt(degrees * Math.log1p((t * t) / degrees));
  return Math.sign(t) * size * ((8 * degrees + 1) / (8 * degrees + 3));
}

/** The other way about: as many standard errors as 95 % need between few doors. */
export function t95(degrees: number): number {
  const size = (z95 * (8 * degrees + 3)) / (8 * degrees + 1);
  return Math.sqrt(degrees * Math.expm1((size * size) / degrees));
}

function series(z: number): number {
  let sum = 0;
  let term = z;
  for (let odd = 3; sum + term !== sum; odd += 2) {
    sum += term;
    term *= (z * z) / odd;
  }
  return sum;
}

function fraction(z: number): number {
  let below = z;
  for (let depth = 200; depth > 0; depth--) below = z + depth / below;
  return below;
}
