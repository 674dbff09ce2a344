import { describe, expect, test } from 'vitest';
import { type OssRequest, signOssHeaders, signOssQuery } from './oss-signature.ts';

const request: OssRequest = {
  method: 'PUT',
  bucket: 'bucket',
  key: '1234+-/123/1.txt',
  query: [
    ['param1', 'value1'],
    ['+param1', 'value3'],
    ['|param1', 'value4'],
    ['+param2', ''],
    ['|param2', ''],
    ['param2', ''],
  ],
  headers: { 'x-oss-head1': 'value', abc: 'value', ZAbc: 'value', XYZ: 'value' },
};
const pair = { accessKeyId: 'ak', secretAccessKey: 'sk', sessionToken: null };
const withToken = { ...pair, sessionToken: 'token' };
const oss = { region: 'cn-hangzhou', product: 'oss' };
const cloudBox = { region: 'cb-123', product: 'oss-cloudbox' };
const additional = ['ZAbc', 'abc'];

/** Of the vendor's own client libraries; the times are seconds since 1970. */
describe("the vendor's vectors for signatures in headers", () => {
  test.each([
    [
      'as it is',
      1_702_743_657,
      oss,
      pair,
      [],
      'e21d18daa82167720f9b1047ae7e7f1ce7cb77a31e8203a7d5f4624fa0284afe',
    ],
    [
      'of a cloud box',
      1_702_743_657,
      cloudBox,
      pair,
      [],
      '94ce1f12c17d148ea681030275a94449d3357f5b5b21133996eec80af3e08a43',
    ],
    [
      'with a token',
      1_702_784_856,
      oss,
      withToken,
      [],
      'b94a3f999cf85bcdc00d332fbd3734ba03e48382c36fa4d5af5df817395bd9ea',
    ],
    [
      'with more headers',
      1_702_747_512,
      oss,
      pair,
      additional,
      '4a4183c187c07c8947db7620deb0a6b38d9fbdd34187b6dbaccb316fa251212f',
    ],
  ])('%s', (_name, seconds, where, credentials, extra, signature) => {
    const headers = { ...request.headers, 'content-type': 'text/plain' };
    const scope = { ...where, atMs: seconds * 1000 };
    const signed = signOssHeaders({ ...request, headers, additional: extra }, credentials, scope);
    expect(signed['authorization']?.split('Signature=')[1]).toBe(signature);
    expect(signed['x-oss-content-sha256']).toBe('UNSIGNED-PAYLOAD');
    expect(signed['x-oss-security-token']).toBe(credentials.sessionToken ?? undefined);
    expect(signed['authorization']?.includes('AdditionalHeaders=abc;zabc')).toBe(extra.length > 0);
  });

  test('whose credential names its day, region and product', () => {
    const signed = signOssHeaders(request, pair, { ...oss, atMs: 1_702_743_657_000 });
    expect(signed['x-oss-date']).toBe('20231216T162057Z');
    expect(signed['authorization']).toMatch(
      /^OSS4-HMAC-SHA256 Credential=ak\/20231216\/cn-hangzhou\/oss\/aliyun_v4_request,Signature=/,
    );
  });
});

describe("the vendor's vectors for signatures in a URL", () => {
  test.each([
    [
      'as it is',
      1_702_781_677,
      oss,
      pair,
      [],
      'a39966c61718be0d5b14e668088b3fa07601033f6518ac7b523100014269c0fe',
    ],
    [
      'with a token',
      1_702_785_388,
      oss,
      withToken,
      [],
      '3817ac9d206cd6dfc90f1c09c00be45005602e55898f26f5ddb06d7892e1f8b5',
    ],
    [
      'with more headers',
      1_702_783_809,
      oss,
      pair,
      additional,
      '6bd984bfe531afb6db1f7550983a741b103a8c58e5e14f83ea474c2322dfa2b7',
    ],
    [
      'of a cloud box, with more headers',
      1_702_781_677,
      cloudBox,
      pair,
      additional,
      '07284191b9b4978ac3520cd39ee2dea2747eda454089359371ff463a6c7ba20f',
    ],
  ])('%s', (_name, seconds, where, credentials, extra, signature) => {
    const headers = { ...request.headers, 'content-type': 'application/octet-stream' };
    const scope = { ...where, atMs: seconds * 1000, expiresS: 599 };
    const query = signOssQuery({ ...request, headers, additional: extra }, credentials, scope);
    const of = new Map(query);
    expect(of.get('x-oss-signature')).toBe(signature);
    expect(of.get('x-oss-expires')).toBe('599');
    expect(of.get('x-oss-security-token')).toBe(credentials.sessionToken ?? undefined);
    expect(of.get('x-oss-additional-headers')).toBe(extra.length > 0 ? 'abc;zabc' : undefined);
  });
});

test('a header that is asked for and not there is not said to be signed', () => {
  const signed = signOssHeaders({ ...request, additional: ['absent', 'x-oss-head1'] }, pair, {
    ...oss,
    atMs: 1_702_743_657_000,
  });
  expect(signed['authorization']).not.toContain('AdditionalHeaders');
});

test('whatever is signed cannot be changed: another header, key, method or bucket is another signature', () => {
  const at = { ...oss, atMs: 1_702_743_657_000 };
  const variants: readonly OssRequest[] = [
    request,
    { ...request, method: 'GET' },
    { ...request, bucket: 'other' },
    { ...request, key: 'other' },
    { ...request, headers: { ...request.headers, 'content-md5': 'x' } },
    { ...request, headers: { ...request.headers, 'x-oss-server-side-encryption': 'KMS' } },
    { ...request, query: [] },
  ];
  const signatures = variants.map((each) => signOssHeaders(each, pair, at)['authorization']);
  expect(new Set(signatures).size).toBe(variants.length);
});
