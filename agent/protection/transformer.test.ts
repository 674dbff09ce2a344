import { expect, test } from 'vitest';
import { loadKernels } from '../io/process/native.ts';
import { seededChance } from '../io/process/seeded-chance.ts';
import { createTransformer, type TransformRequest } from './transformer.ts';

const { kernels } = loadKernels();
const embedding = Float32Array.from({ length: 32 }, (_, i) => i - 15.5);

test('a code does not depend on what was asked for before it', () => {
  const transformer = make();
  const first = transformer.transform(underKey(1)).code;
  const others = Array.from({ length: 100 }, (_, i) => transformer.transform(underKey(i + 2)).code);
  expect(transformer.transform(underKey(1)).code).toEqual(first);
  expect(new Set([first, ...others].map((code) => code.join())).size).toBe(101);
});

test('devices of the same label, and starts of the same device, have epochs of their own', () => {
  const transformer = make();
  const epochs = [
    transformer.transform(underEpoch('a', 1)),
    transformer.transform(underEpoch('a', 2)),
    transformer.transform(underEpoch('b', 1)),
  ].map(({ epoch }) => epoch);
  expect(new Set(epochs).size).toBe(3);
  expect(transformer.transform(underEpoch('a', 1)).epoch).toBe(epochs[0]);
});

test('of more starts than are remembered, the one longest unused begins again', () => {
  const transformer = make();
  const start = (label: string) => transformer.transform(underEpoch(label, 1)).epoch;
  const [first, second] = [start('first'), start('second')];
  for (let i = 0; i < 1022; i++) start(`${i}`);
  expect(start('first')).toBe(first);
  start('one more');
  expect(start('first')).toBe(first);
  expect(start('second')).not.toBe(second);
});

test('what is wiped holds no start any more', () => {
  const transformer = make();
  const { epoch } = transformer.transform(underEpoch('a', 1));
  transformer.wipe();
  expect(transformer.transform(underEpoch('a', 1)).epoch).not.toBe(epoch);
});

function make() {
  return createTransformer({ kernels, random: seededChance('transformer') });
}

function underKey(byte: number): TransformRequest {
  return { under: 'key', key: new Uint8Array(32).fill(byte), bits: 64, embedding };
}

function underEpoch(label: string, device: number): TransformRequest {
  const rootKey = new Uint8Array(32).fill(device);
  return { under: 'epoch', rootKey, localDate: '2027-03-01', label, bits: 24, embedding };
}
