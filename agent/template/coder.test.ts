import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import fixture from '../../fixtures/templates/ufc1.json' with { type: 'json' };
import { AgentError } from '../errors.ts';
import { kernelSets } from '../io/process/native.ts';
import { sharedModels } from '../test/fakes/shared-material.ts';
import { watchedMemory } from '../test/fakes/watched-memory.ts';
import { createCoder } from './coder.ts';
import { deriveDeviceId, deriveKey } from './keys.ts';
import { project } from './projection.ts';
import { softScore } from './soft-score.ts';

const key = new Uint8Array(32).fill(7);

describe('known answers of another implementation', () => {
  test.each(kernelSets())('codes, distances and scores are equal to the bit ($name)', (kernels) => {
    for (const answer of fixture.cases) expectAnswer(answer, kernels);
  });

  test('keys and the device id come from the root key by HKDF', () => {
    const root = Buffer.from(fixture.rootKey, 'hex');
    const { modelSha256, version } = fixture;
    expect(hex(deriveKey(root, 'match', { modelSha256, version }))).toBe(fixture.matchKey);
    expect(hex(deriveKey(root, 'seal', { modelSha256, version }))).toBe(fixture.sealKey);
    expect(hex(deriveDeviceId(root))).toBe(fixture.deviceId);
  });
});

const vectorsFile = sharedModels && join(sharedModels, '../reference/templates-vectors.json');
describe.skipIf(!vectorsFile || !existsSync(vectorsFile))('the reference vectors of UFC-1', () => {
  test.each(kernelSets())('all six cases are equal to the bit ($name)', (kernels) => {
    const vectors = JSON.parse(readFileSync(vectorsFile ?? '', 'utf8'));
    const scope = { modelSha256: vectors.model_sha, version: 1 };
    const root = Buffer.from(vectors.root, 'hex');
    expect(hex(deriveKey(root, 'match', scope))).toBe(vectors.hkdf.match);
    expect(hex(deriveKey(root, 'seal', scope))).toBe(vectors.hkdf.seal);
    expect(vectors.cases).toHaveLength(6);
    for (const { d, m, key, embeddings, codes, hamming, soft } of vectors.cases) {
      const answer = { dimensions: d, bits: m, key, embeddings, codes };
      expectAnswer({ ...answer, hammingToFirst: hamming, softToFirst: soft }, kernels);
    }
  });
});

test('the code is [y >= 0] xor the pad: a projection of 0 counts as plus', () => {
  const flat = { project: (_: Uint8Array, __: Int8Array, y: Int32Array) => void y.fill(0) };
  const minus = { project: (_: Uint8Array, __: Int8Array, y: Int32Array) => void y.fill(-1) };
  const values = Float32Array.of(1, 2);
  const shape = { key, dimensions: 2, bits: 64 };
  const zero = createCoder({ ...shape, kernels: flat }).encode(values).code;
  const negative = createCoder({ ...shape, kernels: minus }).encode(values).code;
  expect([...zero].map((byte, i) => byte ^ (negative[i] ?? 0))).toEqual(Array(8).fill(255));
});

test('the length of an embedding does not matter, only its direction', () => {
  const coder = createCoder({ key, dimensions: 16, bits: 256, kernels: { project } });
  const values = fc.array(fc.float({ min: -4, max: 4, noNaN: true }), {
    minLength: 16,
    maxLength: 16,
  });
  const same = (drawn: number[], power: number) => {
    fc.pre(drawn.some((value) => Math.abs(value) > 1e-3));
    const once = coder.encode(Float32Array.from(drawn)).code.slice();
    const scaled = coder.encode(Float32Array.from(drawn, (value) => value * 2 ** power)).code;
    expect(hex(scaled)).toBe(hex(once));
  };
  fc.assert(fc.property(values, fc.integer({ min: -20, max: 20 }), same), { numRuns: 50 });
});

test('what a model may give and is no direction is refused by name', () => {
  const coder = createCoder({ key, dimensions: 4, bits: 64, kernels: { project } });
  for (const bad of [
    [0, 0, 0, 0],
    [1, Number.NaN, 0, 0],
    [Number.POSITIVE_INFINITY, 0, 0, 0],
  ]) {
    const attempt = () => coder.encode(Float32Array.from(bad));
    expect(attempt).toThrow(expect.objectContaining({ code: 'MODEL_CORRUPT' }));
    expect(attempt).toThrow(AgentError);
  }
  expect(() => coder.encode(new Float32Array(5).fill(1))).toThrow(TypeError);
});

test.each([
  ['a short key', { key: key.subarray(1) }],
  ['no dimensions', { dimensions: 0 }],
  ['half a byte of bits', { bits: 12 }],
])('%s is a TypeError', (_, wrong) => {
  const options = { key, dimensions: 4, bits: 64, kernels: { project }, ...wrong };
  expect(() => createCoder(options)).toThrow(TypeError);
});

test('wiping leaves zeros where signs, pad, projections and code were', () => {
  const seen: { signs?: Uint8Array; q?: Int8Array } = {};
  const watched = (signs: Uint8Array, q: Int8Array, y: Int32Array) => {
    Object.assign(seen, { signs, q });
    project(signs, q, y);
  };
  const coder = createCoder({ key, dimensions: 16, bits: 64, kernels: { project: watched } });
  const { code, projections } = coder.encode(new Float32Array(16).fill(1));
  expect(seen.q?.every((value) => value === 0)).toBe(true);
  expect(projections.some((value) => value !== 0)).toBe(true);
  coder.forget();
  expect([...projections, ...code].every((value) => value === 0)).toBe(true);
  expect(seen.signs?.some((value) => value !== 0)).toBe(true);
  coder.wipe();
  expect(seen.signs?.every((value) => value === 0)).toBe(true);
  expect(() => coder.encode(new Float32Array(16).fill(1))).toThrow(/wiped/);
});

test('what is handed out shares no memory with the signs and the pad, and these with nothing else', () => {
  const buffers: ArrayBufferLike[] = [];
  const watched = (signs: Uint8Array, q: Int8Array, y: Int32Array) => {
    buffers.push(signs.buffer);
    project(signs, q, y);
  };
  const coder = createCoder({ key, dimensions: 1, bits: 8, kernels: { project: watched } });
  const { code, projections } = coder.encode(Float32Array.of(1));
  const [secret] = buffers;
  expect(secret?.byteLength).toBe(1 + 1);
  expect([code.buffer, projections.buffer]).not.toContain(secret);
});

test('everything of the key and of an embedding is in the memory it was given, and zeroed there', () => {
  const { allocate, given } = watchedMemory();
  const coder = createCoder({ key, dimensions: 16, bits: 64, kernels: { project }, allocate });
  const { code, projections } = coder.encode(new Float32Array(16).fill(1));
  const buffers = given.map(({ buffer }) => buffer);
  expect(buffers).toContain(code.buffer);
  expect(buffers).toContain(projections.buffer);
  // What the signs and the pad were made of is zeroed already: the key and a label, twice.
  const filled = () => given.filter((bytes) => bytes.some((byte) => byte !== 0));
  expect(given).toHaveLength(4);
  expect(filled()).toHaveLength(2);
  coder.wipe();
  expect(filled()).toEqual([]);
});

type Answer = {
  readonly dimensions: number;
  readonly bits: number;
  readonly key: string;
  readonly embeddings: readonly (readonly number[])[];
  readonly codes: readonly string[];
  readonly hammingToFirst: readonly number[];
  readonly softToFirst: readonly number[];
};

function expectAnswer(answer: Answer, kernels: Parameters<typeof createCoder>[0]['kernels']): void {
  const { dimensions, bits } = answer;
  const coder = createCoder({ key: Buffer.from(answer.key, 'hex'), dimensions, bits, kernels });
  const probes = answer.embeddings.map((values) => {
    const { code, projections } = coder.encode(Float32Array.from(values));
    return { code: code.slice(), projections: projections.slice(), modelSha256: '', version: 1 };
  });
  expect(probes.map(({ code }) => hex(code))).toEqual(answer.codes);
  const [first, ...others] = probes;
  const reference = first?.code ?? new Uint8Array();
  expect(others.map(({ code }) => differingBits(code, reference))).toEqual(answer.hammingToFirst);
  expect(others.map((probe) => softScore(probe, reference))).toEqual(answer.softToFirst);
}

function differingBits(a: Uint8Array, b: Uint8Array): number {
  return a.reduce((sum, byte, i) => {
    let bits = byte ^ (b[i] ?? 0);
    let count = 0;
    for (; bits > 0; bits >>>= 1) count += bits & 1;
    return sum + count;
  }, 0);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
