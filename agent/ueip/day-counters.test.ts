import { expect, test } from 'vitest';
import { hammingTopK } from '../gallery/top-k.ts';
import { seededChance } from '../io/process/seeded-chance.ts';
import { project } from '../template/projection.ts';
import type { Embedding } from '../template/template.ts';
import { randomFaces } from '../test/fakes/random-faces.ts';
import type { Attempt } from './attempt.ts';
import { createDayCounters, type DayCounters } from './day-counters.ts';
import { maxVisitors } from './visitors.ts';

const dimensions = 256;
const hourMs = 3_600_000;
const startMs = Date.UTC(2027, 2, 1);
const faces = randomFaces(maxVisitors + 2, dimensions, seededChance('faces'));
const [ann, ben] = faces;

test('a day with visitors and a day without give one set of counters each, once', () => {
  const door = openDoor();
  door.try(1, ann, 'failure');
  expect(door.release(23)).toEqual([]);
  const [first, ...more] = door.release(24);
  expect(first).toMatchObject({ kind: 'counters', date: '2027-03-01', clockTrusted: true });
  expect(first?.firstFailureByScore).toHaveLength(8);
  expect(more).toEqual([]);
  expect(door.release(25)).toEqual([]);
  expect(door.release(48).map(({ date }) => date)).toEqual(['2027-03-02']);
});

test('a visitor counts once, however often he or she comes', () => {
  const door = openDoor();
  for (let i = 0; i < 9; i++) door.try(1, ann, 'failure', 0.33);
  expect(door.sumOf(24)).toEqual({ turnedAway: 1, byScore: [0, 0, 0, 1, 0, 0, 0, 0] });
});

test('only the first failure is asked for its score', () => {
  const door = openDoor();
  door.try(1, ann, 'failure', 0.05);
  door.try(2, ann, 'failure', 0.65);
  expect(door.sumOf(24).byScore).toEqual([1, 0, 0, 0, 0, 0, 0, 0]);
});

test('who got in at last was not turned away', () => {
  const door = openDoor();
  for (const result of ['failure', 'failure', 'success', 'failure'] as const)
    door.try(1, ann, result);
  for (const result of ['failure', 'failure'] as const) door.try(2, ben, result);
  expect(door.sumOf(24).turnedAway).toBe(1);
});

test('yesterday is forgotten: the next day begins with nobody', () => {
  const door = openDoor();
  door.try(1, ann, 'failure');
  door.release(24);
  door.try(25, ann, 'failure');
  expect(door.sumOf(48).turnedAway).toBe(0);
});

test('a day whose end is seen by an attempt first is summed up then, and handed out at the next release', () => {
  const door = openDoor();
  door.release(0);
  door.try(25, ann, 'failure');
  expect(door.release(26).map(({ date }) => date)).toEqual(['2027-03-01']);
});

test('a clock that jumps to and fro makes no second sum of one day', () => {
  const door = openDoor();
  door.try(1, ann, 'failure');
  expect(door.release(24)).toHaveLength(1);
  for (const jump of [-24, 24, -24, 48]) expect(door.release(24, jump)).toEqual([]);
});

test('the shortest day of the year, 23 hours, is summed up like any other', () => {
  const door = openDoor();
  door.release(0);
  expect(door.release(24)).toHaveLength(1);
  // One hour of 24 to 48 is missing on the wall: monotonic 47 is wall 48.
  expect(door.release(47, 1)).toHaveLength(1);
});

test('when the process stops, an unfinished day is not given away, a finished one is', () => {
  const door = openDoor();
  door.try(1, ann, 'failure');
  expect(door.counters.flush()).toEqual([]);

  const later = openDoor();
  later.try(1, ann, 'failure');
  later.try(25, ann, 'failure');
  expect(later.counters.flush().map(({ date }) => date)).toEqual(['2027-03-01']);
});

test('opt-out forgets also what was summed up', () => {
  const door = openDoor();
  door.try(1, ann, 'failure');
  door.try(25, ann, 'failure');
  door.counters.end();
  expect(door.release(26)).toEqual([]);
});

test('an attempt without a face is nobody’s, and one too many finds no room', () => {
  const door = openDoor();
  door.try(1, undefined, 'failure');
  door.try(1, undefined, 'failure');
  for (const face of faces) door.try(2, face, 'failure');
  expect(door.counters.dropped).toBe(2);
  expect(door.sumOf(24).byScore.reduce((sum, count) => sum + count)).toBe(maxVisitors);
});

/** A door whose noise is none where `sumOf` is asked: the exact counts can be seen. */
function openDoor() {
  let silent = false;
  const seeded = seededChance('door');
  const random = (sizeBytes: number) => (silent ? noNoise() : seeded(sizeBytes));
  const draws: number[] = [];
  // In the order in which discreteLaplace draws: rest 0, accepted; no whole part; positive.
  function noNoise(): Uint8Array {
    if (draws.length === 0) draws.push(0, 0, 0, 1, 0);
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, draws.shift() ?? 0);
    return bytes;
  }
  const counters = createDayCounters({
    dimensions,
    kernels: { project, hammingTopK },
    random,
    toLocalTime: (wallMs) => ({
      date: new Date(wallMs).toISOString().slice(0, 10),
      hour: 0,
      utcOffsetMinutes: 0,
    }),
  });
  const at = (hours: number, wallAheadHours = 0) => ({
    wallMs: startMs + (hours + wallAheadHours) * hourMs,
    monotonicMs: hours * hourMs,
    clockTrusted: true,
  });
  const release = (hours: number, ahead = 0): readonly DayCounters[] =>
    counters.release(at(hours, ahead));
  return {
    counters,
    release,
    try(hours: number, embedding: Embedding | undefined, result: Attempt['result'], score = 0.3) {
      counters.record({
        at: at(hours),
        embedding,
        result,
        reason: result === 'success' ? null : 'no-match',
        bestScore: score,
        overheadMs: 200,
        stagesMs: { total: 200 },
      });
    },
    sumOf(hours: number) {
      silent = true;
      const [day] = release(hours);
      silent = false;
      if (!day) throw new Error('no day has ended');
      return { turnedAway: day.failedAndNeverSucceeded, byScore: day.firstFailureByScore };
    },
  };
}
