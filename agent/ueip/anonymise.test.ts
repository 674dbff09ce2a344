import { describe, expect, test } from 'vitest';
import { hammingTopK } from '../gallery/top-k.ts';
import { project } from '../template/projection.ts';
import type { Embedding, Probe, Template } from '../template/template.ts';
import { chiSquare, chiSquareLimit } from '../test/fakes/chi-square.ts';
import { randomFaces } from '../test/fakes/random-faces.ts';
import { watchedRandom } from '../test/fakes/seeded-random.ts';
import {
  type Anonymised,
  type AnonymisedFields,
  type AnonymiserMode,
  createAnonymiser,
  isAnonymised,
} from './anonymise.ts';
import { type Attempt, failureReasons } from './attempt.ts';
import { maxHeldRows } from './held-rows.ts';

const dimensions = 64;
/** 2027-03-01, 08:00 in a house two hours east of Greenwich. */
const startMs = Date.UTC(2027, 2, 1, 6);
const hourMs = 3_600_000;
const modes = ['code24', 'code16', 'visitor-token'] as const;
const allModes = [...modes, 'counters'] as const;
const [face, other] = randomFaces(2, dimensions, watchedRandom('faces').random);

describe('S0-16 only what went through the anonymiser can be written or sent', () => {
  const door = openDoor('code24');
  door.record(0, { embedding: face });
  const [row] = door.release(hourMs);
  if (!row) throw new Error('no row was released');

  test('neither compiler nor process takes anything else for it', () => {
    const write = (anonymised: Anonymised) => isAnonymised(anonymised);
    const embedding: Embedding = { values: new Float32Array(1), modelSha256: '' };
    const template: Template = { code: new Uint8Array(512), modelSha256: '', version: 1 };
    const probe: Probe = { ...template, projections: new Int32Array(1) };
    const fields: AnonymisedFields = row.fields;

    expect(write(row)).toBe(true);
    // @ts-expect-error: an embedding is not anonymised
    expect(write(embedding)).toBe(false);
    // @ts-expect-error: a template is not anonymised
    expect(write(template)).toBe(false);
    // @ts-expect-error: a probe is not anonymised
    expect(write(probe)).toBe(false);
    // @ts-expect-error: the right fields are not enough
    expect(write(fields)).toBe(false);
    // @ts-expect-error: a look-alike is not one
    expect(write({ fields })).toBe(false);
    // @ts-expect-error: a copy with something added is not one
    expect(write({ ...row, residentId: 'ann' })).toBe(false);
    expect([null, undefined, 1, 'row', Object.create(row)].some(isAnonymised)).toBe(false);
  });

  test('nothing can be added to or exchanged in it afterwards', () => {
    expect(() => Object.assign(row.fields, { residentId: 'ann' })).toThrow(TypeError);
    expect(() => Object.assign(row.fields, { hour: 'other' })).toThrow(TypeError);
  });
});

test.each(modes)(
  'S0-16 a row of %s has these fields and no others, whatever the door knew',
  (mode) => {
    const door = openDoor(mode);
    const known = { residentId: 'ann', name: 'Ann', doorLogRow: 17, frame: new Uint8Array(9) };
    door.record(1234, { embedding: face, ...known });
    const [row] = door.release(hourMs);
    const mark = mode === 'visitor-token' ? 'visitor' : 'code';
    expect(Object.keys(row?.fields ?? {}).sort()).toEqual(
      [
        'clockTrusted',
        'detectMs',
        'embedMs',
        'epoch',
        'gapSincePrevious',
        'hour',
        'kind',
        'overheadMs',
        'padMs',
        'qualityMs',
        'reason',
        'result',
        'searchMs',
        mark,
      ].sort(),
    );
  },
);

test('S0-16 the counters of a day have these fields and no others', () => {
  const door = openDoor('counters');
  door.record(0, { embedding: face });
  const [day, ...more] = door.release(24 * hourMs);
  expect(Object.keys(day?.fields ?? {}).sort()).toEqual([
    'clockTrusted',
    'date',
    'failedAndNeverSucceeded',
    'firstFailureByScore',
    'kind',
  ]);
  expect(more).toEqual([]);
});

test.each([
  ['code24', 3],
  ['code16', 2],
  ['visitor-token', 8],
] as const)('a row of %s has %i bytes for a face and none for no face', (mode, sizeBytes) => {
  const door = openDoor(mode);
  door.record(0, { embedding: face, overheadMs: 100 });
  door.record(1, { embedding: undefined, overheadMs: 200 });
  const rows = door.release(hourMs).map(({ fields }) => fields);
  const byOverhead = (ms: number) =>
    rows.find((row) => row.kind !== 'counters' && row.overheadMs === ms);
  expect(markOf(byOverhead(100))).toHaveLength(sizeBytes);
  expect(markOf(byOverhead(200))).toBeNull();
});

describe('S0-22 rows cannot be laid beside a door log', () => {
  test.each([
    [0, '2027-03-01T08:00+02:00'],
    [hourMs - 1, '2027-03-01T08:00+02:00'],
    [15.5 * hourMs, '2027-03-01T23:00+02:00'],
    [16 * hourMs, '2027-03-02T00:00+02:00'],
  ])('of the time there is only the hour (%d ms)', (afterMs, hour) => {
    const door = openDoor('code24');
    door.record(afterMs, { embedding: face });
    const [row] = door.release(afterMs + hourMs);
    expect(row?.fields).toMatchObject({ hour });
  });

  test('hours west of Greenwich, and those with half an hour, are written as they are', () => {
    const hourIn = (utcOffsetMinutes: number) => {
      const door = openDoor('code24', utcOffsetMinutes);
      door.record(0, { embedding: face });
      const [row] = door.release(hourMs);
      return row?.fields.kind === 'code' ? row.fields.hour : undefined;
    };
    expect(hourIn(-210)).toBe('2027-03-01T02:00-03:30');
    expect(hourIn(345)).toBe('2027-03-01T11:00+05:45');
  });

  test('the rows of an hour come out together, when it is over, in any order', () => {
    const door = openDoor('code24');
    const orders = new Map<string, number>();
    const hours = 3000;
    for (let hour = 0; hour < hours; hour++) {
      for (const [i, overheadMs] of [10, 20, 30].entries()) {
        door.record(hour * hourMs + i * 60_000, { embedding: undefined, overheadMs });
        expect(door.release(hour * hourMs + i * 60_000 + 1)).toEqual([]);
      }
      const order = overheads(door.release((hour + 1) * hourMs)).join();
      orders.set(order, (orders.get(order) ?? 0) + 1);
    }
    expect(orders.size).toBe(6);
    expect(chiSquare([...orders.values()], () => hours / 6)).toBeLessThan(chiSquareLimit(5));
  });

  test('a duration is told in steps of 10 ms', () => {
    const door = openDoor('code24');
    for (const overheadMs of [4.9, 5, 123.4, 2000]) door.record(0, { overheadMs });
    const told = overheads(door.release(hourMs)).sort((a, b) => a - b);
    expect(told).toEqual([0, 10, 120, 2000]);
  });

  test('one that takes unusually long is told as the longest there is', () => {
    const door = openDoor('code24');
    const stagesMs = { detect: 10_000, embed: 10_006, search: 9_999_999, total: 1e9 };
    door.record(0, { overheadMs: 1e9, stagesMs });
    door.record(0, { overheadMs: 29_996, stagesMs: { total: 0 } });
    const told = door.release(hourMs).map(({ fields }) => fields);
    expect(told).toContainEqual(
      expect.objectContaining({
        overheadMs: 30_000,
        detectMs: 10_000,
        embedMs: 10_000,
        searchMs: 10_000,
      }),
    );
    expect(told).toContainEqual(expect.objectContaining({ overheadMs: 30_000, detectMs: null }));
  });
});

test.each([
  [4_999, '<5 s'],
  [5_000, '5-15 s'],
  [14_999, '5-15 s'],
  [15_000, '15-60 s'],
  [60_000, '15-60 s'],
  [60_001, '>60 s'],
])(
  '%i ms after the attempt before, the gap is %s, whatever the wall clock did meanwhile',
  (ms, gap) => {
    const door = openDoor('code24');
    door.record(0, { overheadMs: 10 });
    door.record(ms, { overheadMs: 20 }, { wallMs: startMs - 5 });
    const rows = door.release(2 * hourMs).map(({ fields }) => fields);
    expect(rows.find((row) => row.kind === 'code' && row.overheadMs === 20)).toMatchObject({
      gapSincePrevious: gap,
    });
    expect(rows.find((row) => row.kind === 'code' && row.overheadMs === 10)).toMatchObject({
      gapSincePrevious: '>60 s',
    });
  },
);

test('S0-15 no gap reaches from one epoch into the next', () => {
  const door = openDoor('code24');
  const midnight = 16 * hourMs;
  door.record(midnight - 1000, { embedding: face });
  door.record(midnight + 1000, { embedding: face });
  const [before, after] = [...door.release(midnight + 2000), ...door.release(midnight + hourMs)];
  expect(before?.fields).toMatchObject({ gapSincePrevious: '>60 s' });
  expect(after?.fields).toMatchObject({ gapSincePrevious: '>60 s' });
});

test('a row says whether the clock was trusted', () => {
  const door = openDoor('code24');
  door.record(0, {}, { clockTrusted: false });
  expect(door.release(hourMs)[0]?.fields).toMatchObject({ clockTrusted: false });
});

test.each(allModes)('S0-15 the timer alone ends the epoch of %s at midnight', (mode) => {
  const door = openDoor(mode);
  door.record(0, { embedding: face });
  const key = door.given.find(({ was }) => was.length === 32);
  expect(key?.memory).toEqual(new Uint8Array(32));
  expect(door.signs.at(-1)?.some((byte) => byte !== 0)).toBe(true);
  door.release(16 * hourMs);
  expect(door.signs.at(-1)?.every((byte) => byte === 0)).toBe(true);
});

test('an hour that the clock shows again after going back is another hour', () => {
  const door = openDoor('code24');
  door.record(hourMs, {});
  expect(door.release(0)).toHaveLength(1);
  door.record(0, {});
  expect(door.release(1)).toEqual([]);
});

test('an hour holds 1,024 rows; more push out the oldest, and are counted', () => {
  const door = openDoor('code24');
  for (let i = 0; i < maxHeldRows + 2; i++) door.record(i, { overheadMs: i * 10 });
  expect(maxHeldRows).toBe(1024);
  expect(door.anonymiser.dropped).toBe(2);
  const kept = overheads(door.release(hourMs));
  expect(kept).toHaveLength(1024);
  expect(Math.min(...kept)).toBe(20);
});

describe('when it ends', () => {
  test.each(modes)(
    '%s: the process stops: the rows of the hour come out, the epoch ends',
    (mode) => {
      const door = openDoor(mode);
      for (const overheadMs of [10, 20, 30]) door.record(0, { embedding: face, overheadMs });
      expect(overheads(door.anonymiser.flush()).sort()).toEqual([10, 20, 30]);
      expect(door.signs.at(-1)?.every((byte) => byte === 0)).toBe(true);
      expect(door.anonymiser.flush()).toEqual([]);
      expect(door.release(hourMs)).toEqual([]);
    },
  );

  test.each(allModes)('%s: opt-out: nothing comes out any more, the epoch ends', (mode) => {
    const door = openDoor(mode);
    door.record(0, { embedding: face });
    door.anonymiser.end();
    expect(door.signs.at(-1)?.every((byte) => byte === 0)).toBe(true);
    expect(door.release(hourMs)).toEqual([]);
    expect(door.anonymiser.flush()).toEqual([]);
  });

  test.each(allModes)('%s: nothing is recorded after it', (mode) => {
    for (const way of ['flush', 'end'] as const) {
      const door = openDoor(mode);
      door.anonymiser[way]();
      expect(() => door.record(0, { embedding: face })).toThrow(/has ended/);
      expect(door.given).toEqual([]);
    }
  });
});

test('S0-20 each stage is told in steps of 10 ms, and those that were not reached are empty', () => {
  const door = openDoor('code24');
  const stagesMs = { detect: 31.7, quality: 4.9, pad: 5, align: 99, embed: 412.2, total: 520 };
  door.record(0, { stagesMs });
  expect(door.release(hourMs)[0]?.fields).toMatchObject({
    detectMs: 30,
    qualityMs: 0,
    padMs: 10,
    embedMs: 410,
    searchMs: null,
  });
});

test('S0-40 S3-14 a failure says why, with a word of the closed list', () => {
  for (const reason of failureReasons) {
    const door = openDoor('code24');
    door.record(0, { result: 'failure', reason });
    expect(door.release(hourMs)[0]?.fields).toMatchObject({ result: 'failure', reason });
  }
});

describe('an attempt that cannot be told is refused, and leaves no row', () => {
  test.each([
    ['an overhead below 0', { overheadMs: -1 }],
    ['an overhead that is no number', { overheadMs: Number.NaN }],
    ['an overhead without end', { overheadMs: Infinity }],
    ['a stage below 0', { stagesMs: { search: -1, total: 0 } }],
    ['a stage that is no number', { stagesMs: { detect: Number.NaN, total: 0 } }],
    ['a failure without a reason', { reason: null }],
    ['a success with a reason', { result: 'success' }],
  ] as const)('%s', (_, attempt) => {
    const door = openDoor('code24');
    expect(() => door.record(0, attempt)).toThrow(TypeError);
    expect(door.release(hourMs)).toEqual([]);
    expect(door.given, 'not even an epoch was begun').toEqual([]);
  });

  test('S0-40 the text of an error in place of a reason; the refusal does not repeat it', () => {
    const door = openDoor('code24');
    const attempt: object = { reason: 'ENOENT /home/ann/face.jpg' };
    const refusal = () => door.record(0, attempt);
    expect(refusal).toThrow(TypeError);
    expect(refusal).not.toThrow(/ann/);
    expect(door.release(hourMs)).toEqual([]);
  });
});

test('two faces are two visitors to every mode that gives rows', () => {
  for (const mode of modes) {
    const door = openDoor(mode);
    for (const embedding of [face, other]) door.record(0, { embedding });
    const [a, b] = door.release(hourMs).map(({ fields }) => markOf(fields));
    expect(a).not.toEqual(b);
  }
});

function openDoor(mode: AnonymiserMode, utcOffsetMinutes = 120) {
  const { random, given } = watchedRandom(mode);
  const signs: Uint8Array[] = [];
  const anonymiser = createAnonymiser({
    mode,
    dimensions,
    kernels: {
      project(bits, q, y) {
        signs.push(bits);
        project(bits, q, y);
      },
      hammingTopK,
    },
    random,
    toLocalTime(wallMs) {
      const [date = '', time = ''] = new Date(wallMs + utcOffsetMinutes * 60_000)
        .toISOString()
        .split('T');
      return { date, hour: Number(time.slice(0, 2)), utcOffsetMinutes };
    },
  });
  const at = (afterMs: number) => ({
    wallMs: startMs + afterMs,
    monotonicMs: afterMs,
    clockTrusted: true,
  });
  const plain = {
    embedding: undefined,
    result: 'failure',
    reason: 'no-match',
    bestScore: 0.2,
    overheadMs: 200,
    stagesMs: { total: 200 },
  } as const;
  return {
    anonymiser,
    given,
    signs,
    record(afterMs: number, attempt: Partial<Attempt>, moment: Partial<Attempt['at']> = {}) {
      anonymiser.record({ ...plain, ...attempt, at: { ...at(afterMs), ...moment } });
    },
    release: (afterMs: number) => anonymiser.release(at(afterMs)),
  };
}

function overheads(rows: readonly Anonymised[]): number[] {
  return rows.map(({ fields }) => (fields.kind === 'counters' ? Number.NaN : fields.overheadMs));
}

function markOf(fields: AnonymisedFields | undefined): Uint8Array | null | undefined {
  if (fields?.kind === 'code') return fields.code;
  return fields?.kind === 'visitor' ? fields.visitor : undefined;
}
