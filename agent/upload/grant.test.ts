import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { UploadGrant } from './cloud-port.ts';
import { checkGrant, type GrantRules, isAllowedHost, isInForce } from './grant.ts';

const serverMs = Date.UTC(2027, 0, 5, 1, 10);
const rules: GrantRules = {
  hostSuffixes: ['aliyuncs.com', 'store.example'],
  ports: [8443],
  encryptionRequired: true,
  encryptionKeyId: null,
};
const body = { sizeBytes: 1000, md5: 'I1+L/5OW287/XjHNiOAsbA==', sha256: 'a'.repeat(64) };
const good: UploadGrant = {
  uploadId: 'u1',
  url: 'https://b.oss-eu-central-1.aliyuncs.com/ttl27/ueip/00/x/y.jsonl.gz?x-oss-signature=abc',
  headers: {
    'content-type': 'application/gzip',
    'content-md5': body.md5,
    'x-oss-server-side-encryption': 'KMS',
    'x-oss-forbid-overwrite': 'true',
  },
  objectKey: 'ttl27/ueip/00/x/y.jsonl.gz',
  region: 'eu-central-1',
  expiresAtMs: serverMs + 600_000,
  expect: {
    status: [200],
    headers: { 'x-oss-server-side-encryption': 'KMS' },
    checksum: { header: 'x-oss-hash-crc64ecma', algorithm: 'crc64ecma' },
  },
};

function verdict(changes: Partial<UploadGrant>, more: Partial<GrantRules> = {}) {
  const context = { region: 'eu-central-1', ttlDays: 27, serverMs, body };
  const check = checkGrant({ ...good, ...changes }, { ...rules, ...more }, context);
  return check.kind === 'good' ? 'good' : check.why;
}
const withHeader = (name: string, value: string) => ({
  headers: { ...good.headers, [name]: value },
});
const expecting = (changes: Partial<UploadGrant['expect']>) => ({
  expect: { ...good.expect, ...changes },
});

test('a grant as it should be', () => {
  expect(verdict({})).toBe('good');
  expect(verdict({ region: null })).toBe('good');
  expect(verdict({ url: `https://store.example/${good.objectKey}` })).toBe('good');
  expect(verdict({ url: `https://store.example:8443/bucket/${good.objectKey}` })).toBe('good');
  expect(verdict({ url: `https://store.example:443/${good.objectKey}` })).toBe('good');
  expect(verdict({ headers: {} })).toBe('good');
});

describe('S0-5 where it may lead', () => {
  test.each([
    ['http://store.example/x', 'address'],
    ['ftp://store.example/x', 'address'],
    ['https://user@store.example/x', 'address'],
    ['https://user:word@store.example/x', 'address'],
    ['https://@store.example/x', 'address'],
    ['https://store.example\\@evil.example/x', 'address'],
    ['https://store.example/x\r\nHost: evil.example', 'address'],
    ['https://store.ex\tample/x', 'address'],
    ['https://störe.example/x', 'address'],
    [' https://store.example/x', 'address'],
    ['https://store.example/x#y', 'address'],
    ['https:store.example/x', 'address'],
    ['https://', 'address'],
    [`https://store.example/${'x'.repeat(5000)}`, 'address'],
    ['https://evil.example/x', 'host'],
    ['https://evilstore.example/x', 'host'],
    ['https://store.example.evil.com/x', 'host'],
    ['https://store.example./x', 'host'],
    ['https://127.0.0.1/x', 'host'],
    ['https://[::1]/x', 'host'],
    ['https://evil.example/?https://store.example/x', 'host'],
    ['https://store.example:22/x', 'port'],
    ['https://store.example:80/x', 'port'],
  ])('%s: %s', (url, why) => {
    expect(verdict({ url })).toBe(why);
  });

  test('whatever is written before or after an allowed host', () => {
    fc.assert(
      fc.property(fc.webAuthority(), (authority) => {
        const why = verdict({ url: `https://${authority}/${good.objectKey}` });
        const host = URL.parse(`https://${authority}/x`)?.hostname ?? '';
        if (!isAllowedHost(host, rules.hostSuffixes)) expect(why).not.toBe('good');
      }),
    );
    expect(isAllowedHost('aliyuncs.com', rules.hostSuffixes)).toBe(true);
    expect(isAllowedHost('a.b.aliyuncs.com', rules.hostSuffixes)).toBe(true);
    expect(isAllowedHost('xaliyuncs.com', rules.hostSuffixes)).toBe(false);
    expect(isAllowedHost('', rules.hostSuffixes)).toBe(false);
    expect(isAllowedHost('x', [])).toBe(false);
  });
});

test.each([
  ['another age class', 'ttl28/ueip/00/x/y.jsonl.gz', 'ttl28/ueip/00/x/y.jsonl.gz'],
  ['no age class', 'ueip/00/x/y.jsonl.gz', 'ueip/00/x/y.jsonl.gz'],
  ['an age class that only the words name', 'ttl27/ueip/x', 'ttl28/ueip/x'],
  ['a part of a longer word', 'ttl27/ueip/x', 'nottl27/ueip/x'],
  ['a path that is none', 'ttl27/%', 'ttl27/%'],
])('S0-14 %s: the bucket would not delete it in time', (_, objectKey, path) => {
  expect(verdict({ objectKey, url: `https://store.example/${path}` })).toBe('other-key');
});

describe('which headers it may ask for', () => {
  test.each([
    ['authorization', 'Bearer x', 'header-name'],
    ['cookie', 'x=y', 'header-name'],
    ['user-agent', 'x', 'header-name'],
    ['host', 'evil.example', 'header-name'],
    ['transfer-encoding', 'chunked', 'header-name'],
    ['x-oss-', 'x', 'header-name'],
    ['X-Oss-Meta', 'x', 'header-name'],
    ['x-oss meta', 'x', 'header-name'],
    ['content-encoding', 'gzip', 'header-name'],
    ['x-oss-copy-source', '/other/object', 'header-name'],
    ['x-amz-copy-source', '/other/object', 'header-name'],
    ['content-type', 'a\r\nx-evil: 1', 'header-value'],
    ['content-type', 'ä', 'header-value'],
    ['content-type', 'x'.repeat(2000), 'header-value'],
    ['content-md5', 'anotherBody==', 'other-body'],
    ['content-length', '999', 'other-body'],
    ['x-amz-content-sha256', 'b'.repeat(64), 'other-body'],
    ['x-oss-object-acl', 'public-read', 'public-object'],
    ['x-oss-acl', 'public-read-write', 'public-object'],
    ['x-amz-acl', 'authenticated-read', 'public-object'],
    ['x-amz-grant-read', 'uri=everyone', 'public-object'],
    ['x-oss-server-side-encryption', 'AES256', 'no-encryption'],
  ])('%s: %s: %s', (name, value, why) => {
    expect(verdict(withHeader(name, value))).toBe(why);
  });

  test.each([
    ['content-length', '1000'],
    ['x-amz-content-sha256', 'UNSIGNED-PAYLOAD'],
    ['x-amz-content-sha256', 'a'.repeat(64)],
    ['x-oss-object-acl', 'private'],
    ['x-oss-tagging', 'purpose=face-bugfix'],
  ])('%s: %s is fine', (name, value) => {
    expect(verdict(withHeader(name, value))).toBe('good');
  });

  test('not too many', () => {
    const many = Object.fromEntries(
      Array.from({ length: 33 }, (_, i) => [`x-oss-meta-a${i}`, 'x']),
    );
    expect(verdict({ headers: many })).toBe('header-name');
  });
});

describe('S0-6 a cloud cannot switch the encryption off', () => {
  const s3 = { 'x-amz-server-side-encryption': 'aws:kms' };

  test.each([
    ['by expecting none', expecting({ headers: {} }), 'no-encryption'],
    [
      'by expecting less',
      expecting({ headers: { 'x-oss-server-side-encryption': 'AES256' } }),
      'no-encryption',
    ],
    [
      'by asking the store for less',
      withHeader('x-oss-server-side-encryption', 'none'),
      'no-encryption',
    ],
    [
      'with S3, by expecting less',
      expecting({ headers: { 'x-amz-server-side-encryption': 'AES256' } }),
      'no-encryption',
    ],
    ['by expecting any status', expecting({ status: [] }), 'expected-status'],
    ['by expecting a 203', expecting({ status: [200, 203] }), 'expected-status'],
    ['by expecting a 404', expecting({ status: [404] }), 'expected-status'],
    [
      'by a checksum that is only an echo',
      expecting({ checksum: { header: 'x-oss-request-id', algorithm: 'crc64ecma' } }),
      'checksum',
    ],
  ] as const)('%s', (_, changes, why) => {
    expect(verdict(changes)).toBe(why);
  });

  test('S3’s form of it', () => {
    const grant = { headers: s3, ...expecting({ headers: s3 }) };
    expect(verdict(grant)).toBe('good');
    expect(
      verdict({
        headers: { 'x-amz-server-side-encryption': 'AES256' },
        ...expecting({ headers: s3 }),
      }),
    ).toBe('no-encryption');
  });

  test('where a key is set, it must be that one', () => {
    const key = (id: string) =>
      expecting({
        headers: { ...good.expect.headers, 'x-oss-server-side-encryption-key-id': id },
      });
    const wanted = { encryptionKeyId: 'ours' };
    expect(verdict(key('ours'), wanted)).toBe('good');
    expect(verdict(key('theirs'), wanted)).toBe('no-encryption');
    expect(verdict({}, wanted)).toBe('no-encryption');
  });

  test('where the notice promises none, none is needed', () => {
    const plain = { headers: {}, ...expecting({ headers: {} }) };
    expect(verdict(plain, { encryptionRequired: false })).toBe('good');
  });
});

describe('how long it holds, by the server’s clock', () => {
  test.each([
    [-1, 'expired'],
    [34_999, 'expired'],
    [35_000, 'good'],
    [3_600_000, 'good'],
    [3_600_001, 'lives-too-long'],
    [Number.NaN, 'expired'],
  ])('%i ms: %s', (ms, why) => {
    expect(verdict({ expiresAtMs: serverMs + ms })).toBe(why);
  });

  test('it is asked again before each attempt', () => {
    expect(isInForce(good, serverMs)).toBe(true);
    expect(isInForce(good, good.expiresAtMs - 34_999)).toBe(false);
  });
});

test('another region is another consent', () => {
  expect(verdict({ region: 'us-west-1' })).toBe('other-region');
});

test('a batch larger than any is not sent', () => {
  const context = {
    region: 'eu-central-1',
    ttlDays: 27,
    serverMs,
    body: { ...body, sizeBytes: 262_145 },
  };
  expect(checkGrant(good, rules, context)).toEqual({ kind: 'bad', why: 'too-large' });
});
