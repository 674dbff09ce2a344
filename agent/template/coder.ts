import { createHash, hash } from 'node:crypto';
import { AgentError } from '../errors.ts';
import type { Kernels } from '../ports.ts';
import { type Allocate, ordinaryMemory } from './secret-memory.ts';

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
 * so every machine gives the same bits. `bits` is a multiple of 8. The key is not kept. Signs and pad, and
 * all that is computed from an embedding, stand in memory of `allocate`: two blocks, so that what is handed
 * out shares none with the signs and the pad.
 */
export function createCoder(options: {
  readonly key: Uint8Array;
  readonly dimensions: number;
  readonly bits: number;
  readonly kernels: Pick<Kernels, 'project'>;
  readonly allocate?: Allocate;
}): Coder {
  const { key, dimensions, bits, kernels, allocate = ordinaryMemory } = options;
  checkShape(key, dimensions, bits);
  const signBytes = (bits * dimensions + 7) >> 3;
  const secret = allocate(signBytes + bits / 8);
  const signs = secret.subarray(0, signBytes);
  const pad = secret.subarray(signBytes);
  fillFromKey(signs, key, `W/${dimensions}/${bits}`, allocate);
  fillFromKey(pad, key, `P/${dimensions}/${bits}`, allocate);

  const working = allocate(4 * bits + bits / 8 + dimensions);
  const { buffer, byteOffset } = working;
  const projections = new Int32Array(buffer, byteOffset, bits);
  const code = working.subarray(4 * bits, 4 * bits + bits / 8);
  const q = new Int8Array(buffer, byteOffset + 4 * bits + bits / 8, dimensions);
  let wiped = false;

  const forget = () => void working.fill(0);
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
      secret.fill(0);
      forget();
    },
  };
}

/** `target` = SHAKE256(key || 00 || label): the signs and the pad, bits least significant first. */
function fillFromKey(target: Uint8Array, key: Uint8Array, label: string, allocate: Allocate): void {
  const input = allocate(key.length + 1 + label.length);
  input.set(key);
  new TextEncoder().encodeInto(label, input.subarray(key.length + 1));
  const stream = shake256(input, target.length);
  target.set(stream);
  stream.fill(0);
  input.fill(0);
}

/**
 * In one call, which clears its state at once: a Hash object keeps key and result until it is collected.
 * Before 24.4 Node's one call ignores the length; only there we use that object.
 */
function shake256(input: Uint8Array, outputLength: number): Uint8Array {
  const stream = hash('shake256', input, { outputLength, outputEncoding: 'buffer' });
  if (stream.length === outputLength) return stream;
  stream.fill(0);
  return createHash('shake256', { outputLength }).update(input).digest();
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
