import { writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ageClassRules } from '../../../fixtures/cloud/lifecycle.ts';
import type { Dialect } from '../../../fixtures/cloud/store-fault.ts';
import { openCloud as openTestCloud } from '../../../fixtures/cloud/test-client.ts';
import type { Handled } from '../../../fixtures/cloud/traffic.ts';
import { openCloud } from '../../programme/cloud.ts';
import { cloudConfig, credentialsText } from '../../test/fakes/cloud-config.ts';
import type { BatchFacts, Call, RequestFacts, UploadGrant } from '../../upload/cloud-port.ts';
import { crc64 } from '../../upload/crc64.ts';
import { checkGrant } from '../../upload/grant.ts';
import { objectKeyOf } from '../../upload/object-key.ts';
import { checkStored } from '../../upload/stored-check.ts';
import { md5Base64, sha256Hex } from '../files/digests.ts';
import { systemClock } from '../process/clock.ts';

const bytes = Buffer.from('a sealed batch');
const digests = { md5: md5Base64(bytes), sha256: sha256Hex(bytes), crc64: crc64(bytes) };
const consentId = '3f2b8a52-0000-4000-8000-000000000001';
const region = 'cn-hangzhou';
const batch: BatchFacts = {
  batchId: digests.sha256.slice(0, 32),
  sizeBytes: bytes.length,
  md5: digests.md5,
  sha256: digests.sha256,
  rows: 3,
  from: '2026-11-21',
  to: '2026-11-22',
  ttlDays: 26,
  consentId,
  policyVersion: '2026-11',
  region,
  sentBefore: false,
};
const again: BatchFacts = { ...batch, sentBefore: true };

function callOf(): Call & { readonly told: RequestFacts[] } {
  const told: RequestFacts[] = [];
  return { signal: new AbortController().signal, told, onRequest: (facts) => told.push(facts) };
}

async function device(
  dialect: Dialect,
  more: Readonly<Record<string, unknown>> = {},
  clock = systemClock,
) {
  const cloud = await openTestCloud({ dialect });
  // S3 answers an ETag unless told otherwise.
  const settings = cloudConfig(cloud, 'direct', { 'cloud.checksum': 'etag', ...more });
  const opened = await openCloud({ config: settings }, clock);
  if (!opened) throw new Error('there is no cloud');
  return { cloud, settings, ...opened };
}
type Device = Awaited<ReturnType<typeof device>>;

async function granted({ port }: Device, facts: BatchFacts = batch): Promise<UploadGrant> {
  const answer = await port.requestGrant(facts, callOf());
  if (answer.kind !== 'granted') throw new Error(`no grant: ${JSON.stringify(answer)}`);
  return answer.grant;
}
async function stored(here: Device, facts: BatchFacts = batch): Promise<UploadGrant> {
  const grant = await granted(here, facts);
  const reply = await here.port.put(grant, bytes, callOf());
  if (reply.kind !== 'reply') throw new Error(`no reply: ${reply.fault}`);
  expect(reply.status).toBe(200);
  expect(checkStored(reply, grant.expect, digests)).toEqual({ kind: 'stored' });
  return grant;
}
const told = ({ told: all }: { readonly told: readonly RequestFacts[] }) =>
  all.map(({ method, objectKey, status }) => [method, objectKey, status]);

describe.each(['oss', 's3'] as const)('a bucket that speaks %s', (dialect) => {
  const key = (ttlDays: number) => objectKeyOf({ ...batch, ttlDays });

  test('S0-5 takes a batch that the device has signed for, and has it as it was sent', async () => {
    const here = await device(dialect);
    const { cloud, port, rules } = here;
    const call = callOf();
    expect(await port.link(call)).toMatchObject({ kind: 'linked', region, accepting: true });
    expect(told(call)).toEqual([
      ['GET', null, 501],
      ['GET', null, 200],
      ['GET', null, 200],
    ]);
    const grant = await granted(here);
    expect(grant.objectKey).toMatch(
      /^ttl26\/ueip\/([0-9a-f]{2})\/\1[0-9a-f]{22}\/[0-9a-f]{32}\.jsonl\.gz$/,
    );
    expect(grant.objectKey).not.toContain(consentId.slice(0, 8));
    const context = { region, ttlDays: 26, serverMs: cloud.nowMs(), body: batch };
    expect(checkGrant(grant, rules, context)).toEqual({ kind: 'good' });
    await stored(here);
    expect(cloud.bucket.read(grant.objectKey)).toEqual(bytes);
    expect(cloud.vendor.connections).toEqual([]);
    expect(cloud.bucket.connections.every((each) => !each.clientCertificate)).toBe(true);
  });

  test('S0-6 encrypts each object under the key of the bucket, or the one that is named', async () => {
    const here = await device(dialect);
    await here.port.link(callOf());
    const grant = await stored(here);
    const named = Object.entries(grant.headers).find(([name]) => name.endsWith('key-id'));
    expect(named?.[1]).toBe(here.cloud.bucket.keyId);

    const { keyId } = here.cloud.bucket;
    const other = await device(dialect, { 'cloud.kmsKeyId': keyId });
    // What the bucket does by itself is not asked then.
    other.cloud.bucket.settings.encryption = undefined;
    expect(await other.port.link(callOf())).toMatchObject({ kind: 'linked' });
    const { expect: expected } = await stored(other);
    expect(Object.values(expected.headers)).toContain(keyId);
  });

  test('S0-6 two batches are two objects, and no object is ever written over', async () => {
    const here = await device(dialect);
    await stored(here);
    await stored(here, { ...batch, batchId: 'f'.repeat(32) });
    expect(here.cloud.bucket.objects.keys()).toHaveLength(2);
    const once = await here.port.put(await granted(here), bytes, callOf());
    expect(once).toMatchObject(
      dialect === 'oss'
        ? { status: 409, code: 'FileAlreadyExists' }
        : { status: 412, code: 'PreconditionFailed' },
    );
  });

  test('finds a batch of which nobody knew whether it arrived, in the age class of another night', async () => {
    const here = await device(dialect);
    await here.port.link(callOf());
    const earlier = await stored(here, { ...batch, ttlDays: 28 });
    expect(earlier.objectKey).toBe(key(28));
    const call = callOf();
    expect(await here.port.requestGrant(again, call)).toEqual({ kind: 'already' });
    expect(told(call)).toEqual([
      ['HEAD', key(26), 404],
      ['HEAD', key(27), 404],
      ['HEAD', key(28), 200],
    ]);
    // One that is not there is granted.
    const { objectKey } = await granted(here, { ...again, batchId: 'e'.repeat(32) });
    expect(objectKey).toContain('e'.repeat(32));
  });

  test('takes nothing for the batch that is not it, or not as it should lie there', async () => {
    const here = await device(dialect);
    await here.port.link(callOf());
    const { bucket } = here.cloud;
    await stored(here);
    const as = async (facts: BatchFacts) => here.port.requestGrant(facts, callOf());
    expect(await as(again)).toEqual({ kind: 'already' });
    expect(
      await as({ ...again, md5: md5Base64(Buffer.from('x')), sha256: '0'.repeat(64) }),
    ).toMatchObject({
      kind: 'reply',
      status: 200,
    });
    expect(await as({ ...again, sizeBytes: 1 })).toMatchObject({ kind: 'reply', status: 200 });
    bucket.script.next({ kind: 'no-encryption' });
    expect(await as(again)).toMatchObject({ kind: 'reply', status: 200 });
    bucket.script.next({ kind: 'status', status: 403 });
    expect(await as(again)).toMatchObject({ kind: 'reply', status: 403 });
    bucket.script.next({ kind: 'reset' });
    expect(await as(again)).toEqual({ kind: 'no-reply', fault: 'reset' });
  });

  test('S0-31 an order deletes each object of the consent, as often as it is given', async () => {
    const here = await device(dialect);
    await stored(here);
    await stored(here, { ...batch, batchId: 'f'.repeat(32) });
    const objectKeys = [key(26), objectKeyOf({ ...batch, batchId: 'f'.repeat(32) }), key(3)];
    const order = { erasureId: 'e1', consentId, objectKeys, requestedAtMs: 0 };
    for (let i = 0; i < 2; i++) {
      const call = callOf();
      expect(await here.port.orderErasure(order, call)).toMatchObject({
        kind: 'reply',
        status: 204,
      });
      expect(told(call)).toEqual(objectKeys.map((each) => ['DELETE', each, 204]));
    }
    expect(here.cloud.bucket.objects.keys()).toEqual([]);
    here.cloud.bucket.script.next({ kind: 'status', status: 503 });
    expect(await here.port.orderErasure(order, callOf())).toMatchObject({ status: 503 });
    // What a vendor's cloud has named lies in its bucket: nobody here can say that it is gone.
    const foreign = { ...order, objectKeys: [...objectKeys, 'ttl26/ueip/00/abc/x.jsonl.gz'] };
    expect(await here.port.orderErasure(foreign, callOf())).toMatchObject({ status: 404 });
  });

  test('a pair of the token service is used while it lasts, and renewed by replacing its file', async () => {
    const here = await device(dialect);
    const file = here.settings['cloud.credentials'] ?? '';
    const { credentials } = here.cloud.bucket;
    const lent = credentials.issue(600);
    writeFileSync(file, credentialsText(lent));
    expect(await here.port.link(callOf())).toMatchObject({ kind: 'linked' });
    await stored(here);
    here.cloud.advanceDays(1);
    // The bucket's clock is what counts, as soon as it has answered.
    await expect(granted(here)).resolves.toBeDefined();
    await expect(here.port.link(callOf())).rejects.toThrow(/expired/);
    writeFileSync(file, credentialsText(credentials.issue(600)));
    expect(await here.port.link(callOf())).toMatchObject({ kind: 'linked' });
  });

  test('a clock that is wrong is put right by the answer of the bucket', async () => {
    const dayMs = 86_400_000;
    for (const offMs of [-40 * dayMs, 2 * dayMs]) {
      const here = await device(dialect, {}, { ...systemClock, wallMs: () => Date.now() + offMs });
      const call = callOf();
      const link = await here.port.link(call);
      expect(told(call).map(([, , status]) => status)).toEqual([403, 501, 200, 200]);
      if (link.kind !== 'linked') throw new Error('it is not linked');
      expect(Math.abs((link.serverMs ?? 0) - Date.now())).toBeLessThan(60_000);
      await stored(here);
    }
  });

  describe('S0-14 S0-6 is not fit, and gets nothing', () => {
    const unfit = async (change: (here: Device) => void, more = {}) => {
      const here = await device(dialect, more);
      change(here);
      return here.port.link(callOf());
    };
    const because = (why: string) => ({ kind: 'unfit', why });

    test('without a lifecycle, or with one that keeps a class too long', async () => {
      expect(
        await unfit(({ cloud }) => {
          cloud.bucket.settings.lifecycle = undefined;
        }),
      ).toEqual(because('no-retention-rule'));
      expect(
        await unfit(({ cloud }) => {
          cloud.bucket.settings.lifecycle = ageClassRules.slice(1);
        }),
      ).toEqual(because('no-retention-rule'));
      const [first, ...rest] = ageClassRules;
      if (!first) throw new Error('there are no rules');
      expect(
        await unfit(({ cloud }) => {
          cloud.bucket.settings.lifecycle = [{ ...first, days: 2 }, ...rest];
        }),
      ).toEqual(because('no-retention-rule'));
      expect(
        await unfit(({ cloud }) => {
          cloud.bucket.settings.lifecycle = [{ ...first, enabled: false }, ...rest];
        }),
      ).toEqual(because('no-retention-rule'));
    });

    test('without an encryption of its own, where no key is named', async () => {
      expect(
        await unfit(({ cloud }) => {
          cloud.bucket.settings.encryption = undefined;
        }),
      ).toEqual(because('no-encryption'));
      expect(
        await unfit(({ cloud }) => {
          cloud.bucket.settings.encryption = { algorithm: 'AES256', keyId: undefined };
        }),
      ).toEqual(because('no-encryption'));
    });

    test('S0-5 in another region than the consent names', async () => {
      expect(await unfit(() => {}, { 'cloud.region': 'eu-central-1' })).toEqual(
        because('other-region'),
      );
    });

    test('and what it says instead is told as it came', async () => {
      const said = async (change: (here: Device) => void) => unfit(change);
      expect(
        await said(({ cloud }) => cloud.bucket.script.next({ kind: 'status', status: 503 })),
      ).toMatchObject({ kind: 'reply', status: 503 });
      expect(
        await said(({ cloud }) =>
          cloud.bucket.credentials.revoke(cloud.bucket.credentials.main.accessKeyId),
        ),
      ).toMatchObject({ kind: 'reply', status: 403, code: 'InvalidAccessKeyId' });
    });
  });

  test('the headers of every request are these and no more', async () => {
    const here = await device(dialect);
    await here.port.link(callOf());
    const { headers } = await stored(here);
    await here.port.requestGrant(again, callOf());
    const order = { erasureId: 'e1', consentId, objectKeys: [key(26)], requestedAtMs: 0 };
    await here.port.orderErasure(order, callOf());
    const shown = ({ method, headers: all }: Handled) =>
      `${method} ${all.map(([name]) => name).join(' ')}`;
    const signed =
      dialect === 'oss'
        ? 'x-oss-date x-oss-content-sha256 authorization'
        : 'x-amz-date x-amz-content-sha256 authorization';
    const bare = `host connection user-agent ${signed}`;
    expect(here.cloud.bucket.handled.map(shown)).toEqual([
      ...Array(3).fill(`GET ${bare}`),
      `PUT host connection user-agent ${Object.keys(headers).join(' ')} content-length`,
      `HEAD ${bare}`,
      `DELETE ${bare}`,
    ]);
  });

  test('a report that waits for a cloud of earlier settings is given up', async () => {
    const here = await device(dialect);
    const report = { uploadId: 'x', status: 200, etag: null, crc64: '1', storeRequestId: null };
    const call = callOf();
    expect(await here.port.done(report, call)).toMatchObject({ kind: 'reply', status: 404 });
    expect(call.told).toEqual([]);
  });
});

describe('S3 as it is where an ETag is no MD5', () => {
  test('S0-6 the store answers the SHA-256, or it is no receipt', async () => {
    const here = await device('s3', { 'cloud.checksum': 'sha256' });
    here.cloud.bucket.settings.etag = 'opaque';
    const grant = await stored(here);
    expect(grant.expect.checksum).toEqual({ header: 'x-amz-checksum-sha256', algorithm: 'sha256' });
    const wrong = await device('s3');
    wrong.cloud.bucket.settings.etag = 'opaque';
    const other = await granted(wrong);
    const reply = await wrong.port.put(other, bytes, callOf());
    if (reply.kind !== 'reply') throw new Error('no reply');
    expect(checkStored(reply, other.expect, digests)).toEqual({
      kind: 'not-stored',
      why: 'other-checksum',
    });
  });
});
