import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { gzip } from './gzip.ts';

const bytes = new TextEncoder().encode('the same line\n'.repeat(1000));

test('what was compressed comes back, from a tenth of the size', () => {
  const compressed = gzip(bytes);
  expect(new Uint8Array(gunzipSync(compressed))).toEqual(bytes);
  expect(compressed.length).toBeLessThan(bytes.length / 10);
});

test('the header says neither when nor where it was made', () => {
  // RFC 1952: id, deflate, no flags, no time, best compression, unknown system.
  expect([...gzip(bytes).subarray(0, 10)]).toEqual([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255]);
  expect(gzip(bytes)).toEqual(gzip(bytes));
});
