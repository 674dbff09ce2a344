import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  mostMessageBytes,
  readGrantAnswer,
  readLink,
  readProblem,
  readStoreError,
} from './cloud-messages.ts';

const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const date = 'Tue, 05 Jan 2027 01:10:00 GMT';
const dateMs = Date.UTC(2027, 0, 5, 1, 10);

const link = {
  linked: true,
  region: 'eu-central-1',
  serverTime: '2027-01-05T01:10:05.000Z',
  ueip: {
    accepting: true,
    policyVersion: '2026-11',
    firstTrySpanS: 2700,
    maxBytes: 262_144,
    retentionDays: 30,
  },
};
const grant = {
  uploadId: '0123456789abcdef01234567',
  kind: 'put',
  method: 'PUT',
  url: 'https://b.oss-eu-central-1.aliyuncs.com/ttl27/ueip/00/x/y.jsonl.gz?x-oss-signature=abc',
  headers: { 'Content-MD5': 'I1+L/5OW287/XjHNiOAsbA==' },
  expiresAt: '2027-01-05T01:25:00Z',
  expect: {
    status: [200],
    headers: { 'X-Oss-Server-Side-Encryption': 'KMS' },
    checksum: { header: 'X-Oss-Hash-Crc64ecma', algo: 'crc64ecma' },
  },
};

describe('the answer of the link', () => {
  test('says where, whether, how much, and when', () => {
    expect(readLink(bytes(link), undefined)).toEqual({
      kind: 'linked',
      region: 'eu-central-1',
      accepting: true,
      maxBytes: 262_144,
      serverMs: Date.parse(link.serverTime),
    });
  });

  test('takes the time from the header where the body names none, and none from nowhere', () => {
    const { serverTime: _, ...timeless } = link;
    expect(readLink(bytes(timeless), date)).toMatchObject({ serverMs: dateMs });
    expect(readLink(bytes(timeless), undefined)).toMatchObject({ serverMs: null });
    expect(readLink(bytes(timeless), 'yesterday')).toMatchObject({ serverMs: null });
  });

  test('S0-2 not linked is not linked, whatever else it says', () => {
    expect(readLink(bytes({ linked: false }), date)).toEqual({ kind: 'not-linked' });
    expect(readLink(bytes({ ...link, linked: false }), date)).toEqual({ kind: 'not-linked' });
  });

  test('may say more than this agent knows', () => {
    const more = { ...link, weather: 'fine', ueip: { ...link.ueip, slotS: 12 } };
    expect(readLink(bytes(more), undefined)).toMatchObject({ kind: 'linked' });
  });

  test('S0-14 a cloud that keeps things for longer than the notice allows is not fit', () => {
    const keeping = (retentionDays: number) => ({ ...link, ueip: { ...link.ueip, retentionDays } });
    expect(readLink(bytes(keeping(31)), date)).toEqual({ kind: 'unfit', why: 'no-retention-rule' });
    expect(readLink(bytes(keeping(28)), date)).toMatchObject({ kind: 'linked' });
  });

  test.each<[string, unknown]>([
    ['nothing', null],
    ['a list', []],
    ['no word on whether', { ...link, linked: undefined }],
    ['a word for yes', { ...link, linked: 'yes' }],
    ['no region', { ...link, region: undefined }],
    ['a region with a line feed', { ...link, region: 'eu\n' }],
    ['no programme', { ...link, ueip: undefined }],
    ['no limit', { ...link, ueip: { accepting: true } }],
    ['a limit below nothing', { ...link, ueip: { ...link.ueip, maxBytes: -1 } }],
    ['a time of no zone', { ...link, serverTime: '2027-01-05T01:10:05' }],
  ])('%s is no answer', (_, value) => {
    expect(readLink(bytes(value), date)).toBeUndefined();
  });

  test('more than 16 KiB is not even read', () => {
    const padded = new TextEncoder().encode(JSON.stringify(link).padEnd(mostMessageBytes));
    expect(readLink(padded, date)).toMatchObject({ kind: 'linked' });
    expect(readLink(new Uint8Array([...padded, 0x20]), date)).toBeUndefined();
  });
});

describe('the answer with a grant', () => {
  test('says where, with what, until when, and what the store will answer', () => {
    expect(readGrantAnswer(bytes(grant), date)).toEqual({
      kind: 'granted',
      grant: {
        uploadId: grant.uploadId,
        url: grant.url,
        headers: { 'content-md5': 'I1+L/5OW287/XjHNiOAsbA==' },
        objectKey: 'ttl27/ueip/00/x/y.jsonl.gz',
        region: null,
        expiresAtMs: Date.UTC(2027, 0, 5, 1, 25),
        expect: {
          status: [200],
          headers: { 'x-oss-server-side-encryption': 'KMS' },
          checksum: { header: 'x-oss-hash-crc64ecma', algorithm: 'crc64ecma' },
        },
      },
      serverMs: dateMs,
    });
  });

  test('or that there is none needed', () => {
    expect(readGrantAnswer(bytes({ already: true }), date)).toEqual({ kind: 'already' });
    expect(readGrantAnswer(bytes({ already: false }), date)).toBeUndefined();
  });

  test('key and region count where they are named', () => {
    const named = { ...grant, objectKey: 'ttl27/a', region: 'eu-central-1' };
    expect(readGrantAnswer(bytes(named), undefined)).toMatchObject({
      grant: { objectKey: 'ttl27/a', region: 'eu-central-1' },
      serverMs: null,
    });
  });

  test.each<[string, unknown]>([
    ['another kind', { ...grant, kind: 'post' }],
    ['another method', { ...grant, method: 'POST' }],
    ['an id that leads to another path', { ...grant, uploadId: '..' }],
    ['no address', { ...grant, url: undefined }],
    ['a number for an address', { ...grant, url: 5 }],
    ['an address that is none', { ...grant, url: 'nowhere' }],
    ['a list of headers', { ...grant, headers: ['a'] }],
    ['a header twice', { ...grant, headers: { 'X-Oss-A': '1', 'x-oss-a': '2' } }],
    ['a header that is a number', { ...grant, headers: { 'x-oss-a': 1 } }],
    ['no end', { ...grant, expiresAt: 'never' }],
    ['no date in it', { ...grant, expiresAt: '2027-13-45T01:25:00Z' }],
    ['no expectation', { ...grant, expect: undefined }],
    ['any status', { ...grant, expect: { ...grant.expect, status: [] } }],
    [
      'an unknown checksum',
      { ...grant, expect: { ...grant.expect, checksum: { header: 'x', algo: 'sum' } } },
    ],
  ])('%s is no grant', (_, value) => {
    expect(readGrantAnswer(bytes(value), date)).toBeUndefined();
  });

  test('no header becomes a property of all objects', () => {
    const evil = JSON.stringify(grant).replace('"headers":{', '"headers":{"__proto__":"x",');
    const answer = readGrantAnswer(new TextEncoder().encode(evil), date);
    expect(Object.hasOwn(Object.prototype, 'x')).toBe(false);
    expect(answer?.kind === 'granted' && Object.keys(answer.grant.headers)).toContain('__proto__');
  });
});

test.each([
  ['https://cloud.example/problems/not_linked', 'not_linked'],
  ['urn:problem:policy_outdated', 'policy_outdated'],
  ['consent_withdrawn', 'consent_withdrawn'],
  ['about:blank#', null],
])('the problem %s is %s', (type, code) => {
  expect(readProblem(bytes({ type, title: 'x', status: 403 }))).toBe(code);
});

describe('a store’s error', () => {
  const xml =
    '<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Request has expired.</Message><EC>0003-00000501</EC></Error>';

  test('is in the body, or in base64 in a header', () => {
    const found = { code: 'AccessDenied', message: 'Request has expired.' };
    expect(readStoreError(new TextEncoder().encode(xml), {})).toEqual(found);
    const headers = { 'x-oss-err': Buffer.from(xml).toString('base64') };
    expect(readStoreError(new Uint8Array(), headers)).toEqual(found);
  });

  test('is nothing where there is none', () => {
    expect(readStoreError(new Uint8Array(), {})).toEqual({ code: null, message: null });
    const page = new TextEncoder().encode('<html><Code>a b</Code>');
    expect(readStoreError(page, {})).toEqual({ code: null, message: null });
  });
});

test('whatever comes over the network, it is an answer or it is not, and never an error', () => {
  fc.assert(
    fc.property(fc.oneof(fc.json(), fc.string()), fc.string(), (body, header) => {
      const given = new TextEncoder().encode(body);
      readLink(given, header);
      readGrantAnswer(given, header);
      readProblem(given);
      readStoreError(given, { 'x-oss-err': header });
    }),
  );
});
