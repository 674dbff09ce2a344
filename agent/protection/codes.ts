/** Codes of one length as 32-bit words, so that they are compared quickly. */
export type Codes = {
  readonly count: number;
  readonly bits: number;
  readonly words: Uint32Array;
};

/** @throws TypeError for codes of different lengths */
export function packCodes(codes: readonly Uint8Array[]): Codes {
  const sizeBytes = codes[0]?.length ?? 0;
  const wordsEach = Math.ceil(sizeBytes / 4);
  const bytes = new Uint8Array(codes.length * wordsEach * 4);
  codes.forEach((code, i) => {
    if (code.length !== sizeBytes) throw new TypeError('the codes differ in length');
    bytes.set(code, i * wordsEach * 4);
  });
  return { count: codes.length, bits: sizeBytes * 8, words: new Uint32Array(bytes.buffer) };
}

/** How many bits code i of `a` and code j of `b` differ in. */
export function differingBits(a: Codes, i: number, b: Codes, j: number): number {
  if (a.bits !== b.bits) throw new TypeError('the codes differ in length');
  const length = Math.ceil(a.bits / 32);
  let bits = 0;
  for (let k = 0, p = i * length, q = j * length; k < length; k++, p++, q++) {
    // Ones of each pair of bits, of each four, of each byte; the product adds up the bytes.
    let word = (a.words[p] ?? 0) ^ (b.words[q] ?? 0);
    word -= (word >>> 1) & 0x5555_5555;
    word = (word & 0x3333_3333) + ((word >>> 2) & 0x3333_3333);
    bits += Math.imul((word + (word >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
  }
  return bits;
}

/** Resemblance of two codes, -1…1: the cosine between them as vectors of signs. */
export function codeCosine(a: Codes, i: number, b: Codes, j: number): number {
  return 1 - (2 * differingBits(a, i, b, j)) / a.bits;
}

/** Bits as +1 and -1, least significant first. */
export function signsOf(code: Uint8Array): Float64Array {
  return Float64Array.from({ length: code.length * 8 }, (_, i) => (bitOf(code, i) ? 1 : -1));
}

export function bitOf(code: Uint8Array, i: number): number {
  return ((code[i >>> 3] ?? 0) >>> (i & 7)) & 1;
}
