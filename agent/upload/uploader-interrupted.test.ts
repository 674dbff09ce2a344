import { describe, expect, test } from 'vitest';
import { seededChance } from '../io/process/seeded-chance.ts';
import type { CloudStep, Fate } from '../test/fakes/memory-cloud.ts';
import { createUploadWorld, type UploadWorld } from '../test/fakes/upload-world.ts';
import { uniformBelow } from '../ueip/random.ts';

const records = 12;

function atNight(fate: (step: CloudStep) => Fate = () => 'fine'): UploadWorld {
  const world = createUploadWorld({ fate });
  world.optIn();
  world.collect(records);
  world.goTo('01:05');
  return world;
}

function nextNight(world: UploadWorld): void {
  world.goTo('00:30');
  world.goTo('01:05');
}

describe('S0-30 an opt-out while a pass is under way', () => {
  /** One lost answer, so that there is a pause in it as well. */
  const withLostAnswer = () => {
    let puts = 0;
    return (step: CloudStep): Fate =>
      step === 'put' && puts++ === 0 ? { doneBut: 'reset' } : 'fine';
  };

  test('at every request, before and after it has arrived: nothing follows it', async () => {
    for (let request = 0; request < 5; request++) {
      for (let later = 0; later < 6; later++) {
        const fate = withLostAnswer();
        let asked = 0;
        let world: UploadWorld | undefined;
        const optOut = async () => {
          for (let turn = 0; turn < later; turn++) await Promise.resolve();
          world?.optOut();
        };
        world = atNight((step) => {
          if (asked++ === request) void optOut();
          return fate(step);
        });
        await endsAtOnce(world, world.nightOrDeath(), request + 1);
      }
    }
  });

  test('in the pause before the next try', async () => {
    const world = atNight(withLostAnswer());
    const night = world.nightOrDeath();
    let asked = 0;
    while (asked < 3) {
      await new Promise(setImmediate);
      asked = world.cloud.steps.length;
    }
    await new Promise(setImmediate);
    expect(world.memory.notBefore).not.toBeNull();
    world.optOut();
    await endsAtOnce(world, night, 3);
  });

  test('while the store swallows the request', async () => {
    const world = atNight((step) => (step === 'put' ? 'done-then-black-hole' : 'fine'));
    const night = world.nightOrDeath();
    while (world.cloud.steps.length < 3) await new Promise(setImmediate);
    world.optOut(true);
    await night;
    expect(world.cloud.steps).toEqual(['link', 'grant', 'put']);
    expect(world.programme.sent).toMatchObject([{ state: 'maybe' }]);
    // It may lie there, so it is on the list of what the cloud has to erase.
    expect(world.programme.orders).toHaveLength(1);
    nextNight(world);
    await world.night();
    expect(world.cloud.steps.slice(3)).toEqual(['erasure']);
    expect(world.cloud.objects.size).toBe(0);
    expect(world.programme.orders).toEqual([]);
  });

  async function endsAtOnce(
    world: UploadWorld,
    night: Promise<unknown>,
    requests: number,
  ): Promise<void> {
    const beganMs = world.trueMs();
    await night;
    // The withdrawal comes from another turn of the loop than the pass that it ends.
    await new Promise(setImmediate);
    expect(world.programme.consent.state).toBe('withdrawn');
    expect(world.cloud.steps.length).toBeLessThanOrEqual(requests);
    expect(world.trueMs() - beganMs).toBeLessThan(310_000);
    expect(world.memory).toMatchObject({ lastPass: null, stopped: null, dones: [], counts: {} });
    expect(world.outbox).toEqual([]);
    expect(world.linesOnDevice()).toEqual([]);
    const asked = world.cloud.steps.length;
    nextNight(world);
    await world.nightOrDeath();
    expect(world.cloud.steps.slice(asked).filter((step) => step !== 'erasure')).toEqual([]);
  }
});

describe('the process dies', () => {
  test('before every single thing that it does, and the next ones finish what it began', async () => {
    const plain = atNight();
    await plain.night();
    const things = plain.acts;
    expect(things).toBeGreaterThan(15);
    for (let last = 0; last < things; last++) {
      const world = atNight();
      const before = world.linesOnDevice();
      world.device.onAct = (n) => {
        if (n === last) world.die();
      };
      expect(await world.nightOrDeath()).toBe('dead');
      // Whoever rings meanwhile must not become part of what is sent a second time.
      const lost = world.linesOnDevice();
      world.collect(2, 500);
      const added = world.linesOnDevice().filter((line) => !lost.includes(line));
      await world.night();
      world.goTo('00:30');
      world.goTo('01:05');
      await world.night();
      expect(world.memory.lastPass?.localDate).toBe('2024-10-06');
      expectOnce(world, [...before, ...added].toSorted());
    }
  });

  test('and whatever was answered before, there are never two objects, nor a record lost or doubled', async () => {
    const random = seededChance('a thousand faults');
    const seen = new Set<string>();
    let faults = 0;
    while (faults < 1_500) {
      const below = (limit: number) => uniformBelow(limit, random);
      let isStorm = true;
      const world = atNight((step) => {
        const fate = isStorm ? anyFate(step, below) : 'fine';
        if (fate !== 'fine') {
          faults += 1;
          seen.add(JSON.stringify(fate));
        }
        return fate;
      });
      const all = [...world.linesOnDevice()];
      for (let night = 0; night < 4; night++) {
        isStorm = night < 3;
        const dies = isStorm && below(2) === 0 ? world.acts + below(30) : Number.NaN;
        world.device.onAct = (n) => {
          if (n === dies) world.die();
        };
        while ((await world.nightOrDeath()) === 'dead') world.device.onAct = () => {};
        if (night < 2) {
          const fresh = 1000 * (night + 1);
          nextNight(world);
          world.collect(4, fresh);
          all.push(...world.linesOnDevice().filter((line) => !all.includes(line)));
        } else nextNight(world);
      }
      expectOnce(world, all.toSorted());
    }
    expect(seen.size).toBeGreaterThan(20);
  });
});

function expectOnce(world: UploadWorld, lines: readonly string[]): void {
  expect(world.linesInCloud()).toEqual(lines);
  expect(world.linesOnDevice()).toEqual([]);
  expect(world.outbox).toEqual([]);
  const batches = [...world.cloud.objects.values()].map(({ batchId }) => batchId);
  expect(new Set(batches).size).toBe(batches.length);
}

/** What passes by itself, and what only a new night mends; a quarter of the requests goes well. */
function anyFate(step: CloudStep, below: (limit: number) => number): Fate {
  const fates: readonly Fate[] = [
    { fault: 'dns' },
    { fault: 'unreachable' },
    { fault: 'refused' },
    { fault: 'connect-timeout' },
    { fault: 'timeout' },
    { fault: 'reset' },
    { fault: 'certificate' },
    { fault: 'certificate-time' },
    { fault: 'unreadable-reply' },
    { doneBut: 'reset' },
    { doneBut: 'timeout' },
    { doneBut: 'oversized-reply' },
    { status: 429 },
    { status: 503, headers: { 'retry-after': '120' } },
    { status: 503, headers: { 'x-oss-qos-delay-time': '90000' } },
    { status: 500 },
    { status: 302, headers: { location: 'http://portal.example' } },
    { status: 400, code: 'InvalidDigest' },
    { status: 403, code: 'AccessDenied' },
    { status: 403, code: 'SecurityTokenExpired' },
    'black-hole',
    'done-then-black-hole',
    { doneButStatus: 500 },
    { doneButStatus: 503 },
  ];
  if (below(4) === 0) return 'fine';
  const fate = fates[below(fates.length)] ?? 'fine';
  // A link that is never there would leave nothing to interrupt.
  return step === 'link' && below(3) > 0 ? 'fine' : fate;
}
