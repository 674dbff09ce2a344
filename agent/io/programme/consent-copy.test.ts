import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ErasureOrder, Programme, SentBatch } from '../../consent/consent.ts';
import { decide } from '../../consent/decide.ts';
import { granted, grantOf, resident, today, uuid } from '../../test/fakes/programmes.ts';
import { copySizeBytes, decodeCopy, encodeCopy } from './consent-copy.ts';

const wallMs = fc.double({ min: -8.64e15, max: 8.64e15, noNaN: true }).map((ms) => ms + 0);
const id = fc.stringMatching(/^[A-Za-z0-9._-]{1,64}$/);
const region = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,63}$/);
const consentId = fc.nat({ max: 6 }).map(uuid);
const objectKey = fc.stringMatching(/^[A-Za-z0-9/._-]{1,200}$/);

const sent: fc.Arbitrary<SentBatch> = fc.record({
  batchId: id,
  epoch: fc.nat(),
  consentId,
  region,
  objectKey: fc.option(objectKey),
  state: fc.constantFrom('maybe', 'stored'),
  markedAtMs: wallMs,
  expiresAtMs: wallMs,
});
const order: fc.Arbitrary<ErasureOrder> = fc.record({
  erasureId: id,
  consentId,
  objectKeys: fc.array(objectKey, { maxLength: 3 }),
  requestedAtMs: wallMs,
  lastTriedOn: fc.constantFrom(null, '2026-11-22'),
  tries: fc.nat(),
});
const by = fc.record({
  name: fc.stringMatching(/^[a-z0-9._-]{1,64}$/),
  channel: fc.constantFrom('cli', 'page', 'host'),
});
const moment = fc.record({
  wallMs,
  monotonicMs: fc.double({ min: 0, max: 1e15, noNaN: true }).map((ms) => ms + 0),
});

const programme: fc.Arbitrary<Programme> = fc.record({
  sequence: fc.nat(),
  epoch: fc.nat(),
  consent: fc.oneof(
    fc.constant({ state: 'never-asked' } as const),
    fc.record({
      state: fc.constant('granted' as const),
      policyVersion: id,
      textSha256: fc.stringMatching(/^[0-9a-f]{64}$/),
      region,
      by,
      since: moment,
      consentId,
    }),
    fc.record({ state: fc.constant('withdrawn' as const), by, at: moment }),
  ),
  wipe: fc.constantFrom('none', 'due'),
  sent: fc.array(sent, { maxLength: 8 }),
  orders: fc.array(order, { maxLength: 4 }),
});

function copyOf(value: Programme): Uint8Array {
  return encodeCopy(value, copySizeBytes(value));
}

test('what is written is what is read', () => {
  fc.assert(
    fc.property(programme, (value) => {
      expect(decodeCopy(copyOf(value))).toEqual({ programme: value });
    }),
  );
});

test('a copy fills whole blocks, and says nothing behind its end', () => {
  const copy = copyOf(granted);
  expect(copy.length % 4096).toBe(0);
  const end = copy.lastIndexOf('}'.charCodeAt(0));
  expect(new Set(copy.subarray(end + 1))).toEqual(new Set([0x0a]));
});

test('one changed bit anywhere in it makes it no copy', () => {
  const copy = copyOf(granted);
  const end = copy.lastIndexOf('}'.charCodeAt(0));
  for (let bit = 0; bit <= end * 8 + 7; bit++) {
    const changed = copy.slice();
    const at = bit >> 3;
    changed[at] = (changed[at] ?? 0) ^ (1 << (bit & 7));
    expect(decodeCopy(changed), `bit ${bit}`).toHaveProperty('fault');
  }
});

test('cut short anywhere it is no copy', () => {
  const copy = copyOf(granted);
  const end = copy.lastIndexOf('}'.charCodeAt(0));
  for (let length = 0; length <= end; length++) {
    expect(decodeCopy(copy.subarray(0, length)), `${length} bytes`).toHaveProperty('fault');
  }
  expect(decodeCopy(copy.subarray(0, end + 1))).toEqual({ programme: granted });
});

test('a whole copy of something else is no copy', () => {
  const other = { ...granted, consent: { ...granted.consent, name: 'Ann' } };
  expect(() => encodeCopy(other, 4096)).toThrow('consent.name: unknown');
});

test.each<[string, object]>([
  [
    'an id of the device in the place of a random one',
    { consentId: '560eee90-5fca-11eb-988b-0242ac120003' },
  ],
  ["a person's name as the actor", { by: { name: 'Ann Smith', channel: 'cli' } }],
  ['no region', { region: '' }],
  ['no date', { since: { wallMs: Number.NaN, monotonicMs: 0 } }],
])('a grant with %s cannot be written', (_, changes) => {
  const consent = { state: 'granted', ...grantOf(), ...changes } as const;
  expect(() => encodeCopy({ ...granted, consent }, 4096)).toThrow(TypeError);
});

test('what is longer than its file is not written', () => {
  expect(() => encodeCopy(granted, 100)).toThrow('longer than its file');
});

test('beside every grant there is room for its withdrawal, with orders for all that was sent', () => {
  fc.assert(
    fc.property(
      programme.filter(({ consent }) => consent.state === 'granted'),
      by,
      moment,
      (before, who, at) => {
        const newId = () => 'x'.repeat(64);
        const event = { kind: 'withdraw', by: who, at, eraseCloud: newId } as const;
        const decided = decide(before, today, event);
        if (decided.kind !== 'changed') throw new Error('refused');
        expect(() => encodeCopy(decided.programme, copySizeBytes(before))).not.toThrow();
      },
    ),
    { numRuns: 500 },
  );
});

test('also where every entry is as short as it can be, and every order as long', () => {
  const sent = Array.from({ length: 300 }, (_, n) => ({
    batchId: 'b',
    epoch: 1,
    consentId: uuid(n),
    region: 'r',
    objectKey: null,
    state: 'maybe' as const,
    markedAtMs: 0,
    expiresAtMs: 0,
  }));
  const before = { ...granted, sent };
  const at = { wallMs: -8.640000000000001e14, monotonicMs: 0 };
  const newId = () => 'x'.repeat(64);
  const event = { kind: 'withdraw', by: resident, at, eraseCloud: newId } as const;
  const decided = decide(before, today, event);
  if (decided.kind !== 'changed') throw new Error('refused');
  expect(decided.programme.orders).toHaveLength(300);
  expect(() => encodeCopy(decided.programme, copySizeBytes(before))).not.toThrow();
});
