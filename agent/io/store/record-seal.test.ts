import { expect, test } from 'vitest';
import { someRecord } from '../../test/fakes/some-record.ts';
import { longestLineBytes } from './line-packing.ts';
import { type BoundTo, openLine, sealLine } from './record-seal.ts';

const key = new Uint8Array(32).fill(5);
const { line, ...record } = someRecord(1);
const row: BoundTo = { ...record, id: 12 };

test('a sealed line opens where it belongs', () => {
  expect(openLine(key, sealLine(key, line, row), row)).toEqual(line);
});

test.each<[string, Partial<BoundTo>]>([
  ['id', { id: 13 }],
  ['grant', { epoch: 2 }],
  ['notice', { policyVersion: '2026-12' }],
  ['date', { collected: { ...row.collected, wallMs: row.collected.wallMs + 1 } }],
  ['trust in the clock', { collected: { ...row.collected, clockTrusted: false } }],
  ['day', { collected: { ...row.collected, runDay: row.collected.runDay + 1e-9 } }],
])('with another %s it opens no more', (_, changed) => {
  expect(openLine(key, sealLine(key, line, row), { ...row, ...changed })).toBeUndefined();
});

test('with another key, or any bit changed, or cut off, it opens no more', () => {
  const sealed = sealLine(key, line, row);
  expect(openLine(key.toReversed().fill(6, 0, 1), sealed, row)).toBeUndefined();
  for (let bit = 0; bit < sealed.length * 8; bit += 5) {
    const changed = sealed.slice();
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(openLine(key, changed, row), `bit ${bit}`).toBeUndefined();
  }
  for (const length of [0, 12, 28, sealed.length - 1]) {
    expect(openLine(key, sealed.subarray(0, length), row), `${length} bytes`).toBeUndefined();
  }
});

test('the same line is never sealed to the same bytes, and shows none of its own', () => {
  const sealed = Array.from({ length: 500 }, () => sealLine(key, line, row));
  const nonces = new Set(sealed.map((bytes) => Buffer.from(bytes.subarray(0, 12)).toString('hex')));
  expect(nonces.size).toBe(500);
  const text = Buffer.from(sealed[0] ?? []).toString('latin1');
  expect(text).not.toMatch(/schema|attempt|2026-11/);
});

test('what is longer than any record is refused', () => {
  expect(() => sealLine(key, new Uint8Array(longestLineBytes + 1), row)).toThrow(TypeError);
});
