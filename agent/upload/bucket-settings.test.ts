import { describe, expect, test } from 'vitest';
import { readLifecycle } from '../../fixtures/cloud/lifecycle.ts';
import { ttlClasses } from '../ueip/age-class.ts';
import {
  dialects,
  encryptionDocument,
  lifecycleDocument,
  policyDocument,
} from './bucket-documents.ts';
import { defaultEncryption, isVersioned, uncoveredClasses } from './bucket-settings.ts';

const rule = (inside: string, status = 'Enabled') =>
  `<Rule><ID>x</ID>${inside}<Status>${status}</Status></Rule>`;
const expiry = (days: number | string) => `<Expiration><Days>${days}</Days></Expiration>`;
const lifecycle = (...rules: string[]) =>
  `<LifecycleConfiguration>${rules.join('')}</LifecycleConfiguration>`;
const whole = '<Prefix></Prefix>';

describe.each(dialects)('the documents for a bucket that speaks %s', (dialect) => {
  test('S0-14 the lifecycle has a rule for every age class, and is read back as such', () => {
    const document = lifecycleDocument(dialect);
    expect(uncoveredClasses(document)).toEqual([]);
    // By a reader that shares nothing with ours.
    expect(readLifecycle(document)).toEqual(
      ttlClasses.map((days) => {
        const name = `ttl${String(days).padStart(2, '0')}`;
        return { id: `ueip-${name}`, prefix: `${name}/`, days, enabled: true };
      }),
    );
  });

  test('S0-14 a class without its rule, or with a longer one, is named', () => {
    for (const days of ttlClasses) {
      const name = `ttl${String(days).padStart(2, '0')}`;
      const changed = (change: (rule: string) => string) =>
        lifecycleDocument(dialect).replace(/ {2}<Rule>[\s\S]*?<\/Rule>\n/g, (rule) =>
          rule.includes(`${name}/`) ? change(rule) : rule,
        );
      expect(uncoveredClasses(changed(() => ''))).toEqual([days]);
      const longer = (rule: string) => rule.replace(`<Days>${days}<`, `<Days>${days + 1}<`);
      expect(uncoveredClasses(changed(longer))).toEqual([days]);
    }
  });

  test('S0-6 the encryption is read back, with its key or without', () => {
    expect(defaultEncryption(encryptionDocument(dialect, null))).toEqual({
      kind: 'kms',
      keyId: null,
    });
    expect(defaultEncryption(encryptionDocument(dialect, 'a<b>&c'))).toEqual({
      kind: 'kms',
      keyId: 'a<b>&c',
    });
  });

  test('S0-9 the policy denies everything that comes without TLS', () => {
    const { Statement } = JSON.parse(policyDocument(dialect, 'my-bucket', null));
    const [first] = Statement;
    expect(first.Effect).toBe('Deny');
    expect(JSON.stringify(first.Condition)).toMatch(/SecureTransport":\[?"false"/);
    expect(JSON.stringify(first.Resource)).toContain('my-bucket/*');
  });
});

test('S0-6 the policy for S3 denies what is not to be encrypted, or under another key', () => {
  const { Statement } = JSON.parse(policyDocument('s3', 'my-bucket', 'key-1'));
  expect(Statement).toHaveLength(4);
  expect(Statement[1]).toMatchObject({
    Effect: 'Deny',
    Action: 's3:PutObject',
    Condition: { StringNotEquals: { 's3:x-amz-server-side-encryption': 'aws:kms' } },
  });
  expect(Statement[2].Condition).toEqual({
    StringNotEquals: { 's3:x-amz-server-side-encryption-aws-kms-key-id': 'key-1' },
  });
});

describe('S0-14 a lifecycle keeps the promise', () => {
  test.each([
    [
      'with one rule for the whole bucket that is short enough for all',
      lifecycle(rule(whole + expiry(1))),
    ],
    ['with an empty filter', lifecycle(rule(`<Filter></Filter>${expiry(1)}`))],
    ['with a filter of an empty prefix', lifecycle(rule(`<Filter><Prefix/></Filter>${expiry(1)}`))],
    [
      'with a prefix that all classes begin with',
      lifecycle(rule(`<Prefix>ttl</Prefix>${expiry(1)}`)),
    ],
    [
      'with more rules than are needed',
      lifecycle(rule(whole + expiry(90)), rule(whole + expiry(1))),
    ],
    [
      'and may delete unfinished uploads too',
      lifecycle(
        rule(`${whole}${expiry(1)}<AbortMultipartUpload><Days>1</Days></AbortMultipartUpload>`),
      ),
    ],
  ])('%s', (_what, document) => {
    expect(uncoveredClasses(document)).toEqual([]);
  });
});

describe('S0-14 a lifecycle does not keep the promise', () => {
  test.each([
    ['that is empty', lifecycle()],
    ['whose rule is switched off', lifecycle(rule(whole + expiry(1), 'Disabled'))],
    ['whose rule says neither on nor off', lifecycle(`<Rule>${whole}${expiry(1)}</Rule>`)],
    ['for other objects', lifecycle(rule(`<Prefix>logs/</Prefix>${expiry(1)}`))],
    [
      'for objects with a tag',
      lifecycle(rule(`<Filter><Tag><Key>a</Key><Value>b</Value></Tag></Filter>${expiry(1)}`)),
    ],
    [
      'for objects with a tag, as OSS says it',
      lifecycle(rule(`${whole}<Tag><Key>a</Key><Value>b</Value></Tag>${expiry(1)}`)),
    ],
    [
      'for objects of a size',
      lifecycle(
        rule(`<Filter><ObjectSizeGreaterThan>9</ObjectSizeGreaterThan></Filter>${expiry(1)}`),
      ),
    ],
    [
      'for a prefix and something else',
      lifecycle(rule(`<Filter><And><Prefix/><Tag/></And></Filter>${expiry(1)}`)),
    ],
    [
      'with an exception',
      lifecycle(rule(`${whole}<Filter><Not><Prefix>ttl28/</Prefix></Not></Filter>${expiry(1)}`)),
    ],
    [
      'that begins at a date',
      lifecycle(
        rule(
          `${whole}<Expiration><CreatedBeforeDate>2020-01-01T00:00:00.000Z</CreatedBeforeDate></Expiration>`,
        ),
      ),
    ],
    [
      'that only cleans up markers',
      lifecycle(
        rule(
          `${whole}<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>`,
        ),
      ),
    ],
    ['with half a day', lifecycle(rule(whole + expiry('0.5')))],
    ['with no day', lifecycle(rule(whole + expiry(0)))],
    ['with a rule of an unknown kind', lifecycle(rule(`${whole}${expiry(1)}<OnlyOnSundays/>`))],
    ['without a word on what it is about', lifecycle(rule(expiry(1)))],
  ])('%s', (_what, document) => {
    expect(uncoveredClasses(document)).toEqual(ttlClasses);
  });

  test.each(['', '<Error/>', '<html><body>Hello</body></html>'])('that is none: %s', (document) => {
    expect(uncoveredClasses(document)).toBeUndefined();
    expect(defaultEncryption(document)).toBeUndefined();
    expect(isVersioned(document)).toBeUndefined();
  });
});

test('S0-6 an encryption that is not by the key management service is told apart', () => {
  const of = (algorithm: string) =>
    defaultEncryption(
      `<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>${algorithm}</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>`,
    );
  expect(of('AES256')).toEqual({ kind: 'other' });
  expect(of('SM4')).toEqual({ kind: 'other' });
  expect(of('aws:kms')).toEqual({ kind: 'kms', keyId: null });
});

test.each([
  ['<VersioningConfiguration xmlns="http://x"/>', false],
  ['<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>', false],
  ['<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>', true],
  ['<VersioningConfiguration><Status>Whatever</Status></VersioningConfiguration>', true],
])('S0-14 whether a bucket keeps what was deleted: %s', (document, kept) => {
  expect(isVersioned(document)).toBe(kept);
});
