import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { md5Base64, sha256Hex } from '../io/files/digests.ts';
import { gzip } from '../io/files/gzip.ts';
import { seededChance } from '../io/process/seeded-chance.ts';
import type { StoredRecord } from '../ports.ts';
import { anonymised, builds, covered, openedAtMs } from '../test/fakes/anonymised.ts';
import { openedDay, sealing, storedRecord, storedRecords } from '../test/fakes/stored-records.ts';
import { batchLimits, previewOf, sealBatch } from './batch.ts';
import { dayMs } from './month.ts';
import { recordFrom, storable } from './record.ts';

const hourMs = 3_600_000;

test('S0-17 a batch holds the lines of its records, and says what it is and what it is for', () => {
  const records = storedRecords(5);
  const { batch, unsendable } = sealBatch(records, sealing);
  if (!batch) throw new Error('there is no batch');
  const text = records.map(({ line }) => `${new TextDecoder().decode(line)}\n`).join('');
  expect(gunzipSync(batch.bytes).toString()).toBe(text);
  expect(new TextDecoder().decode(batch.plain)).toBe(text);
  expect(batch).toMatchObject({
    id: sha256Hex(batch.bytes).slice(0, 32),
    purpose: 'face-bugfix',
    epoch: 3,
    policyVersion: '2026-11',
    // 1 March here is 28 February elsewhere: 28 days less two hours, of which 18 hours are gone.
    ttlDays: 25,
    ids: [0, 1, 2, 3, 4],
    from: '2027-03-01',
    to: '2027-03-01',
    sha256: sha256Hex(batch.bytes),
    md5: md5Base64(batch.bytes),
  });
  expect(unsendable).toEqual([]);
});

test('the same records are the same batch, however often and whenever they are sealed', () => {
  const [first, again] = [sealing.now, { ...sealing.now, wallMs: sealing.now.wallMs + hourMs }].map(
    (now) => sealBatch(storedRecords(30), { ...sealing, now }).batch,
  );
  expect(again?.bytes).toEqual(first?.bytes);
  expect(again?.id).toBe(first?.id);
});

test('what a person is shown is what will be sent', () => {
  const { batch } = sealBatch(storedRecords(3), sealing);
  if (!batch) throw new Error('there is no batch');
  const { bytes, lines, ...facts } = previewOf(batch);
  expect(bytes).toBe(batch.bytes);
  expect(lines.map((line) => `${line}\n`).join('')).toBe(gunzipSync(bytes).toString());
  expect(lines).toHaveLength(3);
  expect(facts).toEqual({ id: batch.id, sha256: batch.sha256, ttlDays: batch.ttlDays });
});

test('where there is nothing, nothing is sent', () => {
  expect(sealBatch([], sealing)).toEqual({ batch: undefined, unsendable: [] });
});

describe('only records that belong together travel together', () => {
  const older = { collected: { ...storedRecord(0).collected, wallMs: openedAtMs - 2 * dayMs } };
  const asOf = (policyVersion: string) =>
    new TextEncoder().encode(
      new TextDecoder().decode(storedRecord(0).line).replace('2026-11', policyVersion),
    );
  test.each([
    ['another grant', { epoch: 4 }],
    ['another notice', { policyVersion: '2027-01', line: asOf('2027-01') }],
    ['another age class', older],
  ] as const)('%s', (_, changes) => {
    const records = [
      storedRecord(1),
      storedRecord(2, changes),
      storedRecord(3),
      storedRecord(4, changes),
    ];
    const first = sealBatch(records, sealing);
    expect(first.batch?.ids).toEqual([1, 3]);
    const rest = records.filter(({ id }) => !first.batch?.ids.includes(id));
    expect(sealBatch(rest, sealing).batch?.ids).toEqual([2, 4]);
    expect([first.unsendable, sealBatch(rest, sealing).unsendable]).toEqual([[], []]);
  });
});

test('from and to are the dates of the earliest and the latest record, whatever their order', () => {
  const hours = [30, 2, 0, 31].map((hour, index) => {
    const at = { wallMs: openedAtMs + hour * hourMs, monotonicMs: hour * hourMs };
    const [one] = anonymised('code24', [{ face: 1, at }]);
    if (!one) throw new Error('there is no record');
    const { line } = storable(recordFrom(one, builds, covered), openedDay);
    return storedRecord(index, { line });
  });
  expect(sealBatch(hours, sealing).batch).toMatchObject({ from: '2027-03-01', to: '2027-03-02' });
});

test('a batch may be of days too, where the setting says so', () => {
  const [day] = anonymised('counters', [{ face: 1 }]);
  if (!day) throw new Error('there is no day');
  const record = { ...storable(recordFrom(day, builds, covered), openedDay + 1), id: 1 };
  const now = { ...sealing.now, wallMs: sealing.now.wallMs + dayMs, runDay: openedDay + 1.75 };
  expect(sealBatch([record], { ...sealing, now }).batch).toMatchObject({
    from: '2027-03-01',
    to: '2027-03-01',
    ids: [1],
  });
});

describe('a record that cannot be sent stands in no other’s way', () => {
  const line = new TextEncoder().encode('{"name":"Ann"}');
  const lineBytes = storedRecord(0).line.length + 1;

  test.each([
    ['unreadable', { line }],
    ['unreadable', { policyVersion: '2027-01' }],
    [
      'expiring',
      { collected: { ...storedRecord(0).collected, wallMs: sealing.now.wallMs - 28 * dayMs } },
    ],
    [
      'expiring',
      { collected: { ...storedRecord(0).collected, wallMs: sealing.now.wallMs + 9 * dayMs } },
    ],
  ] as const)('%s', (why, changes) => {
    for (const records of [
      [storedRecord(1, changes), storedRecord(2), storedRecord(3)],
      [storedRecord(2), storedRecord(1, changes), storedRecord(3)],
      [storedRecord(2), storedRecord(3), storedRecord(1, changes)],
    ]) {
      const { batch, unsendable } = sealBatch(records, sealing);
      expect(batch?.ids).toEqual([2, 3]);
      // Of another notice it is of another batch: its time comes later.
      const isMet = !('policyVersion' in changes) || records[0]?.id === 1;
      expect(unsendable).toEqual(isMet ? [{ id: 1, why }] : []);
    }
    expect(sealBatch([storedRecord(1, changes)], sealing)).toEqual({
      batch: undefined,
      unsendable: [{ id: 1, why }],
    });
  });

  test('too large for a batch', () => {
    const limits = { ...batchLimits, maxPlainBytes: lineBytes + 5 };
    const large = { line: new Uint8Array(lineBytes + 5) };
    const { batch, unsendable } = sealBatch(
      [storedRecord(1, large), storedRecord(0), storedRecord(2)],
      {
        ...sealing,
        limits,
      },
    );
    expect(batch?.ids).toEqual([0]);
    expect(unsendable).toEqual([{ id: 1, why: 'too-large' }]);
  });

  test('too large only once it is compressed', () => {
    const limits = { ...batchLimits, maxBytes: 1000 };
    // Whatever begins with the second record does not compress.
    const [second = 0] = storedRecord(2).line.slice(storedRecord(2).line.length - 3);
    const compress = (bytes: Uint8Array) => {
      const poisoned = startsWith(bytes, storedRecord(2).line);
      return new Uint8Array(poisoned ? 1001 : 900).fill(second);
    };
    const { batch, unsendable } = sealBatch([storedRecord(2), storedRecord(3)], {
      ...sealing,
      limits,
      compress,
    });
    expect(batch?.ids).toEqual([3]);
    expect(unsendable).toEqual([{ id: 2, why: 'too-large' }]);
  });
});

describe('a batch is no larger than it may be, and no record is lost or sent twice', () => {
  const plainBytes = (count: number) =>
    storedRecords(count).reduce((sum, { line }) => sum + line.length + 1, 0);

  test('plain: as many as fit, to the byte', () => {
    const fits = (maxPlainBytes: number) =>
      sealBatch(storedRecords(20), { ...sealing, limits: { ...batchLimits, maxPlainBytes } }).batch
        ?.ids.length;
    expect(fits(plainBytes(10))).toBe(10);
    expect(fits(plainBytes(10) - 1)).toBe(9);
    expect(fits(plainBytes(10) + 1)).toBe(10);
  });

  test('as they come from a door, 2 MiB are the limit that counts', () => {
    const { batch } = sealBatch(storedRecords(6000), sealing);
    expect(batch?.plain.length).toBeGreaterThan(2 * 1024 ** 2 - 600);
    expect(batch?.plain.length).toBeLessThanOrEqual(2 * 1024 ** 2);
    expect(batch?.bytes.length).toBeLessThan(256 * 1024);
  });

  test('compressed: the cut is found in a few attempts, and wastes little', () => {
    const chance = seededChance('compressors');
    const compressors: [string, (bytes: Uint8Array) => Uint8Array][] = [
      ['well', gzip],
      ['not at all', (bytes) => bytes],
      ['worse with every byte', (bytes) => new Uint8Array(bytes.length ** 1.2)],
      ['at random', (bytes) => new Uint8Array(bytes.length * ((chance(1)[0] ?? 0) / 255 + 0.2))],
      [
        'a little, and always too large until it is small',
        (bytes) => new Uint8Array(bytes.length > 4000 ? 20_001 : 3000),
      ],
    ];
    for (const [name, compressor] of compressors) {
      let attempts = 0;
      const compress = (bytes: Uint8Array) => {
        attempts += 1;
        return compressor(bytes);
      };
      const limits = { ...batchLimits, maxBytes: 20_000 };
      const { batch } = sealBatch(storedRecords(4000), { ...sealing, limits, compress });
      expect(batch?.bytes.length, name).toBeLessThanOrEqual(20_000);
      expect(attempts, name).toBeLessThanOrEqual(16);
      if (name === 'not at all') {
        expect(attempts).toBe(2);
        expect(batch?.bytes.length).toBeGreaterThan(18_000);
      }
    }
  });

  test('call by call, all are sent, each once and in order', () => {
    const limits = fc.record({
      maxPlainBytes: fc.integer({ min: 600, max: 20_000 }),
      maxBytes: fc.integer({ min: 500, max: 3000 }),
    });
    fc.assert(
      fc.property(limits, fc.integer({ min: 1, max: 150 }), (limits, count) => {
        let left: readonly StoredRecord[] = storedRecords(count);
        const sent: number[] = [];
        while (left.length > 0) {
          const { batch } = sealBatch(left, { ...sealing, limits });
          if (!batch) throw new Error('nothing was sealed');
          expect(batch.plain.length).toBeLessThanOrEqual(limits.maxPlainBytes);
          expect(batch.bytes.length).toBeLessThanOrEqual(limits.maxBytes);
          sent.push(...batch.ids);
          left = left.filter(({ id }) => !batch.ids.includes(id));
        }
        expect(sent).toEqual(Array.from({ length: count }, (_, id) => id));
      }),
      { numRuns: 30 },
    );
  });
});

function startsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  return start.every((byte, i) => bytes[i] === byte);
}
