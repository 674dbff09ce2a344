import { describe, expect, test } from 'vitest';
import { consentId, createUploadWorld, type UploadWorld } from '../test/fakes/upload-world.ts';

/** Opted in, with this many records, at 01:10 of the first night. */
function atNight(options: Parameters<typeof createUploadWorld>[0] = {}, records = 50): UploadWorld {
  const world = createUploadWorld(options);
  world.optIn();
  world.collect(records);
  world.goTo('01:10');
  return world;
}

describe('whether anything leaves', () => {
  test.each([
    [true, true, 1],
    [true, false, 0],
    [false, true, 0],
    [false, false, 0],
  ])('S0-2 opted in: %s, linked: %s: %i objects', async (isIn, isLinked, objects) => {
    const world = createUploadWorld();
    if (isIn) world.optIn();
    world.collect(50);
    if (!isLinked) world.cloud.link = { kind: 'not-linked' };
    world.goTo('01:10');
    const { end } = await world.night();
    expect(world.cloud.objects.size).toBe(objects);
    expect(world.linesOnDevice()).toHaveLength(objects === 1 ? 0 : 50);
    if (!isIn) expect(world.cloud.steps).toEqual([]);
    if (!isIn) expect(end).toEqual({ kind: 'stopped', why: 'not-covered' });
    if (isIn && !isLinked) expect(end).toEqual({ kind: 'stopped', why: 'not-linked' });
  });

  test('everything that was collected, to the byte, and each once', async () => {
    const world = atNight();
    const before = world.linesOnDevice();
    const report = await world.night();
    expect(report).toMatchObject({ end: { kind: 'complete' }, batches: 1, rows: 50, tries: 0 });
    expect(world.linesInCloud()).toEqual(before);
    expect(world.linesOnDevice()).toEqual([]);
    expect(world.outbox).toEqual([]);
    expect(world.programme.sent).toMatchObject([{ state: 'stored', consentId }]);
    expect(world.cloud.dones).toMatchObject([{ uploadId: 'upload-1', status: 200, etag: '"00"' }]);
  });

  test('what is durable before what', async () => {
    const world = atNight();
    const order: string[] = [];
    world.device.onAct = (_, name) => {
      if (name !== 'timer') order.push(name);
    };
    await world.night();
    expect(order).toEqual([
      'link',
      'outbox.add',
      'grant',
      'sending',
      'put',
      'stored',
      'remember',
      'forget',
      'outbox.remove',
      'done',
      'remember',
      'remember',
    ]);
  });

  test('S0-10 a second pass of the same night does nothing, and asks nobody', async () => {
    const world = atNight();
    await world.night();
    world.collect(5, 100);
    const requests = world.cloud.steps.length;
    world.goTo('01:40');
    expect((await world.night()).end).toEqual({ kind: 'already-done' });
    expect(world.cloud.steps).toHaveLength(requests);
    expect(world.linesOnDevice()).toHaveLength(5);
  });

  test('S0-10 a night with nothing to send opens no connection', async () => {
    const world = atNight({}, 0);
    expect((await world.night()).end).toEqual({ kind: 'nothing-to-send' });
    expect(world.cloud.steps).toEqual([]);
    world.collect(1);
    expect((await world.night()).end).toEqual({ kind: 'already-done' });
  });

  test.each<[string, (world: UploadWorld) => void]>([
    ['DO_NOT_TRACK', ({ device }) => Object.assign(device, { doNotTrack: true })],
    [
      'another region in the settings',
      ({ device }) => Object.assign(device, { region: 'us-west-1' }),
    ],
    ['no region in the settings', ({ device }) => Object.assign(device, { region: null })],
    ['an opt-out', (world) => world.optOut()],
  ])('S0-30 %s: no request', async (_, change) => {
    const world = atNight();
    change(world);
    expect((await world.night()).end).toEqual({ kind: 'stopped', why: 'not-covered' });
    expect(world.cloud.steps).toEqual([]);
  });

  test('a cloud in another region gets nothing, and is not asked for a grant', async () => {
    const world = atNight();
    world.cloud.link = {
      kind: 'linked',
      region: 'us-west-1',
      accepting: true,
      maxBytes: 1e6,
      serverMs: null,
    };
    expect((await world.night()).end).toEqual({ kind: 'stopped', why: 'other-region' });
    expect(world.cloud.steps).toEqual(['link']);
  });

  test('a grant for another region, another host or without encryption is not used', async () => {
    for (const [change, why] of [
      [{ region: 'us-west-1' }, 'other-region'],
      [{ url: 'https://bucket.example.evil/x' }, 'bad-grant'],
      [{ headers: { 'x-oss-object-acl': 'public-read' } }, 'bad-grant'],
    ] as const) {
      const world = atNight();
      world.cloud.forge = (grant) => ({ ...grant, ...change });
      expect((await world.night()).end).toEqual({ kind: 'stopped', why });
      expect(world.cloud.steps).toEqual(['link', 'grant']);
      expect(world.programme.sent).toEqual([]);
    }
  });

  test('a cloud that takes no records now keeps none of them waiting for an answer', async () => {
    const world = atNight();
    if (world.cloud.link.kind === 'linked')
      world.cloud.link = { ...world.cloud.link, accepting: false };
    expect((await world.night()).end).toEqual({ kind: 'stopped', why: 'not-accepting' });
    expect(world.linesOnDevice()).toHaveLength(50);
  });

  test('a record that cannot be read stands in nobody’s way', async () => {
    const world = atNight({}, 0);
    world.records.append([
      {
        epoch: 1,
        policyVersion: '2026-11',
        collected: {
          wallMs: world.trueMs(),
          clockTrusted: true,
          runDay: world.trueMs() / 86_400_000,
        },
        line: new TextEncoder().encode('{"name":"Mrs Miller"}'),
      },
    ]);
    world.collect(10);
    expect((await world.night()).end).toEqual({ kind: 'complete' });
    expect(world.linesInCloud()).toHaveLength(10);
    expect(world.linesOnDevice()).toEqual([]);
  });

  test('a batch of another grant that still lies there goes, and not to the cloud', async () => {
    const world = atNight({}, 0);
    const bytes = new Uint8Array(8);
    const batch = {
      id: 'b'.repeat(32),
      epoch: 7,
      policyVersion: '2026-11',
      ttlDays: 20,
      sendByMs: world.trueMs() + 86_400_000,
      ids: [1],
      from: '2024-10-04',
      to: '2024-10-04',
      bytes,
      sha256: 'a'.repeat(64),
      md5: 'x',
    };
    world.ports().outbox.add(batch);
    expect((await world.night()).end).toEqual({ kind: 'complete' });
    expect(world.outbox).toEqual([]);
    expect(world.cloud.steps).toEqual(['link']);
  });

  test('what would be too much for one night waits for the next', async () => {
    const world = atNight({}, 300);
    world.device.maxNightBytes = 1;
    if (world.cloud.link.kind === 'linked')
      world.cloud.link = { ...world.cloud.link, maxBytes: 1500 };
    const { batches, rows } = await world.night();
    expect(batches).toBe(1);
    expect(world.linesOnDevice()).toHaveLength(300 - rows);
    world.goTo('00:59');
    world.goTo('01:10');
    await world.night();
    expect(world.linesInCloud().length).toBeGreaterThan(rows);
  });
});

describe('S0-30 an order of erasure', () => {
  test('goes out although nothing is granted any more, once a night, however often a pass begins', async () => {
    const world = createUploadWorld({
      fate: (step) => (step === 'erasure' ? { status: 503 } : 'fine'),
    });
    world.optIn();
    world.collect(10);
    world.goTo('01:10');
    await world.night();
    world.optOut(true);
    world.goTo('00:30');
    world.goTo('01:10');
    const before = world.cloud.steps.length;
    await world.night();
    await world.night();
    expect(world.cloud.steps.slice(before)).toEqual(['erasure']);
    expect(world.programme.orders).toMatchObject([
      { consentId, tries: 1, lastTriedOn: '2024-10-06' },
    ]);
  });

  test('waits for the window, and for a clock that is set', async () => {
    const world = atNight();
    await world.night();
    world.optOut(true);
    const before = world.cloud.steps.length;
    world.goTo('00:59');
    await world.night();
    world.goTo('01:10');
    world.device.wallOffsetMs = Date.UTC(1970, 0, 1, 0, 10) - world.trueMs();
    await world.night();
    expect(world.cloud.steps).toHaveLength(before);
    world.device.wallOffsetMs = 0;
    await world.night();
    expect(world.cloud.erasures).toMatchObject([
      { consentId, objectKeys: [expect.stringMatching(/^ttl/)] },
    ]);
    expect(world.cloud.objects.size).toBe(0);
    expect(world.ledger.at(-1)).toEqual({ what: 'erasure-confirmed', objects: 1 });
  });
});

describe('the ledger', () => {
  test('has a line for every request: where, how much, with what result', async () => {
    const world = atNight();
    await world.night();
    expect(world.ledger).toHaveLength(world.cloud.steps.length);
    expect(world.ledger.map((event) => event.what)).toEqual(world.ledger.map(() => 'request'));
    const [object] = world.cloud.objects.values();
    expect(world.ledger[2]).toMatchObject({
      method: 'PUT',
      host: 'bucket.example',
      objectKeyHash: expect.stringMatching(/^[0-9a-f]{64}$/),
      bytes: object?.bytes.length,
      status: 200,
    });
  });

  test('that cannot be written to ends the pass: nothing leaves without a line', async () => {
    const world = atNight();
    world.device.ledgerFault = new Error('the disk is full');
    await expect(world.night()).rejects.toThrow('the disk is full');
    expect(world.cloud.steps).toEqual(['link']);
    expect(world.linesOnDevice()).toHaveLength(50);
    world.device.ledgerFault = undefined;
    expect((await world.night()).end).toEqual({ kind: 'complete' });
  });
});
