/**
 * `project` of ports.ts. Instead of adding d numbers per bit of the code, it adds d/8 entries of tables
 * that hold the sum for each of the 256 sign patterns of eight numbers. Throws a TypeError on an
 * argument of the wrong type, length or range.
 */
export function project(signs: Uint8Array, q: Int8Array, y: Int32Array): void {
  if (!(q instanceof Int8Array) || q.length === 0 || q.length > maxDimensions) {
    throw new TypeError(`q must be an Int8Array of length 1 to ${maxDimensions}`);
  }
  if (!(y instanceof Int32Array) || y.length > maxBits) {
    throw new TypeError(`y must be an Int32Array of length 0 to ${maxBits}`);
  }
  const length = Math.ceil((y.length * q.length) / 8);
  if (!(signs instanceof Uint8Array) || signs.length !== length) {
    throw new TypeError(`signs must be a Uint8Array of length ${length}`);
  }
  const sums = patternSums(q);
  if (q.length % 8 === 0) projectBytes(signs, sums, y);
  else projectBits(signs, q.length, sums, y);
  // What can be computed from an embedding does not stay behind.
  sums.fill(0);
}

/** Longest embedding in use is 512; the tables of this many still fit a small processor's second cache. */
const maxDimensions = 1024;
const maxBits = 65_536;

/** Entry g·256 + p: q[8g] … q[8g + 7] added up, each with the sign that its bit in p says. Past the end, q is 0. */
function patternSums(q: Int8Array): Int16Array {
  const groups = Math.ceil(q.length / 8);
  const sums = new Int16Array(groups * 256);
  for (let group = 0; group < groups; group++) {
    const from = group * 256;
    let allMinus = 0;
    for (let bit = 0; bit < 8; bit++) allMinus -= q[group * 8 + bit] ?? 0;
    sums[from] = allMinus;
    for (let bit = 0; bit < 8; bit++) {
      const twice = 2 * (q[group * 8 + bit] ?? 0);
      const patterns = 1 << bit;
      for (let p = 0; p < patterns; p++) sums[from + patterns + p] = (sums[from + p] ?? 0) + twice;
    }
  }
  return sums;
}

function projectBytes(signs: Uint8Array, sums: Int16Array, y: Int32Array): void {
  for (let i = 0, byte = 0; i < y.length; i++) {
    let sum = 0;
    for (let from = 0; from < sums.length; from += 256, byte++) {
      sum += sums[from + (signs[byte] ?? 0)] ?? 0;
    }
    y[i] = sum;
  }
}

/** The same where rows do not begin with a byte: eight bits at a time from anywhere. */
function projectBits(signs: Uint8Array, dimensions: number, sums: Int16Array, y: Int32Array): void {
  for (let i = 0; i < y.length; i++) {
    let sum = 0;
    let bit = i * dimensions;
    for (let from = 0; from < sums.length; from += 256, bit += 8) {
      const byte = bit >>> 3;
      const two = (signs[byte] ?? 0) | ((signs[byte + 1] ?? 0) << 8);
      sum += sums[from + ((two >>> (bit & 7)) & 255)] ?? 0;
    }
    y[i] = sum;
  }
}
