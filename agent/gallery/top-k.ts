/**
 * `hammingTopK` of ports.ts: a scan over all rows, k best kept in order. Throws a TypeError on an
 * argument of the wrong type, length or range.
 */
export function hammingTopK(
  codes: Uint8Array,
  count: number,
  probe: Uint8Array,
  rows: Uint32Array,
  distances: Uint32Array,
): number {
  checkScan(codes, count, probe, rows, distances, Uint8Array, Uint32Array);
  const distance = distanceTo(probe, codes, count);
  let found = 0;
  for (let row = 0; row < count; row++) {
    const bits = distance(row);
    if (found === rows.length && !(bits < (distances[found - 1] ?? 0))) continue;
    let place = found < rows.length ? found++ : found - 1;
    for (; place > 0 && bits < (distances[place - 1] ?? 0); place--) {
      distances[place] = distances[place - 1] ?? 0;
      rows[place] = rows[place - 1] ?? 0;
    }
    distances[place] = bits;
    rows[place] = row;
  }
  return found;
}

/**
 * `dotTopK` of ports.ts. Sums in double, rounded to float32 at the end. A row whose product is not a
 * number scores −∞: it can only come last.
 */
export function dotTopK(
  vectors: Float32Array,
  count: number,
  probe: Float32Array,
  rows: Uint32Array,
  scores: Float32Array,
): number {
  checkScan(vectors, count, probe, rows, scores, Float32Array, Float32Array);
  if (!probe.every(Number.isFinite)) throw new TypeError('probe must hold finite numbers');
  let found = 0;
  for (let row = 0; row < count; row++) {
    const score = dot(vectors, row * probe.length, probe);
    if (found === rows.length && !(score > (scores[found - 1] ?? 0))) continue;
    let place = found < rows.length ? found++ : found - 1;
    for (; place > 0 && score > (scores[place - 1] ?? 0); place--) {
      scores[place] = scores[place - 1] ?? 0;
      rows[place] = rows[place - 1] ?? 0;
    }
    scores[place] = score;
    rows[place] = row;
  }
  return found;
}

function dot(vectors: Float32Array, from: number, probe: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < probe.length; i++) sum += (vectors[from + i] ?? 0) * (probe[i] ?? 0);
  return Number.isNaN(sum) ? Number.NEGATIVE_INFINITY : Math.fround(sum);
}

/** Bits that differ between the probe and a row: by 32-bit words where memory allows, else by bytes. */
function distanceTo(probe: Uint8Array, codes: Uint8Array, count: number): (row: number) => number {
  if (probe.length % 4 !== 0 || codes.byteOffset % 4 !== 0) {
    return (row) => {
      let bits = 0;
      const from = row * probe.length;
      for (let i = 0; i < probe.length; i++) {
        bits += byteSum(halfCount((codes[from + i] ?? 0) ^ (probe[i] ?? 0)));
      }
      return bits;
    };
  }
  const length = probe.length / 4;
  const words = new Uint32Array(codes.buffer, codes.byteOffset, count * length);
  const wanted = new Uint32Array(probe.slice().buffer);
  return (row) => {
    const from = row * length;
    let bits = 0;
    for (let i = 0; i < length; ) {
      // A byte of the sum holds 255: 31 words of at most 8.
      const end = Math.min(length, i + 31);
      let bytes = 0;
      for (; i < end; i++) bytes += halfCount((words[from + i] ?? 0) ^ (wanted[i] ?? 0));
      bits += byteSum(bytes);
    }
    return bits;
  };
}

/** Set bits of each byte, in that byte. */
function halfCount(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const nibbles = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return (nibbles + (nibbles >>> 4)) & 0x0f0f0f0f;
}

function byteSum(bytes: number): number {
  const words = (bytes & 0x00ff00ff) + ((bytes >>> 8) & 0x00ff00ff);
  return (words & 0xffff) + (words >>> 16);
}

type Kind = Uint8ArrayConstructor | Uint32ArrayConstructor | Float32ArrayConstructor;
type Values = Uint8Array | Uint32Array | Float32Array;

function checkScan(
  table: Values,
  count: number,
  probe: Values,
  rows: Uint32Array,
  results: Values,
  input: Kind,
  output: Kind,
): void {
  if (!(probe instanceof input) || probe.length === 0) {
    throw new TypeError(`probe must be a ${input.name} and not empty`);
  }
  if (!Number.isInteger(count) || count < 0 || count > 0xffffffff) {
    throw new TypeError('count must be a whole number from 0 to 4294967295');
  }
  if (!(table instanceof input) || table.length < count * probe.length) {
    throw new TypeError(`the table must be a ${input.name} of ${count} rows as long as the probe`);
  }
  if (!(rows instanceof Uint32Array)) throw new TypeError('rows must be a Uint32Array');
  if (!(results instanceof output) || results.length !== rows.length) {
    throw new TypeError(`the results must be a ${output.name} as long as rows`);
  }
}
