import { describe, expect, test } from 'vitest';
import type { CloudStep, Fate } from '../test/fakes/memory-cloud.ts';
import { createUploadWorld, type UploadWorld } from '../test/fakes/upload-world.ts';

/** Opted in, with this many records, at 01:10 of the first night. */
function atNight(options: Parameters<typeof createUploadWorld>[0] = {}, records = 50): UploadWorld {
  const world = createUploadWorld(options);
  world.optIn();
  world.collect(records);
  world.goTo('01:10');
  return world;
}

/** The fates of the requests of one kind, in their order; afterwards all is fine. */
function fates(step: CloudStep, ...list: readonly Fate[]): (asked: CloudStep) => Fate {
  const left = [...list];
  return (asked) => (asked === step ? (left.shift() ?? 'fine') : 'fine');
}

describe('what the network can do', () => {
  test('S0-12 while the link is down for three days nothing leaves, and then all of it does', async () => {
    let isDown = true;
    const world = atNight({ fate: () => (isDown ? { fault: 'dns' } : 'fine') });
    for (let day = 1; day <= 3; day++) {
      expect((await world.night()).end).toEqual({ kind: 'stopped', why: 'link-absent' });
      // Not again in the same night.
      const asked = world.cloud.steps.length;
      expect((await world.night()).end).toEqual({ kind: 'stopped', why: 'link-absent' });
      expect(world.cloud.steps).toHaveLength(asked);
      world.collect(50, day * 50);
      world.goTo('00:30');
      world.goTo('01:10');
    }
    expect(world.linesOnDevice()).toHaveLength(200);
    expect(new Set(world.cloud.steps)).toEqual(new Set(['link']));
    expect(world.cloud.steps).toHaveLength(18);
    isDown = false;
    expect((await world.night()).end).toEqual({ kind: 'complete' });
    expect(new Set(world.linesInCloud()).size).toBe(200);
    expect(world.linesInCloud()).toHaveLength(200);
    expect(world.memory.counts['link-absent']).toBe(21);
  });

  test.each<[string, Fate]>([
    ['a reset before it arrives', { fault: 'reset' }],
    ['an answer that is lost', { doneBut: 'reset' }],
    ['an answer that never comes', 'done-then-black-hole'],
    ['a black hole', 'black-hole'],
    ['an answer too large', { doneBut: 'oversized-reply' }],
    ['a 500 that had stored it', { doneButStatus: 500 }],
    ['a 203 of a store that could not tell the cloud', { doneButStatus: 203 }],
    ['a 503', { status: 503 }],
    ['a body that was damaged', { status: 400, code: 'InvalidDigest' }],
  ])('%s: tried again, and there is one object', async (_, fate) => {
    const world = atNight({ fate: fates('put', fate) });
    const before = world.linesOnDevice();
    expect(await world.night()).toMatchObject({ end: { kind: 'complete' }, tries: 1 });
    expect(world.linesInCloud()).toEqual(before);
    expect(world.linesOnDevice()).toEqual([]);
    expect(world.cloud.objects.size).toBe(1);
  });

  test('what was tried in vain tonight is tried tomorrow with the same id and the same bytes', async () => {
    const world = atNight({ fate: fates('put', ...times(6, { fault: 'reset' } as const)) });
    expect((await world.night()).end).toEqual({ kind: 'stopped', why: 'tried-enough' });
    expect(world.cloud.steps.filter((step) => step === 'put')).toHaveLength(6);
    const [waiting] = world.outbox;
    world.collect(50, 50);
    world.goTo('00:30');
    world.goTo('01:10');
    await world.night();
    const [first] = world.cloud.objects.values();
    expect(first?.bytes).toEqual(waiting?.bytes);
    expect(first?.batchId).toBe(waiting?.id);
    expect(world.linesInCloud()).toHaveLength(100);
  });

  test('S0-14 a batch that waited a day lies in the bucket a day less', async () => {
    const world = atNight({ fate: fates('put', ...times(6, { fault: 'reset' } as const)) });
    await world.night();
    world.goTo('00:30');
    world.goTo('01:10');
    await world.night();
    const ttl = world.outbox[0]?.ttlDays;
    expect(ttl).toBeUndefined();
    const days = world.programme.sent.map(({ objectKey }) => Number(objectKey?.slice(3, 5)));
    expect(days).toHaveLength(2);
    expect(days[1]).toBe((days[0] ?? 0) - 1);
    expect([...world.cloud.objects.keys()][0]).toBe(world.programme.sent[1]?.objectKey);
  });

  test('a batch whose month ends before it is known whether it arrived is sent to nobody any more', async () => {
    const world = createUploadWorld({
      fate: (step) => (step === 'put' ? { fault: 'reset' } : 'fine'),
    });
    world.optIn();
    world.collect(50);
    world.time.advance(26 * 86_400_000);
    for (let night = 0; night < 4; night++) {
      world.goTo('00:30');
      world.goTo('01:10');
      await world.night();
    }
    expect(world.memory.counts.abandoned).toBe(1);
    expect(world.outbox).toEqual([]);
    // In part of another batch they might lie there twice.
    expect(world.linesOnDevice()).toEqual([]);
    expect(world.programme.sent.every(({ state }) => state === 'maybe')).toBe(true);
  });

  test('a batch that never left by then is no more, and its records are what they were', async () => {
    const world = createUploadWorld({
      fate: (step) => (step === 'grant' ? { status: 503 } : 'fine'),
    });
    world.optIn();
    world.collect(50);
    world.time.advance(26 * 86_400_000);
    for (let night = 0; night < 4; night++) {
      world.goTo('00:30');
      world.goTo('01:10');
      await world.night();
    }
    expect(world.outbox).toEqual([]);
    expect(world.linesOnDevice()).toHaveLength(50);
    expect(world.memory.counts.abandoned).toBeUndefined();
  });

  test('of which nobody knows whether it arrived last night is looked for, not sent again', async () => {
    const world = atNight({ fate: fates('put', ...times(6, { doneBut: 'reset' } as const)) });
    world.cloud.knowsBatches = false;
    // The store hides that it has it, so that all six tries are in doubt.
    await world.night();
    world.cloud.knowsBatches = true;
    world.goTo('00:30');
    world.goTo('01:10');
    await world.night();
    expect(world.cloud.objects.size).toBe(1);
    expect(world.outbox).toEqual([]);
    expect(world.linesOnDevice()).toEqual([]);
    expect(world.programme.sent).toMatchObject([{ state: 'stored' }]);
  });

  test('a grant that ended while we waited is not used again', async () => {
    const busy = { status: 503, headers: { 'retry-after': '300' } };
    const world = atNight({ fate: fates('put', busy) });
    world.cloud.forge = (grant) => ({ ...grant, expiresAtMs: world.trueMs() + 120_000 });
    await world.night();
    expect(world.cloud.steps).toEqual(['link', 'grant', 'put', 'grant', 'put', 'done']);
  });

  test.each([-4, 4])(
    'how long a grant holds is reckoned by the server’s clock (ours is %i minutes off)',
    async (minutes) => {
      const world = atNight();
      world.device.wallOffsetMs = minutes * 60_000;
      world.cloud.forge = (grant) => ({ ...grant, expiresAtMs: world.trueMs() + 100_000 });
      expect((await world.night()).end).toEqual({ kind: 'complete' });
      expect(world.cloud.steps).toEqual(['link', 'grant', 'put', 'done']);
    },
  );

  test('a grant that the store refuses is replaced once', async () => {
    const refused = { status: 403, code: 'AccessDenied' };
    const once = atNight({ fate: fates('put', refused) });
    expect((await once.night()).end).toEqual({ kind: 'complete' });
    expect(once.cloud.steps.filter((step) => step === 'grant')).toHaveLength(2);
    const twice = atNight({ fate: fates('put', refused, refused) });
    expect((await twice.night()).end).toEqual({ kind: 'stopped', why: 'grant-expired' });
    expect(twice.cloud.steps.filter((step) => step === 'put')).toHaveLength(2);
    expect(twice.linesOnDevice()).toHaveLength(50);
    expect(twice.memory.counts['grant-expired']).toBe(2);
  });

  test('where nobody gives grants none is spoken of: the bucket refused the object', async () => {
    const refused = { status: 403, code: 'AccessDenied' };
    const world = atNight({ fate: fates('put', refused, refused) });
    world.cloud.forge = (grant) => ({ ...grant, uploadId: null });
    expect((await world.night()).end).toEqual({ kind: 'stopped', why: 'put-refused' });
    expect(world.memory.counts).toEqual({ 'put-refused': 2 });
  });

  test.each([true, false])(
    'too large (said before the PUT: %s): in parts, each record once',
    async (early) => {
      const world = atNight({}, 200);
      const before = world.linesOnDevice();
      world.cloud.maxBytes = 1500;
      world.cloud.asksForSize = early;
      expect((await world.night()).end).toEqual({ kind: 'complete' });
      expect(world.cloud.objects.size).toBeGreaterThan(2);
      expect(world.linesInCloud()).toEqual(before);
      expect(world.linesOnDevice()).toEqual([]);
    },
  );

  test.each<[Fate, string]>([
    ['no-encryption', 'no-encryption'],
    ['wrong-checksum', 'other-checksum'],
    [{ status: 200 }, 'no-encryption'],
    [{ status: 302, headers: { location: 'http://portal.example' } }, 'redirected'],
    [{ fault: 'certificate' }, 'bad-certificate'],
    [{ status: 501 }, 'not-supported'],
    [{ status: 403, code: 'InDebt' }, 'cloud-fault'],
    [{ status: 404 }, 'refused'],
    [{ status: 422 }, 'bad-request'],
    [{ fault: 'certificate-time' }, 'certificate-time'],
  ])(
    'a store that answers %j gets nothing more tonight, and the records stay',
    async (fate, why) => {
      const world = atNight({ fate: (step) => (step === 'put' ? fate : 'fine') });
      expect((await world.night()).end).toEqual({ kind: 'stopped', why });
      expect((await world.night()).end).toEqual({ kind: 'stopped', why });
      expect(world.cloud.steps.filter((step) => step === 'put')).toHaveLength(1);
      expect(world.linesOnDevice()).toHaveLength(50);
      expect(world.memory.counts).toMatchObject({ [why]: 1 });
    },
  );

  test.each<[Fate, string]>([
    ['no-encryption', 'no-encryption'],
    ['wrong-checksum', 'other-checksum'],
    [{ status: 200 }, 'no-encryption'],
  ])(
    'S0-6 a store that lied (%j) gets nothing more in any night, until somebody has checked it',
    async (lie, why) => {
      const world = atNight({ fate: fates('put', lie) });
      expect((await world.night()).end).toEqual({ kind: 'stopped', why });
      const { steps } = world.cloud;
      const asked = steps.length;
      for (let night = 0; night < 3; night++) {
        world.goTo('00:30');
        world.goTo('01:10');
        expect((await world.night()).end).toEqual({ kind: 'stopped', why });
      }
      expect(steps).toHaveLength(asked);
      expect(world.linesOnDevice()).toHaveLength(50);
      world.trustStore();
      world.goTo('00:30');
      world.goTo('01:10');
      expect((await world.night()).end).toEqual({ kind: 'complete' });
      expect(world.linesOnDevice()).toEqual([]);
    },
  );

  test('S0-6 under other settings it is another store; under the old ones still the same', async () => {
    const world = atNight({ fate: fates('put', 'wrong-checksum') });
    await world.night();
    world.device.settings = 'settings-2';
    world.goTo('00:30');
    world.goTo('01:10');
    expect((await world.night()).end).toEqual({ kind: 'complete' });
    world.collect(10, 1000);
    world.device.settings = 'settings-1';
    world.goTo('00:30');
    world.goTo('01:10');
    expect((await world.night()).end).toEqual({ kind: 'stopped', why: 'other-checksum' });
    expect(world.linesOnDevice()).toHaveLength(10);
  });

  test('what other trouble there was with a store holds for that night only', async () => {
    for (const fate of [{ status: 302 }, { status: 501 }, { fault: 'certificate' }] as const) {
      const world = atNight({ fate: fates('put', fate) });
      await world.night();
      expect(world.memory.distrusted).toBeNull();
      world.goTo('00:30');
      world.goTo('01:10');
      expect((await world.night()).end).toEqual({ kind: 'complete' });
    }
  });

  test('that it is there already is not believed of a store that did not encrypt it', async () => {
    const world = atNight({ fate: fates('put', 'no-encryption') });
    world.cloud.knowsBatches = false;
    // Dies before it has noted that this night is over.
    let notes = 0;
    world.device.onAct = (_, name) => {
      if (name === 'remember' && ++notes === 2) world.die();
    };
    expect(await world.nightOrDeath()).toBe('dead');
    expect(world.memory).toMatchObject({ stopped: null, unverified: [world.outbox[0]?.id] });
    world.trustStore();
    expect((await world.night()).end).toEqual({ kind: 'stopped', why: 'stored-unverified' });
    expect(world.cloud.refusedTwice()).toBe(1);
    expect(world.linesOnDevice()).toHaveLength(50);
    // The cloud itself vouches for it.
    world.cloud.knowsBatches = true;
    world.goTo('00:30');
    world.goTo('01:10');
    expect((await world.night()).end).toEqual({ kind: 'complete' });
    expect(world.memory.unverified).toEqual([]);
    expect(world.linesOnDevice()).toEqual([]);
  });

  test('that a batch is there which never left is believed of nobody', async () => {
    const stop = { kind: 'stopped', why: 'already-stored-unseen' };
    const claimed = atNight();
    claimed.cloud.knowsBatches = 'claims-all';
    expect((await claimed.night()).end).toEqual(stop);
    expect(claimed.linesOnDevice()).toHaveLength(50);
    const conflict = atNight({ fate: fates('put', { status: 409, code: 'FileAlreadyExists' }) });
    expect((await conflict.night()).end).toEqual(stop);
    expect(conflict.linesOnDevice()).toHaveLength(50);
  });

  test('a report that the cloud does not take is told again the next night', async () => {
    const world = atNight({ fate: fates('done', { fault: 'reset' }) });
    expect((await world.night()).end).toEqual({ kind: 'complete' });
    expect(world.memory.dones).toHaveLength(1);
    world.goTo('00:30');
    world.goTo('01:10');
    await world.night();
    expect(world.cloud.dones).toMatchObject([{ uploadId: 'upload-1' }]);
    expect(world.memory.dones).toEqual([]);
  });

  test('a cloud that wants to be left alone is, also after a restart', async () => {
    const busy = { status: 503, headers: { 'retry-after': '1200' } };
    const world = atNight({ fate: fates('put', busy) });
    let isAsked = false;
    world.device.onAct = (_, name) => {
      if (name === 'remember') isAsked = true;
      else if (isAsked) world.die();
    };
    const askedAtMs = world.trueMs();
    expect(await world.nightOrDeath()).toBe('dead');
    world.device.onAct = () => {};
    world.time.advance(60_000);
    expect(world.cloud.objects.size).toBe(0);
    expect((await world.night()).end).toEqual({ kind: 'complete' });
    expect(world.trueMs() - askedAtMs).toBeGreaterThanOrEqual(1_200_000);
    expect(world.linesInCloud()).toHaveLength(50);
  });

  test('longer than the window is tomorrow', async () => {
    const world = atNight({
      fate: fates('grant', { status: 429, headers: { 'retry-after': '7200' } }),
    });
    const before = world.trueMs();
    expect((await world.night()).end).toEqual({ kind: 'stopped', why: 'window-closed' });
    expect(world.trueMs()).toBe(before);
    expect((await world.night()).end).toEqual({ kind: 'stopped', why: 'window-closed' });
    expect(world.cloud.steps).toEqual(['link', 'grant']);
  });
});

function times<T>(count: number, value: T): T[] {
  return Array.from({ length: count }, () => value);
}
