import { describe, expect, test } from 'vitest';
import type { Fault } from '../../../fixtures/cloud/fault.ts';
import type { StopReason } from '../../upload/outcome.ts';
import { type CloudNights, cloudNights } from '../fakes/cloud-night.ts';
import { eventually } from '../fakes/eventually.ts';

const ways = [
  ['grant', 'oss'],
  ['grant', 's3'],
  ['direct', 'oss'],
  ['direct', 's3'],
] as const;

const isPut = ({ method }: { readonly method: string }) => method === 'PUT';
const puts = ({ cloud }: CloudNights) => cloud.bucket.handled.filter(isPut);

describe.each(ways)('in mode %s, to a bucket that speaks %s', (mode, dialect) => {
  async function readyNight(more: Readonly<Record<string, unknown>> = {}) {
    const nights = await cloudNights(mode, dialect, more);
    nights.world.optIn();
    nights.world.collect(40);
    nights.world.goTo('01:10');
    return nights;
  }
  const linesInBucket = ({ cloud: { bucket } }: CloudNights) => bucket.objects.keys();

  test('S0-5 S0-6 a night: one object, whole, encrypted, and nothing left on the device', async () => {
    const nights = await readyNight();
    const { world, cloud } = nights;
    expect(await nights.night()).toMatchObject({ end: { kind: 'complete' }, batches: 1, rows: 40 });
    const [key = '', ...more] = linesInBucket(nights);
    expect(more).toEqual([]);
    expect(key).toMatch(/^ttl2\d\/ueip\//);
    expect(cloud.bucket.objects.get(key)?.encryption).toMatchObject({ algorithm: 'KMS' });
    expect(world.linesOnDevice()).toEqual([]);
    expect(world.outbox).toEqual([]);
    expect(world.programme.sent).toMatchObject([{ objectKey: key, state: 'stored' }]);
    expect(await nights.night()).toMatchObject({ end: { kind: 'already-done' } });
  });

  describe('S0-6 S0-9 whoever does not do what was promised gets no more, and the rows stay', () => {
    test.each<[Fault, StopReason]>([
      [{ kind: 'no-encryption' }, 'no-encryption'],
      [{ kind: 'wrong-checksum' }, 'other-checksum'],
      [{ kind: 'redirect', location: 'https://localhost:1/elsewhere', status: 301 }, 'redirected'],
      [{ kind: 'redirect', location: 'http://localhost:1/elsewhere', status: 307 }, 'redirected'],
      [{ kind: 'status', status: 501, code: 'NotImplemented' }, 'not-supported'],
      [{ kind: 'status', status: 409, code: 'KeyDisabled' }, 'cloud-fault'],
      // 200 to everything, and not a word on what became of it.
      [{ kind: 'headers', headers: silence(dialect) }, 'no-encryption'],
    ])('%o: %s', async (fault, why) => {
      const nights = await readyNight();
      nights.cloud.bucket.script.always(fault, isPut);
      expect(await nights.night()).toMatchObject({ end: { kind: 'stopped', why }, batches: 0 });
      expect(puts(nights)).toHaveLength(1);
      expect(nights.world.linesOnDevice()).toHaveLength(40);
      expect(nights.world.outbox).toHaveLength(1);
      expect(nights.world.memory.stopped).toMatchObject({ why });
      expect(await nights.night()).toMatchObject({ end: { kind: 'stopped', why } });
      expect(puts(nights)).toHaveLength(1);
    });

    test.each([
      ['wrong-host', 'bad-certificate'],
      ['unknown-ca', 'bad-certificate'],
      ['expired', 'certificate-time'],
    ] as const)('a store that shows: %s gets no byte of them', async (shown, why) => {
      const nights = await readyNight();
      const { port } = nights;
      // Only once the bucket was found to be fit, where it is asked.
      nights.port = {
        ...port,
        put: (...given) => {
          nights.cloud.bucket.present(shown);
          return port.put(...given);
        },
      };
      expect(await nights.night()).toMatchObject({ batches: 0 });
      expect(puts(nights)).toEqual([]);
      expect(nights.world.linesOnDevice()).toHaveLength(40);
      // A connection that was open is cut first, which is tried again.
      expect(nights.world.memory.stopped).toMatchObject({ why });
    });
  });

  describe('what passes is tried again, and ends as one object', () => {
    test.each<[Fault]>([
      [{ kind: 'reset', afterBytes: 100 }],
      [{ kind: 'lost-reply' }],
      [{ kind: 'half-body' }],
      [{ kind: 'not-http' }],
      [{ kind: 'oversized-reply' }],
      [{ kind: 'callback-failed' }],
      [
        {
          kind: 'status',
          status: 503,
          code: 'ServiceUnavailable',
          headers: { 'retry-after': '3' },
        },
      ],
      [{ kind: 'status', status: 403, code: 'AccessDenied' }],
    ])('%o', async (fault) => {
      const nights = await readyNight();
      nights.cloud.bucket.script.next(fault, 1, isPut);
      expect(await nights.night()).toMatchObject({ end: { kind: 'complete' }, rows: 40, tries: 1 });
      expect(linesInBucket(nights)).toHaveLength(1);
      expect(nights.world.linesOnDevice()).toEqual([]);
    });
  });

  test('what arrived in a night that ended before it was known is found in the next, not sent again', async () => {
    const nights = await readyNight();
    nights.cloud.bucket.script.always({ kind: 'lost-reply' }, isPut);
    expect(await nights.night()).toMatchObject({ end: { kind: 'stopped' } });
    nights.cloud.bucket.script.always(undefined);
    const sent = puts(nights).length;
    nights.world.goTo('01:10');
    expect(await nights.night()).toMatchObject({ end: { kind: 'complete' }, rows: 40 });
    expect(puts(nights)).toHaveLength(sent);
    expect(linesInBucket(nights)).toHaveLength(1);
    expect(nights.world.linesOnDevice()).toEqual([]);
  });

  test('S0-30 a withdrawal in the middle of an upload cuts it off, and no request follows', async () => {
    const nights = await readyNight();
    const events: string[] = [];
    nights.cloud.bucket.script.next({ kind: 'black-hole' }, 1, isPut);
    const ended = nights.night().then((report) => {
      events.push('the pass has ended');
      return report;
    });
    await eventually(() => puts(nights).length === 1);
    const before = nights.cloud.bucket.connections.map(({ bytesReceived }) => bytesReceived);
    const requests = nights.cloud.vendor.handled.length + nights.cloud.bucket.handled.length;
    events.push('withdrawn');
    nights.world.optOut();
    nights.stop();
    expect(await ended).toMatchObject({ end: { kind: 'stopped', why: 'aborted' } });
    expect(events).toEqual(['withdrawn', 'the pass has ended']);
    await eventually(() => nights.cloud.bucket.connections.every(({ open }) => !open));
    const after = nights.cloud.bucket.connections.map(({ bytesReceived }) => bytesReceived);
    expect(after).toEqual(before);
    expect(nights.cloud.vendor.handled.length + nights.cloud.bucket.handled.length).toBe(requests);
  });

  test('S0-31 what was sent is erased where that was asked for at the withdrawal', async () => {
    const nights = await readyNight();
    await nights.night();
    expect(linesInBucket(nights)).toHaveLength(1);
    nights.world.optOut(true);
    nights.world.goTo('01:10');
    await nights.night();
    expect(linesInBucket(nights)).toEqual([]);
    expect(nights.world.programme.orders).toEqual([]);
  });

  test('S0-31 without that wish nothing is erased there, and nothing is sent', async () => {
    const nights = await readyNight();
    await nights.night();
    const requests = nights.cloud.vendor.handled.length + nights.cloud.bucket.handled.length;
    nights.world.optOut(false);
    nights.world.goTo('01:10');
    await nights.night();
    expect(linesInBucket(nights)).toHaveLength(1);
    expect(nights.cloud.vendor.handled.length + nights.cloud.bucket.handled.length).toBe(requests);
  });
});

describe('the vendor’s cloud', () => {
  test.each([
    ['wrong-host', 'link-absent'],
    ['unknown-ca', 'link-absent'],
    ['other-key', 'link-absent'],
    ['expired', 'certificate-time'],
  ] as const)('S0-9 that shows: %s is told nothing', async (shown, why) => {
    const nights = await cloudNights('grant', 'oss');
    nights.world.optIn();
    nights.world.collect(40);
    nights.world.goTo('01:10');
    nights.cloud.vendor.present(shown);
    expect(await nights.night()).toMatchObject({ end: { kind: 'stopped', why } });
    const received = nights.cloud.vendor.connections.map(({ bytesReceived }) => bytesReceived);
    expect(received.filter((bytes) => bytes > 0)).toEqual([]);
    expect(nights.world.linesOnDevice()).toHaveLength(40);
  });

  test('S0-6 that tries to do without encryption gets nothing to store', async () => {
    const nights = await cloudNights('grant', 'oss');
    nights.world.optIn();
    nights.world.collect(40);
    nights.world.goTo('01:10');
    nights.cloud.vendor.settings.encryption = 'none';
    const report = await nights.night();
    expect(report).toMatchObject({ end: { kind: 'stopped', why: 'bad-grant' } });
    expect(nights.cloud.bucket.connections).toEqual([]);
  });

  test('S0-5 that leads to a host which is not in the list gets nothing to store', async () => {
    const nights = await cloudNights('grant', 'oss', { 'cloud.hosts': ['aliyuncs.com'] });
    nights.world.optIn();
    nights.world.collect(40);
    nights.world.goTo('01:10');
    const report = await nights.night();
    expect(report).toMatchObject({ end: { kind: 'stopped', why: 'bad-grant' } });
    expect(nights.cloud.bucket.connections).toEqual([]);
  });
});

/** Of all that a store answers, nothing. */
function silence(dialect: 'oss' | 's3'): Record<string, undefined> {
  const names =
    dialect === 'oss'
      ? ['etag', 'content-md5', 'x-oss-hash-crc64ecma', 'x-oss-server-side-encryption']
      : ['etag', 'x-amz-server-side-encryption', 'x-amz-server-side-encryption-aws-kms-key-id'];
  return Object.fromEntries(names.map((name) => [name, undefined]));
}
