import { expect, test } from 'vitest';
import { md5Base64, sha256Hex } from '../io/files/digests.ts';
import type { ChecksumAlgorithm, ExpectedReply, Reply } from './cloud-port.ts';
import { crc64 } from './crc64.ts';
import { checkStored } from './stored-check.ts';

const bytes = new TextEncoder().encode('a batch');
const sent = { crc64: crc64(bytes), md5: md5Base64(bytes), sha256: sha256Hex(bytes) };
const encryption = {
  'x-oss-server-side-encryption': 'KMS',
  'x-oss-server-side-encryption-key-id': 'alias/acs/oss',
};
const good: Record<string, string> = { ...encryption, 'x-oss-hash-crc64ecma': sent.crc64 };

function expected(header: string, algorithm: ChecksumAlgorithm): ExpectedReply {
  return { status: [200], headers: encryption, checksum: { header, algorithm } };
}
const oss = expected('x-oss-hash-crc64ecma', 'crc64ecma');

function reply(headers: Record<string, string>, status = 200): Reply {
  return { kind: 'reply', status, headers, code: null, message: null };
}
const without = (name: string) =>
  Object.fromEntries(Object.entries(good).filter(([each]) => each !== name));

test('status, encryption and checksum as promised: it is stored', () => {
  expect(checkStored(reply(good), oss, sent)).toEqual({ kind: 'stored' });
});

test.each([
  ['another status', good, 201, 'unexpected-status'],
  ['a callback that failed', good, 203, 'unexpected-status'],
  ['no encryption', without('x-oss-server-side-encryption'), 200, 'no-encryption'],
  [
    'weaker encryption',
    { ...good, 'x-oss-server-side-encryption': 'AES256' },
    200,
    'other-encryption',
  ],
  ['no key named', without('x-oss-server-side-encryption-key-id'), 200, 'no-encryption'],
  [
    'another key',
    { ...good, 'x-oss-server-side-encryption-key-id': 'mine' },
    200,
    'other-encryption',
  ],
  ['no checksum', without('x-oss-hash-crc64ecma'), 200, 'no-checksum'],
  ['an empty checksum', { ...good, 'x-oss-hash-crc64ecma': '' }, 200, 'no-checksum'],
  ['another checksum', { ...good, 'x-oss-hash-crc64ecma': '1' }, 200, 'other-checksum'],
  ['a 200 to everything', {}, 200, 'no-encryption'],
] as const)('S0-6 %s is no receipt', (_, headers, status, why) => {
  expect(checkStored(reply(headers, status), oss, sent)).toEqual({ kind: 'not-stored', why });
});

const md5Hex = Buffer.from(sent.md5, 'base64').toString('hex');
const sha256Base64 = Buffer.from(sent.sha256, 'hex').toString('base64');

test.each([
  ['etag', 'md5', `"${md5Hex}"`, true],
  ['etag', 'md5', `"${md5Hex.toUpperCase()}"`, true],
  ['etag', 'md5', `W/"${md5Hex}"`, true],
  ['content-md5', 'md5', sent.md5, true],
  ['etag', 'md5', '"d41d8cd98f00b204e9800998ecf8427e-2"', false],
  ['etag', 'md5', '""', false],
  ['x-amz-checksum-sha256', 'sha256', sha256Base64, true],
  ['x-amz-checksum-sha256', 'sha256', sent.sha256, true],
  ['x-amz-checksum-sha256', 'sha256', `${sha256Base64}-2`, false],
  ['x-amz-checksum-sha256', 'sha256', '', false],
  ['x-oss-hash-crc64ecma', 'crc64ecma', `0${sent.crc64}`, false],
] as const)('%s as %s: %s', (header, algorithm, value, isStored) => {
  const answer = reply({ ...encryption, [header]: value });
  const { kind } = checkStored(answer, expected(header, algorithm), sent);
  expect(kind === 'stored').toBe(isStored);
});
