import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openCloud as openTestCloud } from '../../../fixtures/cloud/test-client.ts';
import type { Handled } from '../../../fixtures/cloud/traffic.ts';
import { openCloud } from '../../programme/cloud.ts';
import { cloudConfig } from '../../test/fakes/cloud-config.ts';
import { temporaryFolder } from '../../test/fakes/temporary-folder.ts';
import type { BatchFacts, Call, RequestFacts } from '../../upload/cloud-port.ts';
import { crc64 } from '../../upload/crc64.ts';
import { checkGrant } from '../../upload/grant.ts';
import { checkStored } from '../../upload/stored-check.ts';
import { md5Base64, sha256Hex } from '../files/digests.ts';

const bytes = Buffer.from('a sealed batch');
const digests = { md5: md5Base64(bytes), sha256: sha256Hex(bytes), crc64: crc64(bytes) };
const consentId = '3f2b8a52-0000-4000-8000-000000000001';
const batch: BatchFacts = {
  batchId: digests.sha256.slice(0, 32),
  sizeBytes: bytes.length,
  md5: digests.md5,
  sha256: digests.sha256,
  rows: 3,
  from: '2026-11-21',
  to: '2026-11-22',
  ttlDays: 27,
  consentId,
  policyVersion: '2026-11',
  region: 'cn-hangzhou',
  sentBefore: false,
};
const order = {
  erasureId: '0123456789abcdef0123456789abcdef',
  consentId,
  objectKeys: ['ttl27/known'],
  requestedAtMs: Date.UTC(2026, 10, 22),
};

function callOf(): Call & { readonly told: RequestFacts[] } {
  const told: RequestFacts[] = [];
  return { signal: new AbortController().signal, told, onRequest: (facts) => told.push(facts) };
}

async function device(dialect: 'oss' | 's3' = 'oss', more: Readonly<Record<string, unknown>> = {}) {
  const cloud = await openTestCloud({ dialect });
  const settings = cloudConfig(cloud, 'grant', more);
  const opened = await openCloud({ config: settings });
  if (!opened) throw new Error('there is no cloud');
  return { cloud, settings, ...opened };
}

type Device = Awaited<ReturnType<typeof device>>;

async function granted({ port }: Device, facts: BatchFacts = batch, call = callOf()) {
  const answer = await port.requestGrant(facts, call);
  if (answer.kind !== 'granted') throw new Error(`no grant: ${JSON.stringify(answer)}`);
  return answer;
}

describe.each(['oss', 's3'] as const)('with a bucket that speaks %s', (dialect) => {
  test('S0-5 a batch goes the whole way, and lies there as it was sent', async () => {
    const here = await device(dialect);
    const { cloud, port, rules } = here;
    const call = callOf();
    expect(await port.link(call)).toMatchObject({
      kind: 'linked',
      region: 'cn-hangzhou',
      accepting: true,
      maxBytes: 262_144,
    });
    const { grant, serverMs } = await granted(here, batch, call);
    if (serverMs === null) throw new Error('the answer has no date');
    const context = { region: 'cn-hangzhou', ttlDays: 27, serverMs, body: batch };
    expect(checkGrant(grant, rules, context)).toEqual({ kind: 'good' });
    const reply = await port.put(grant, bytes, call);
    if (reply.kind !== 'reply') throw new Error(`no reply: ${reply.fault}`);
    expect(checkStored(reply, grant.expect, digests)).toEqual({ kind: 'stored' });
    expect(cloud.bucket.read(grant.objectKey)).toEqual(bytes);

    const { uploadId } = grant;
    if (uploadId === null) throw new Error('the upload has no id');
    const report = { uploadId, status: 200, etag: 'x', crc64: digests.crc64, storeRequestId: null };
    expect(await port.done(report, call)).toMatchObject({ kind: 'reply', status: 204 });
    expect(cloud.vendor.journal().map(({ kind }) => kind)).toEqual(['grant', 'done']);

    const hosts = [cloud.cloudUrl, cloud.bucketUrl].map((url) => new URL(url).host);
    const [vendorHost, bucketHost] = hosts;
    expect(
      call.told.map(({ method, host, objectKey, status }) => [method, host, objectKey, status]),
    ).toEqual([
      ['GET', vendorHost, null, 200],
      ['POST', vendorHost, null, 201],
      ['PUT', bucketHost, grant.objectKey, 200],
      ['POST', vendorHost, null, 204],
    ]);
    expect(call.told[2]).toMatchObject({ bodySha256: digests.sha256, sizeBytes: bytes.length });
  });

  test('only the cloud sees the certificate of the device', async () => {
    const here = await device(dialect);
    const { grant } = await granted(here);
    await here.port.put(grant, bytes, callOf());
    const shown = (server: 'vendor' | 'bucket') =>
      here.cloud[server].connections.map((each) => each.clientCertificate);
    expect([shown('vendor'), shown('bucket')]).toEqual([[true], [false]]);
  });
});

test('the headers of every request are these and no more', async () => {
  const here = await device();
  const { cloud, port } = here;
  await port.link(callOf());
  const { grant } = await granted(here);
  await port.put(grant, bytes, callOf());
  const report = {
    uploadId: grant.uploadId ?? '',
    status: 200,
    etag: null,
    crc64: '',
    storeRequestId: null,
  };
  await port.done(report, callOf());
  await port.orderErasure(order, callOf());
  const shown = (handled: readonly Handled[]) =>
    handled.map(({ method, headers }) => `${method} ${headers.map(([name]) => name).join(' ')}`);
  expect(shown(cloud.vendor.handled)).toEqual([
    'GET host connection user-agent accept',
    'POST host connection user-agent accept content-type idempotency-key content-length',
    'POST host connection user-agent accept content-type content-length',
    'POST host connection user-agent accept content-type content-length',
  ]);
  expect(shown(cloud.bucket.handled)).toEqual([
    `PUT host connection user-agent ${Object.keys(grant.headers).join(' ')} content-length`,
  ]);
  const all = [...cloud.vendor.handled, ...cloud.bucket.handled].flatMap(({ headers }) => headers);
  const values = (name: string) =>
    new Set(all.flatMap(([key, value]) => (key === name ? [value] : [])));
  expect(values('user-agent')).toEqual(new Set(['doorkeep']));
  expect(values('idempotency-key')).toEqual(new Set([batch.batchId]));
});

test('a batch that the cloud has is not sent again, under whatever age class', async () => {
  const here = await device();
  const { grant } = await granted(here);
  await here.port.put(grant, bytes, callOf());
  const later = { ...batch, ttlDays: 26, sentBefore: true };
  expect(await here.port.requestGrant(later, callOf())).toEqual({ kind: 'already' });
});

test('S0-14 a batch that waited a day is granted a place in the class of a day less', async () => {
  const here = await device();
  const first = await granted(here);
  const second = await granted(here, { ...batch, ttlDays: 26, sentBefore: true });
  expect(first.grant.objectKey).toMatch(/^ttl27\//);
  expect(second.grant.objectKey).toMatch(/^ttl26\//);
  await here.port.put(second.grant, bytes, callOf());
  const third = { ...batch, ttlDays: 25, sentBefore: true };
  expect(await here.port.requestGrant(third, callOf())).toEqual({ kind: 'already' });
});

test('S0-31 an order erases what lies there, as often as it is given', async () => {
  const here = await device();
  const { grant } = await granted(here);
  await here.port.put(grant, bytes, callOf());
  for (let i = 0; i < 2; i++) {
    expect(await here.port.orderErasure(order, callOf())).toMatchObject({ status: 202 });
    expect(here.cloud.bucket.read(grant.objectKey)).toBeUndefined();
  }
  expect(await here.port.requestGrant(batch, callOf())).toMatchObject({
    status: 403,
    code: 'consent_withdrawn',
  });
});

describe('what the cloud says is told as it came', () => {
  test.each([
    [
      'is not linked',
      (here: Device) => here.cloud.vendor.link('device-1', false),
      404,
      'not_linked',
    ],
    [
      'has another policy',
      (here: Device) => {
        here.cloud.vendor.settings.policyVersion = '2027-01';
      },
      403,
      'policy_outdated',
    ],
    [
      'takes less',
      (here: Device) => {
        here.cloud.vendor.settings.maxBytes = 3;
      },
      413,
      'too_large',
    ],
    [
      'knows of a withdrawal',
      (here: Device) => here.cloud.vendor.withdraw(consentId),
      403,
      'consent_withdrawn',
    ],
    [
      'is busy',
      (here: Device) =>
        here.cloud.vendor.script.next({
          kind: 'status',
          status: 503,
          headers: { 'retry-after': '7' },
        }),
      503,
      'ordered',
    ],
  ] as const)('it %s', async (_what, change, status, code) => {
    const here = await device();
    change(here);
    const answer = await here.port.requestGrant(batch, callOf());
    expect(answer).toMatchObject({ kind: 'reply', status, code });
    if (status === 503) expect(answer).toMatchObject({ headers: { 'retry-after': '7' } });
  });

  test('its link says where, whether and what time it is there', async () => {
    const { cloud, port } = await device();
    cloud.vendor.settings.skewMs = 3_600_000;
    cloud.vendor.settings.accepting = false;
    const link = await port.link(callOf());
    if (link.kind !== 'linked') throw new Error('it is not linked');
    expect(link.accepting).toBe(false);
    expect(Math.abs((link.serverMs ?? 0) - cloud.nowMs() - 3_600_000)).toBeLessThan(60_000);
    cloud.vendor.link('device-1', false);
    expect(await port.link(callOf())).toMatchObject({ kind: 'reply', code: 'not_linked' });
  });

  test('S0-14 a cloud that keeps things for longer than a month is not fit', async () => {
    const { cloud, port } = await device();
    cloud.vendor.settings.retentionDays = 90;
    expect(await port.link(callOf())).toEqual({ kind: 'unfit', why: 'no-retention-rule' });
  });

  test('what is no answer of the contract is none', async () => {
    const here = await device();
    here.cloud.vendor.settings.changeGrant = () => ({ kind: 'put' });
    expect(await here.port.requestGrant(batch, callOf())).toEqual({
      kind: 'no-reply',
      fault: 'unreadable-reply',
    });
  });
});

test('a certificate that was renewed is shown from the next request on', async () => {
  const { cloud, port, settings } = await device();
  await port.link(callOf());
  const other = cloud.deviceCalled('device-2');
  cloud.vendor.link('device-2', false);
  writeFileSync(settings['cloud.certificate'] ?? '', other.cert);
  writeFileSync(settings['cloud.key'] ?? '', other.key);
  expect(await port.link(callOf())).toMatchObject({ status: 404, code: 'not_linked' });
});

test('a certificate without its key is a fault of the device, and not of the network', async () => {
  const { cloud, port, settings } = await device();
  writeFileSync(settings['cloud.certificate'] ?? '', 'no certificate');
  await expect(port.link(callOf())).rejects.toMatchObject({ code: 'CREDENTIALS_INVALID' });
  expect(cloud.vendor.connections).toEqual([]);
});

describe('S0-2 the host has the first word', () => {
  test.each(['', 'unlinked', 'linked please', undefined])(
    'with %j in its file no socket is opened',
    async (word) => {
      const file = join(temporaryFolder(), 'link');
      if (word !== undefined) writeFileSync(file, word);
      const { cloud, port } = await device('oss', { 'cloud.linkFile': file });
      const call = callOf();
      expect(await port.link(call)).toEqual({ kind: 'not-linked' });
      const unreachable = { kind: 'no-reply', fault: 'unreachable' };
      expect(await port.requestGrant(batch, call)).toEqual(unreachable);
      expect(await port.orderErasure(order, call)).toEqual(unreachable);
      expect(call.told).toEqual([]);
      expect(cloud.vendor.connections).toEqual([]);
    },
  );

  test('with the word it is, and it is read anew each time', async () => {
    const file = join(temporaryFolder(), 'link');
    writeFileSync(file, 'linked\n');
    const here = await device('oss', { 'cloud.linkFile': file });
    expect(await here.port.link(callOf())).toMatchObject({ kind: 'linked' });
    const { grant } = await granted(here);
    writeFileSync(file, 'down');
    expect(await here.port.put(grant, bytes, callOf())).toEqual({
      kind: 'no-reply',
      fault: 'unreachable',
    });
    expect(here.cloud.bucket.connections).toEqual([]);
  });
});
