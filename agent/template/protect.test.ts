import fc from 'fast-check';
import { expect, test } from 'vitest';
import { watchedMemory } from '../test/fakes/watched-memory.ts';
import { project } from './projection.ts';
import { createProtector } from './protect.ts';

const model = '1'.repeat(64);
const row = { rowId: 'row-1', residentId: 'ann' };

test('a template opens only as the row, resident, version, model and device it was sealed for', () => {
  const protector = device(1);
  const { code } = protector.template(face(1));
  const sealed = protector.seal(code, row);
  expect(protector.open(sealed, row)).toEqual(code);
  expect(device(1).open(sealed, row)).toEqual(code);
  expect(protector.open(sealed, { ...row, rowId: 'row-2' })).toBeUndefined();
  expect(protector.open(sealed, { ...row, residentId: 'bob' })).toBeUndefined();
  expect(device(1, { version: 2 }).open(sealed, row)).toBeUndefined();
  expect(device(1, { modelSha256: '2'.repeat(64) }).open(sealed, row)).toBeUndefined();
  expect(device(2).open(sealed, row)).toBeUndefined();
});

test('row and resident cannot be shifted into each other', () => {
  const protector = device(1);
  const sealed = protector.seal(protector.template(face(1)).code, { rowId: 'ab', residentId: 'c' });
  expect(protector.open(sealed, { rowId: 'a', residentId: 'bc' })).toBeUndefined();
});

test('a sealed template with one bit changed, or of another length, does not open', () => {
  const protector = device(1);
  const sealed = protector.seal(protector.template(face(1)).code, row);
  const anywhere = fc.integer({ min: 0, max: sealed.length * 8 - 1 });
  const refused = (bit: number) => {
    const changed = sealed.slice();
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(protector.open(changed, row)).toBeUndefined();
  };
  fc.assert(fc.property(anywhere, refused), { numRuns: 300 });
  expect(protector.open(sealed.subarray(1), row)).toBeUndefined();
  expect(protector.open(new Uint8Array(0), row)).toBeUndefined();
});

test('the same face sealed twice looks like two strangers', () => {
  const protector = device(1);
  const { code } = protector.template(face(1));
  const [a, b] = [protector.seal(code, row), protector.seal(code, row)];
  const equal = a.filter((byte, i) => byte === b[i]).length;
  expect(equal).toBeLessThan(a.length / 16);
});

test('the same face on two devices, or under two versions, gives unrelated templates', () => {
  const codes = [device(1), device(2), device(1, { version: 2 })].map(
    (protector) => protector.template(face(1)).code,
  );
  const probe = device(1).probe(face(1));
  const scores = codes.map((code) => device(1).softScore(probe, code));
  expect(scores[0]).toBe(1);
  for (const score of scores.slice(1)) expect(Math.abs(score)).toBeLessThan(0.1);
});

test('the same face gives the same template after a restart', () => {
  expect(device(1).template(face(3))).toEqual(device(1).template(face(3)));
});

test('a comparison score grows with the resemblance', () => {
  const protector = device(1);
  const { code } = protector.template(face(1));
  const scores = [0, 0.3, 0.6, 1].map((mix) =>
    protector.softScore(protector.probe(face(1, mix)), code),
  );
  expect(scores).toEqual([...scores].sort((a, b) => b - a));
  expect(scores[0]).toBe(1);
  expect(() => protector.softScore(protector.probe(face(1)), code.subarray(1))).toThrow(TypeError);
});

test('a template is kept in its own memory, a probe only until the next one', () => {
  const protector = device(1);
  const template = protector.template(face(1));
  const kept = template.code.slice();
  const probe = protector.probe(face(2));
  expect(template.code).toEqual(kept);
  const { code } = probe;
  protector.forget();
  expect(code.every((byte) => byte === 0)).toBe(true);
  expect(probe.projections.every((value) => value === 0)).toBe(true);
});

test('the root key may be wiped as soon as the protector stands', () => {
  const rootKey = new Uint8Array(32).fill(1);
  const protector = createProtector({ ...settings, rootKey });
  rootKey.fill(0);
  expect(protector.template(face(1))).toEqual(device(1).template(face(1)));
});

test('S2-18 wiping leaves zeros in the very memory where keys, signs, pad and buffers were', () => {
  const { allocate, given } = watchedMemory();
  const rootKey = new Uint8Array(32).fill(1);
  const protector = createProtector({ ...settings, rootKey, allocate });
  const zeroed = () => given.map((bytes) => bytes.every((byte) => byte === 0));
  const { code } = protector.template(face(1));
  protector.open(protector.seal(code, row), row);
  protector.probe(face(2));
  // The match key and twice what the signs and the pad are made of lived only as long as the construction.
  const ofTheMatchKey = given.map(({ length }) => length < 64).filter(Boolean).length - 1;
  expect(zeroed().filter(Boolean)).toHaveLength(ofTheMatchKey);
  expect(zeroed().filter((zero) => !zero)).toHaveLength(3);
  protector.wipe();
  expect(zeroed()).toEqual(given.map(() => true));
});

test('a wiped protector does nothing any more', () => {
  const protector = device(1);
  const { code } = protector.template(face(1));
  const sealed = protector.seal(code, row);
  protector.wipe();
  expect(() => protector.probe(face(1))).toThrow(/wiped/);
  expect(() => protector.template(face(1))).toThrow(/wiped/);
  expect(() => protector.seal(code, row)).toThrow(/wiped/);
  expect(() => protector.open(sealed, row)).toThrow(/wiped/);
});

test('an embedding of another model or length is a mistake of the caller', () => {
  const protector = device(1);
  const { values } = face(1);
  expect(() => protector.probe({ values, modelSha256: '2'.repeat(64) })).toThrow(TypeError);
  expect(() => protector.probe({ values: values.subarray(1), modelSha256: model })).toThrow(
    TypeError,
  );
  expect(() => protector.seal(new Uint8Array(511), row)).toThrow(TypeError);
});

test.each([
  ['a root key of 31 bytes', { rootKey: new Uint8Array(31) }],
  ['a model without a hash', { modelSha256: 'mobilefacenet' }],
  ['version 0', { version: 0 }],
  ['version 1.5', { version: 1.5 }],
])('%s makes no protector', (_, wrong) => {
  const options = { ...settings, rootKey: new Uint8Array(32), ...wrong };
  expect(() => createProtector(options)).toThrow(TypeError);
});

const settings = { modelSha256: model, version: 1, dimensions: 64, kernels: { project } };

function device(n: number, more: { version?: number; modelSha256?: string } = {}) {
  return createProtector({ ...settings, rootKey: new Uint8Array(32).fill(n), ...more });
}

/** A made-up embedding; `mix` moves it towards another face. */
function face(n: number, mix = 0) {
  const values = Float32Array.from({ length: 64 }, (_, j) => {
    const own = Math.sin((n + 1) * 12.9898 * (j + 1));
    return (1 - mix) * own + mix * Math.cos((n + 1) * 78.233 * (j + 1));
  });
  return { values, modelSha256: model };
}
