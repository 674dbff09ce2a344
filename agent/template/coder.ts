import { createHash } from 'node:crypto';
import { AgentError } from '../errors.ts';
import type { Kernels } from '../ports.ts';

/** Makes keyed sign codes. The returned buffers are the coder's own and hold until the next call. */
export type Coder = {
  readonly bits: number;
  /** @throws TypeError after `wipe` or for a wrong length; MODEL_CORRUPT for values with no direction. */
  encode(values: Float32Array): { readonly code: Uint8Array; readonly projections: Int32Array };
  /** Zeroes what the last call left behind. */
  forget(): void;
  /** Zeroes the signs, the pad and every buffer; the coder is unusable from then on. */
  wipe(): void;
};

/**
 * The steps of UFC-1 under one key, for any length: q = int8 of the embedding, clipped at 4 sigma;
 * y = W·q with the signs W from SHAKE256; code = [y >= 0] xor a pad from SHAKE256. Integers from q on,
 * so every machine gives the same bits. `bits` is a multiple of 8. The key is not kept.
 */
export function createCoder(options: {
  readonly key: Uint8Array;
  readonly dimensions: number;
  readonly bits: number;
  readonly kernels: Pick<Kernels, 'project'>;
}): Coder {
  const { key, dimensions, bits, kernels } = options;
  checkShape(key, dimensions, bits);
  const signs = keyStream(key, `W/${dimensions}/${bits}`, (bits * dimensions + 7) >> 3);
  const pad = keyStream(key, `P/${dimensions}/${bits}`, bits / 8);
  const q = new Int8Array(dimensions);
  const projections = new Int32Array(bits);
  const code = new Uint8Array(bits / 8);
  let wiped = false;

  const forget = () => {
    q.fill(0);
    projections.fill(0);
    code.fill(0);
  };
  return {
    bits,
    encode(values) {
      if (wiped) throw new TypeError('this coder has been wiped');
      quantise(values, q);
      kernels.project(signs, q, projections);
      q.fill(0);
      packSigns(projections, pad, code);
      return { code, projections };
    },
    forget,
    wipe() {
      wiped = true;
      signs.fill(0);
      pad.fill(0);
      forget();
    },
  };
}

/** `sizeBytes` of SHAKE256(key || 00 || label): the signs and the pad, bits least significant first. */
function keyStream(key: Uint8Array, label: string, sizeBytes: number): Uint8Array {
  return createHash('shake256', { outputLength: sizeBytes })
    .update(key)
    .update(Uint8Array.of(0))
    .update(label)
    .digest();
}

/** q = clamp(floor(127·√d/4 · e/|e| + 0.5)): a value of 4 standard deviations becomes 127. */
function quantise(values: Float32Array, q: Int8Array): void {
  if (values.length !== q.length) {
    throw new TypeError(`an embedding of ${q.length} values was expected, not ${values.length}`);
  }
  let squares = 0;
  for (const value of values) squares += value * value;
  const norm = Math.sqrt(squares);
  if (!(norm > 0 && norm < Number.POSITIVE_INFINITY)) {
    throw new AgentError('MODEL_CORRUPT', 'the embedding model gave values that are no direction');
  }
  const scale = (127 * Math.sqrt(q.length)) / 4;
  for (let j = 0; j < q.length; j++) {
    const rounded = Math.floor((scale * (values[j] ?? 0)) / norm + 0.5);
    q[j] = Math.max(-127, Math.min(127, rounded));
  }
}

/** Bit i = [y_i >= 0] xor pad_i, least significant first. */
function packSigns(y: Int32Array, pad: Uint8Array, code: Uint8Array): void {
  for (let byte = 0; byte < code.length; byte++) {
    let bits = 0;
    for (let k = 0; k < 8; k++) bits |= (~(y[byte * 8 + k] ?? 0) >>> 31) << k;
    code[byte] = bits ^ (pad[byte] ?? 0);
  }
}

function checkShape(key: Uint8Array, dimensions: number, bits: number): void {
  if (key.length !== 32) throw new TypeError(`a code key has 32 bytes, not ${key.length}`);
  if (!Number.isInteger(dimensions) || dimensions < 1 || dimensions > 1024) {
    throw new TypeError(`an embedding has 1 to 1024 dimensions, not ${dimensions}`);
  }
  if (!Number.isInteger(bits) || bits < 8 || bits > 65_536 || bits % 8 !== 0) {
    throw new TypeError(`a code has a multiple of 8 bits, not ${bits}`);
  }
}
