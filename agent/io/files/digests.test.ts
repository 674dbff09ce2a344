import { expect, test } from 'vitest';
import { md5Base64, sha256Hex } from './digests.ts';

/** FIPS 180-4 and RFC 1321, of 'abc'. */
test('digests are those of the standards', () => {
  const abc = new TextEncoder().encode('abc');
  expect(sha256Hex(abc)).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  expect(Buffer.from(md5Base64(abc), 'base64').toString('hex')).toBe(
    '900150983cd24fb0d6963f7d28e17f72',
  );
});
