import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { seededChance } from '../../io/process/seeded-chance.ts';
import { type CloudStep, createMemoryCloud, type Fate } from '../fakes/memory-cloud.ts';
import {
  dayMs,
  hourMs,
  leftOn,
  minuteMs,
  type ProgrammeDevice,
} from '../fakes/programme-device.ts';
import { afterPowerCut, programmeDevice } from '../fakes/quick-device.ts';

/** A number from 0 to 255, the same in each run. */
const drawn = (random: (sizeBytes: number) => Uint8Array) => random(1)[0] ?? 0;

const linesIn = ({ cloud }: ProgrammeDevice) =>
  [...cloud.objects.values()].flatMap(({ bytes }) =>
    gunzipSync(bytes).toString().trimEnd().split('\n'),
  );

async function linesOn(device: ProgrammeDevice): Promise<string[]> {
  const pieces: string[] = [];
  const by = { name: 'resident', channel: 'cli' } as const;
  await device.commands.export(
    { by },
    async (bytes) => void pieces.push(Buffer.from(bytes).toString().trimEnd()),
  );
  return pieces;
}

/** A faulty network: a third of all requests. */
function faulty(seed: string): (step: CloudStep) => Fate {
  const random = seededChance(seed);
  const fates: Fate[] = [
    { fault: 'reset' },
    { doneBut: 'timeout' },
    { status: 503 },
    'black-hole',
    'done-then-black-hole',
    { fault: 'dns' },
    { doneButStatus: 500 },
  ];
  return () => {
    const chance = drawn(random);
    return chance < 85 ? (fates[chance % fates.length] ?? 'fine') : 'fine';
  };
}

test.each(['a faultless network', 'a third of all requests failing'])(
  'S0-4 S0-8 S0-10 a month of nights, %s: every attempt arrives once, in the night, and nothing is left on the device',
  async (network) => {
    const isFaulty = network !== 'a faultless network';
    const nights: string[] = [];
    const fate = faulty('a month');
    let device: ProgrammeDevice | undefined;
    const outside: number[] = [];
    device = programmeDevice({
      fate: (step) => {
        const nowMs = device?.trueMs() ?? 0;
        const local = device?.programme.toLocalTime(nowMs);
        if (local?.hour !== 1) outside.push(nowMs);
        if (step === 'link') nights.push(local?.date ?? '');
        return isFaulty ? fate(step) : 'fine';
      },
    });
    await device.start();
    await device.on();
    const random = seededChance('visits');
    let people = 0;
    for (let day = 0; day < 30; day++) {
      for (const untilHour of [8, 13, 18, 22]) {
        const count = drawn(random) % 4;
        device.visit(count);
        people += count;
        await device.passUntil(untilHour);
      }
      await device.passUntil(3);
    }
    for (let night = 0; night < 5; night++) await device.passUntil(3);
    expect(outside).toEqual([]);
    expect(linesIn(device)).toHaveLength(people);
    expect(device.cloud.refusedTwice()).toBeLessThanOrEqual(isFaulty ? 60 : 0);
    expect(await linesOn(device)).toEqual([]);
    if (!isFaulty) expect(new Set(nights).size).toBe(nights.length);
    expect(device.programme.ledger.verify().kind).toBe('intact');
    const status = await device.commands.status();
    expect(status).toMatchObject({ records: { dropped: 0, evicted: 0 }, notCovered: null });
    // What was sent in the first nights has expired in the bucket.
    expect(status.sent.batches).toBeLessThan(device.cloud.objects.size);
  },
  120_000,
);

test('S0-10 a device that loses its power every night in the window sends what it has, once', async () => {
  const nowMs = () => device.trueMs();
  const cloud = createMemoryCloud(() => 'fine', nowMs);
  let device = programmeDevice({ cloud });
  await device.start();
  await device.on();
  let people = 0;
  for (let night = 0; night < 12; night++) {
    device.visit(5);
    people += 5;
    await device.passUntil(1);
    await device.pass(night * 5 * minuteMs, 30_000);
    device = afterPowerCut(device, { cloud });
    await device.start();
    await device.passUntil(3);
  }
  await device.passUntil(3);
  expect(linesIn(device)).toHaveLength(people);
  const { sent } = device.programme.consent.programme();
  expect(new Set(sent.map(({ batchId }) => batchId)).size).toBe(sent.length);
  expect(cloud.refusedTwice()).toBe(0);
});

test('S0-12 S0-13 no link for forty days: no record gets older than its month, the newest are there, and go when it is back', async () => {
  const device = programmeDevice();
  await device.start();
  await device.on();
  device.cloud.link = { kind: 'not-linked' };
  for (let day = 0; day < 40; day++) {
    device.visit(1);
    await device.pass(dayMs, hourMs / 2);
  }
  const waiting = await linesOn(device);
  expect(waiting.length).toBeGreaterThanOrEqual(27);
  expect(waiting.length).toBeLessThanOrEqual(30);
  device.cloud.link = {
    kind: 'linked',
    region: 'eu-central-1',
    accepting: true,
    maxBytes: 262_144,
    serverMs: null,
  };
  await device.passUntil(3);
  // Of the oldest no bucket could keep to the promise of a month any more.
  const sent = linesIn(device);
  expect(sent.length).toBeGreaterThan(23);
  expect(waiting).toEqual(expect.arrayContaining(sent));
});

test('S0-30 a day, a week and a month after the opt-out nothing was asked of anybody, and nothing written', async () => {
  const device = programmeDevice();
  await device.start();
  await device.on();
  device.visit(5);
  await device.passUntil(3);
  await device.off();
  const steps = device.cloud.steps.length;
  const { entries } = device.programme.ledger;
  const written = entries().length;
  for (const days of [1, 6, 23]) {
    device.visit(30);
    await device.pass(days * dayMs, hourMs / 2);
    expect(device.cloud.steps).toHaveLength(steps);
    expect(leftOn(device)).toEqual([]);
  }
  expect(entries()).toHaveLength(written);
});
