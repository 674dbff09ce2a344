/** Divides by the L2 norm in place. False (and zeros): there is none to divide by. */
export function scaleToUnit(values: Float32Array): boolean {
  let squares = 0;
  for (const value of values) squares += value * value;
  const norm = Math.sqrt(squares);
  if (!(norm > 0 && norm < Number.POSITIVE_INFINITY)) {
    values.fill(0);
    return false;
  }
  for (let i = 0; i < values.length; i++) values[i] = (values[i] ?? 0) / norm;
  return true;
}
