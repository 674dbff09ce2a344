import { describe, expect, test } from 'vitest';
import { type AwsRequest, signAwsHeaders, signAwsQuery } from './aws-signature.ts';

/** Of the examples in the S3 API reference, "Authenticating Requests (AWS Signature Version 4)". */
const pair = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  sessionToken: null,
};
const scope = { region: 'us-east-1', product: 's3', atMs: Date.UTC(2013, 4, 24) };
const emptySha256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const get: AwsRequest = {
  method: 'GET',
  host: 'examplebucket.s3.amazonaws.com',
  path: '/',
  query: [],
  headers: {},
};

describe('the published examples of signatures in headers', () => {
  test.each([
    [
      'GET of an object',
      { ...get, path: '/test.txt', headers: { Range: 'bytes=0-9' } },
      emptySha256,
      'host;range;x-amz-content-sha256;x-amz-date',
      'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
    ],
    [
      'PUT of an object',
      {
        ...get,
        method: 'PUT',
        path: '/test$file.text',
        headers: {
          Date: 'Fri, 24 May 2013 00:00:00 GMT',
          'x-amz-storage-class': 'REDUCED_REDUNDANCY',
        },
      },
      '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072',
      'date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class',
      '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
    ],
    [
      'GET of the lifecycle',
      { ...get, query: [['lifecycle', '']] as const },
      emptySha256,
      'host;x-amz-content-sha256;x-amz-date',
      'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
    ],
    [
      'GET of a list',
      {
        ...get,
        query: [
          ['prefix', 'J'],
          ['max-keys', '2'],
        ] as const,
      },
      emptySha256,
      'host;x-amz-content-sha256;x-amz-date',
      '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
    ],
  ])('%s', (_name, request, bodySha256, signedHeaders, signature) => {
    expect(signAwsHeaders({ ...request, bodySha256 }, pair, scope)).toEqual({
      'x-amz-date': '20130524T000000Z',
      'x-amz-content-sha256': bodySha256,
      authorization: `AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders=${signedHeaders}, Signature=${signature}`,
    });
  });
});

test('the published example of a signature in a URL', () => {
  const query = signAwsQuery({ ...get, path: '/test.txt' }, pair, { ...scope, expiresS: 86_400 });
  expect(query).toEqual([
    ['X-Amz-Algorithm', 'AWS4-HMAC-SHA256'],
    ['X-Amz-Credential', 'AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request'],
    ['X-Amz-Date', '20130524T000000Z'],
    ['X-Amz-Expires', '86400'],
    ['X-Amz-SignedHeaders', 'host'],
    ['X-Amz-Signature', 'aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404'],
  ]);
});

test('a token of the token service is signed, in either form', () => {
  const lent = { ...pair, sessionToken: 'token' };
  const headers = signAwsHeaders({ ...get, bodySha256: emptySha256 }, lent, scope);
  expect(headers['x-amz-security-token']).toBe('token');
  expect(headers['authorization']).toContain('x-amz-date;x-amz-security-token,');
  const query = new Map(signAwsQuery(get, lent, { ...scope, expiresS: 60 }));
  expect(query.get('X-Amz-Security-Token')).toBe('token');
  const other = new Map(
    signAwsQuery(get, { ...lent, sessionToken: 'x' }, { ...scope, expiresS: 60 }),
  );
  expect(other.get('X-Amz-Signature')).not.toBe(query.get('X-Amz-Signature'));
});

test('a URL that names the hash of the body is for no other body', () => {
  const signature = (headers: Record<string, string>) =>
    new Map(signAwsQuery({ ...get, method: 'PUT', headers }, pair, { ...scope, expiresS: 60 })).get(
      'X-Amz-Signature',
    );
  const of = (sha256: string) => signature({ 'x-amz-content-sha256': sha256 });
  expect(new Set([signature({}), of('a'.repeat(64)), of('b'.repeat(64))]).size).toBe(3);
});

test('blanks within a value count as one, and outer ones not at all', () => {
  const signature = (value: string) =>
    signAwsHeaders(
      { ...get, headers: { 'x-amz-meta-a': value }, bodySha256: emptySha256 },
      pair,
      scope,
    )['authorization'];
  expect(signature('  a   b ')).toBe(signature('a b'));
  expect(signature('a b')).not.toBe(signature('ab'));
});
