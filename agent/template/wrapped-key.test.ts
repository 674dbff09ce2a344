import fc from 'fast-check';
import { expect, test } from 'vitest';
import { deriveKey } from './keys.ts';
import { createSealer } from './sealer.ts';
import { sameKey, tombstoneDigest, unwrapKey, wrapKey } from './wrapped-key.ts';

const root = new Uint8Array(32).fill(1);
const otherRoot = new Uint8Array(32).fill(2);
const scope = { modelSha256: '1'.repeat(64), version: 3 };
const matchKey = Uint8Array.from({ length: 32 }, (_, i) => i + 1);

test('a key from a backup opens again on its device, for its model and version, and nowhere else', () => {
  const wrapped = wrapKey(root, matchKey, scope);
  expect(unwrapKey(root, wrapped, scope)).toEqual(matchKey);
  expect(unwrapKey(otherRoot, wrapped, scope)).toBeUndefined();
  expect(unwrapKey(root, wrapped, { ...scope, version: 4 })).toBeUndefined();
  expect(unwrapKey(root, wrapped, { ...scope, modelSha256: '2'.repeat(64) })).toBeUndefined();
  expect(Buffer.from(wrapped).includes(Buffer.from(matchKey))).toBe(false);
  expect(wrapKey(root, matchKey, scope)).not.toEqual(wrapped);
});

test('a wrapped key with one bit changed, or of another length, does not open', () => {
  const wrapped = wrapKey(root, matchKey, scope);
  const anywhere = fc.integer({ min: 0, max: wrapped.length * 8 - 1 });
  fc.assert(
    fc.property(anywhere, (bit) => {
      const changed = wrapped.slice();
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(unwrapKey(root, changed, scope)).toBeUndefined();
    }),
  );
  expect(unwrapKey(root, wrapped.subarray(1), scope)).toBeUndefined();
  expect(() => wrapKey(root, matchKey.subarray(1), scope)).toThrow(TypeError);
});

test('a tombstone is the same again on its device, another for each id, and means nothing elsewhere', () => {
  const digests = [
    tombstoneDigest(root, 'ann'),
    tombstoneDigest(root, 'bob'),
    tombstoneDigest(otherRoot, 'ann'),
  ].map((digest) => Buffer.from(digest).toString('hex'));
  expect(new Set(digests).size).toBe(3);
  expect(tombstoneDigest(root, 'ann')).toEqual(
    Uint8Array.from(Buffer.from(digests[0] ?? '', 'hex')),
  );
});

test('a sealer opens what it sealed, until it is wiped', () => {
  const sealer = createSealer(root, scope);
  const row = { rowId: 'r', residentId: 'ann' };
  const code = new Uint8Array(512).fill(9);
  const sealed = sealer.seal(code, row);
  expect(sealer.open(sealed, row)).toEqual(code);
  expect(createSealer(root, { ...scope, version: 4 }).open(sealed, row)).toBeUndefined();
  sealer.wipe();
  expect(() => sealer.open(sealed, row)).toThrow(/wiped/);
});

test('keys are equal where every byte is', () => {
  const own = deriveKey(root, 'match', scope);
  expect(sameKey(own, own.slice())).toBe(true);
  expect(sameKey(own, deriveKey(otherRoot, 'match', scope))).toBe(false);
  expect(sameKey(own, own.subarray(1))).toBe(false);
});
