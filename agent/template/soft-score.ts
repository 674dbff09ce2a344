import type { Probe } from './template.ts';

/**
 * Comparison score of a probe and a stored code, -1…1: Σ s_i·y_i / Σ |y_i| with s_i the sign the code
 * holds for bit i. Bits the probe is sure of weigh more. Equal to 1 - 2·(weight of the differing bits),
 * so neither key nor pad is needed: both codes carry the same pad, and it cancels.
 */
export function softScore(probe: Probe, code: Uint8Array): number {
  const { code: own, projections } = probe;
  if (code.length !== own.length || projections.length !== own.length * 8) {
    throw new TypeError(`codes of ${own.length} and ${code.length} bytes cannot be compared`);
  }
  let total = 0;
  let differing = 0;
  for (let byte = 0; byte < own.length; byte++) {
    const bits = (own[byte] ?? 0) ^ (code[byte] ?? 0);
    for (let k = 0; k < 8; k++) {
      const weight = Math.abs(projections[byte * 8 + k] ?? 0);
      total += weight;
      differing += ((bits >>> k) & 1) * weight;
    }
  }
  return total === 0 ? 0 : (total - 2 * differing) / total;
}
