import { describe, expect, test } from 'vitest';
import { encryptionDocument, lifecycleDocument } from '../../upload/bucket-documents.ts';
import { checkBucket } from './bucket-check.ts';
import type { BucketRequests } from './bucket-requests.ts';
import type { HttpAnswer } from './http-client.ts';

const date = 'Sun, 22 Nov 2026 01:10:00 GMT';
const call = { signal: new AbortController().signal, onRequest: () => {} };

function answer(status: number, body = '', headers: Record<string, string> = {}): HttpAnswer {
  return { kind: 'answer', status, headers: { date, ...headers }, body: Buffer.from(body) };
}
const error = (status: number, code: string) =>
  answer(status, `<Error><Code>${code}</Code></Error>`);

/** A bucket that is as it should be, but for what is said of it here. */
async function finding(
  documents: Readonly<Record<string, HttpAnswer>>,
  { region = 'eu-central-1', keyId = null }: { region?: string; keyId?: string | null } = {},
) {
  const good: Readonly<Record<string, HttpAnswer>> = {
    versioning: answer(200, '<VersioningConfiguration/>'),
    lifecycle: answer(200, lifecycleDocument('oss')),
    encryption: answer(200, encryptionDocument('oss', 'key-1')),
  };
  const asked: string[] = [];
  const bucket: Pick<BucketRequests, 'send'> = {
    send: async ({ query = [] }) => {
      const [name = ''] = query[0] ?? [];
      asked.push(name);
      return documents[name] ?? good[name] ?? answer(501);
    },
  };
  return { found: await checkBucket(bucket, { region, keyId }, call), asked };
}

test('S0-14 S0-6 a bucket that keeps what is promised is fit, and says when it is there', async () => {
  expect(await finding({})).toEqual({
    found: { kind: 'fit', defaultKeyId: 'key-1', serverMs: Date.UTC(2026, 10, 22, 1, 10) },
    asked: ['versioning', 'lifecycle', 'encryption'],
  });
});

test('with a key that is named for each object, what it does by itself is not asked', async () => {
  const { found, asked } = await finding({}, { keyId: 'key-2' });
  expect(found).toMatchObject({ kind: 'fit', defaultKeyId: null });
  expect(asked).toEqual(['versioning', 'lifecycle']);
});

describe('S0-14 what is deleted there must be gone', () => {
  const versioned = (status: string) =>
    answer(200, `<VersioningConfiguration><Status>${status}</Status></VersioningConfiguration>`);

  test('so one that keeps versions is not fit', async () => {
    const { found, asked } = await finding({ versioning: versioned('Enabled') });
    expect(found).toEqual({ kind: 'unfit', why: 'no-retention-rule' });
    expect(asked).toEqual(['versioning']);
  });

  test('and one that does not any more, or never could, is', async () => {
    for (const versioning of [versioned('Suspended'), error(501, 'NotImplemented')]) {
      expect((await finding({ versioning })).found).toMatchObject({ kind: 'fit' });
    }
  });
});

describe('S0-5 a bucket elsewhere', () => {
  test.each([
    ['says so', answer(200, '<VersioningConfiguration/>', { 'x-amz-bucket-region': 'us-east-1' })],
    ['sends there', answer(301, '', { 'x-amz-bucket-region': 'us-east-1' })],
    ['refuses the signature, S3', error(400, 'AuthorizationHeaderMalformed')],
    ['refuses the signature, OSS', answer(400, '', { 'x-oss-ec': '0002-00000223' })],
  ])('%s: it is not fit', async (_what, versioning) => {
    const { found } = await finding({ versioning });
    expect(found).toEqual({ kind: 'unfit', why: 'other-region' });
  });

  test('one that names the region of the consent is none', async () => {
    const versioning = answer(200, '<VersioningConfiguration/>', {
      'x-amz-bucket-region': 'eu-central-1',
    });
    expect((await finding({ versioning })).found).toMatchObject({ kind: 'fit' });
  });
});

describe.each([
  ['versioning', 'no-retention-rule'],
  ['lifecycle', 'no-retention-rule'],
  ['encryption', 'encryption-unknown'],
])('what is asked of %s', (name, why) => {
  test('S0-6 S0-14 and is answered by something else is not promised', async () => {
    // The last as Ceph answers what it does not know.
    for (const body of ['', '<html>Hello</html>', '<Other/>', '<ListBucketResult/>']) {
      const { found } = await finding({ [name]: answer(200, body) });
      expect(found).toEqual({ kind: 'unfit', why });
    }
  });

  test('and is refused is told as it came', async () => {
    const { found } = await finding({ [name]: error(403, 'AccessDenied') });
    expect(found).toMatchObject({ kind: 'reply', status: 403, code: 'AccessDenied' });
    expect((await finding({ [name]: error(404, 'NoSuchBucket') })).found).toMatchObject({
      kind: 'reply',
      code: 'NoSuchBucket',
    });
  });
});

test.each([
  ['lifecycle', 'NoSuchLifecycle', 'no-retention-rule'],
  ['lifecycle', 'NoSuchLifecycleConfiguration', 'no-retention-rule'],
  ['encryption', 'NoSuchServerSideEncryptionRule', 'no-encryption'],
  ['encryption', 'ServerSideEncryptionConfigurationNotFoundError', 'no-encryption'],
  ['encryption', 'NoSuchEncryptionSetting', 'no-encryption'],
])('without any %s (%s) it is not fit', async (name, code, why) => {
  expect((await finding({ [name]: error(404, code) })).found).toEqual({ kind: 'unfit', why });
});

test.each([405, 501])(
  'a store that does not know encryption by default (%i) is told from one without',
  async (status) => {
    const encryption = error(status, 'NotImplemented');
    expect((await finding({ encryption })).found).toEqual({
      kind: 'unfit',
      why: 'encryption-unknown',
    });
    expect((await finding({ encryption }, { keyId: 'key-2' })).found).toMatchObject({
      kind: 'fit',
    });
  },
);
