import { describe, expect, test } from 'vitest';
import type { Coverage } from '../consent/consent.ts';
import { AgentError } from '../errors.ts';
import { sha256Hex } from '../io/files/digests.ts';
import { localTimeIn } from '../io/process/local-time.ts';
import { loadKernels } from '../io/process/native.ts';
import { seededChance } from '../io/process/seeded-chance.ts';
import { createAttemptRing, ringConsumer, ringProducer } from '../io/programme/attempt-ring.ts';
import type { RingAttempt } from '../io/programme/attempt-slots.ts';
import type { NewRecord } from '../ports.ts';
import { createManualTime } from '../test/fakes/manual-time.ts';
import { grantOf } from '../test/fakes/programmes.ts';
import { createAnonymiser } from '../ueip/anonymise.ts';
import { attemptOfFault } from '../ueip/attempt-of-event.ts';
import { buildsOf } from '../ueip/builds.ts';
import { createRecorder, type RecorderParts } from './recorder.ts';

const dimensions = 32;
const beginMs = Date.UTC(2027, 2, 1, 11);
const dayMs = 86_400_000;
const hourMs = 3_600_000;
const notCovered: Coverage = { kind: 'not-covered', why: 'withdrawn' };
const covered = (epoch = 1): Coverage => ({ kind: 'covered', epoch, grant: grantOf() });
const [detectionSha256, embeddingSha256] = ['d'.repeat(64), 'e'.repeat(64)];
const sha256s = { detectionSha256, embeddingSha256, padSha256: [] };
const builds = buildsOf({ agentVersion: '0.1.0', ...sha256s }, sha256Hex);

function recording(parts: Partial<RecorderParts> = {}, ring = createAttemptRing(dimensions)) {
  const time = createManualTime();
  const world = { coverage: covered(), storeFault: false };
  const stored: NewRecord[] = [];
  const wallMs = () => beginMs + time.clock.monotonicMs();
  const moment = () => ({
    wallMs: wallMs(),
    monotonicMs: time.clock.monotonicMs(),
    clockTrusted: true,
  });
  const failing = <T>(value: T): T => {
    if (world.storeFault) throw new AgentError('STORE_FAILED', 'locked');
    return value;
  };
  const recorder = createRecorder({
    ring: ringConsumer(ring),
    coverage: () => world.coverage,
    createAnonymiser: () =>
      createAnonymiser({
        mode: 'code24',
        dimensions,
        kernels: loadKernels().kernels,
        random: seededChance('recorder'),
        toLocalTime: localTimeIn('UTC'),
      }),
    builds: () => builds,
    embeddingSha256: () => embeddingSha256,
    moment,
    runDay: () => failing(wallMs() / dayMs),
    append: (added) =>
      stored.push(...failing(added).map((each) => ({ ...each, line: each.line.slice() }))),
    ...parts,
  });
  const producer = ringProducer(ring);
  return {
    ...{ recorder, ring, producer, world, time, stored, moment },
    visit: (people = 1) => {
      for (let n = 0; n < people; n++) producer.offer(attempt(wallMs()));
    },
    /** And one more look, when the hour is over. */
    nextHour() {
      recorder.work();
      time.advance(hourMs);
      recorder.work();
    },
  };
}

function attempt(wallMs: number): RingAttempt {
  return {
    wallMs,
    monotonicMs: wallMs - beginMs,
    result: 'success',
    reason: null,
    bestScore: 0.8,
    overheadMs: 200,
    stagesMs: { total: 150 },
    values: new Float32Array(dimensions).fill(0.2),
  };
}

const heldIn = (ring: SharedArrayBuffer) => ringConsumer(ring).take(2000, () => {});

test('what came through the ring is stored when its hour is over, all of it in one commit', () => {
  const commits: number[] = [];
  const { recorder, visit, nextHour } = recording({ append: ({ length }) => commits.push(length) });
  recorder.work();
  visit(20);
  nextHour();
  expect(commits).toEqual([20]);
  expect(recorder.dropped).toBe(0);
});

test('S0-1 where nothing is covered nobody listens, and nothing is stored', () => {
  const { recorder, world, visit, nextHour, producer, stored } = recording();
  world.coverage = notCovered;
  recorder.work();
  expect(producer.isListening()).toBe(false);
  visit(3);
  nextHour();
  expect(stored).toEqual([]);
});

test.each([
  ['covered', covered()],
  ['not covered', notCovered],
])(
  'S0-30 a ring that a fallen thread left listening is emptied first, %s now or not',
  (_, coverage) => {
    const ring = createAttemptRing(dimensions);
    ringConsumer(ring).listen(true);
    for (let n = 0; n < 5; n++) ringProducer(ring).offer(attempt(beginMs));
    const { recorder, world, nextHour, stored, producer } = recording({}, ring);
    expect(producer.isListening()).toBe(false);
    world.coverage = coverage;
    nextHour();
    expect(stored).toEqual([]);
    expect(heldIn(ring)).toBe(0);
    expect(recorder.dropped).toBe(0);
  },
);

test('S0-30 when the consent ends, what waits in the ring and for its hour goes with it', () => {
  const { recorder, world, visit, nextHour, stored, producer, ring } = recording();
  recorder.work();
  visit(3);
  recorder.work();
  visit(2);
  world.coverage = notCovered;
  recorder.work();
  expect(producer.isListening()).toBe(false);
  expect(heldIn(ring)).toBe(0);
  world.coverage = covered();
  nextHour();
  expect(stored).toEqual([]);
});

test('nothing of a grant comes out under the one that took its place', () => {
  const { recorder, world, visit, nextHour, stored } = recording();
  recorder.work();
  visit(3);
  recorder.work();
  world.coverage = covered(2);
  visit(2);
  nextHour();
  visit();
  nextHour();
  expect(stored.map(({ epoch }) => epoch)).toEqual([2]);
});

describe('while the store cannot be opened', () => {
  test('records wait, and are as old as they are when it takes them', () => {
    const { recorder, world, visit, nextHour, time, stored } = recording();
    world.storeFault = true;
    recorder.work();
    visit(4);
    nextHour();
    time.advance(3 * dayMs);
    recorder.work();
    expect(stored).toEqual([]);
    world.storeFault = false;
    recorder.work();
    expect(stored).toHaveLength(4);
    expect(recorder.dropped).toBe(0);
    for (const { collected } of stored) {
      // An hour and a minute are granted to the anonymiser.
      expect(collected.runDay * dayMs).toBeLessThanOrEqual(beginMs + hourMs);
      expect(collected.wallMs).toBe(beginMs);
    }
  });

  test('the oldest give way beyond a thousand, counted', () => {
    const { recorder, world, visit, nextHour, stored } = recording();
    world.storeFault = true;
    recorder.work();
    for (let hour = 0; hour < 3; hour++) {
      visit(500);
      nextHour();
    }
    world.storeFault = false;
    recorder.work();
    expect([stored.length, recorder.dropped]).toEqual([1024, 476]);
  });

  test('S0-30 they go with the consent too', () => {
    const { recorder, world, visit, nextHour, stored } = recording();
    world.storeFault = true;
    recorder.work();
    visit(4);
    nextHour();
    recorder.stop();
    world.storeFault = false;
    nextHour();
    expect(stored).toEqual([]);
  });
});

test('what cannot become a record is counted and stands in no other one’s way', () => {
  let isBroken = true;
  const { recorder, visit, nextHour, stored } = recording({
    builds: () => {
      if (isBroken) throw new AgentError('MODEL_UNKNOWN', 'no such model');
      return builds;
    },
  });
  recorder.work();
  visit(2);
  nextHour();
  expect([stored.length, recorder.dropped]).toEqual([0, 2]);
  isBroken = false;
  visit(3);
  nextHour();
  expect([stored.length, recorder.dropped]).toEqual([3, 2]);
});

test('nothing that fails in here is ever thrown', () => {
  const failing = () => {
    throw new Error('broken');
  };
  const { recorder } = recording({ createAnonymiser: failing, coverage: failing });
  for (const each of [recorder.work, recorder.flush]) expect(each).not.toThrow();
  expect(() => recorder.add(attemptOfFault('camera-lost', recording().moment()))).not.toThrow();
  expect(recorder.dropped).toBe(3);
});

test('S0-19 an attempt that no event tells of is recorded too; when the agent stops, what may be stored is', () => {
  const { recorder, stored, moment, producer } = recording();
  recorder.work();
  recorder.add(attemptOfFault('camera-lost', moment()));
  recorder.flush();
  expect(stored).toHaveLength(1);
  expect(new TextDecoder().decode(stored[0]?.line)).toContain('"reason":"camera-lost"');
  expect(producer.isListening()).toBe(false);
});

test('S0-19 of what was seen since the last look, nothing is lost when the agent stops', () => {
  const { recorder, stored, visit } = recording();
  recorder.work();
  visit(2);
  recorder.flush();
  expect(stored).toHaveLength(2);
});

test('in a process without a door there is nothing to take', () => {
  const { recorder, stored, nextHour } = recording({ ring: undefined });
  nextHour();
  expect(recorder.stop()).toBe(true);
  expect(stored).toEqual([]);
});
