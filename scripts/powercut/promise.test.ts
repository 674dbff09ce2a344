import { expect, test } from 'vitest';
import {
  type Acknowledgement,
  decodeAcknowledgement,
  encodeAcknowledgement,
} from './acknowledgement.ts';
import { promisedBy } from './promise.ts';

const row = (id: number) => ({ id, digest: 'ab'.repeat(16) });
const told: readonly Acknowledgement[] = [
  { atMs: 1, what: 'started' },
  { atMs: 2, what: 'opting in' },
  { atMs: 3, what: 'granted', epoch: 1 },
  { atMs: 4, what: 'stored', epoch: 1, rows: [row(1)] },
  { atMs: 5, what: 'stored', epoch: 1, rows: [row(1), row(2)] },
  { atMs: 6, what: 'opting out', epoch: 1, markers: ['aa', 'bb'] },
  { atMs: 7, what: 'withdrawn', epoch: 1, receipt: 'one.json' },
  { atMs: 8, what: 'opting in' },
  { atMs: 9, what: 'granted', epoch: 2 },
];
const after = (count: number) => promisedBy(told.slice(0, count));

test('nobody who was not asked has consented', () => {
  expect(after(1)).toMatchObject({ consent: ['never-asked'], rows: [], gone: [] });
});

test('while somebody is opting in it is a grant or none; once it is told, a grant', () => {
  expect(after(2)).toMatchObject({ consent: ['none', 'granted'], epoch: 1 });
  expect(after(3)).toMatchObject({ consent: ['granted'], epoch: 1 });
});

test('records that were told to be stored are promised until the opt-out is told to be done', () => {
  expect(after(5).rows).toEqual([row(1), row(2)]);
  expect(after(6)).toMatchObject({
    consent: ['granted', 'none'],
    rows: [row(1), row(2)],
    gone: [],
  });
  expect(after(7)).toMatchObject({ consent: ['withdrawn'], rows: [], receipts: ['one.json'] });
});

test('what was erased stays promised to be gone, whatever comes after', () => {
  expect(after(7).gone).toEqual(['aa', 'bb']);
  expect(after(9)).toMatchObject({
    ...{ consent: ['granted'], epoch: 2, rows: [], gone: ['aa', 'bb'] },
    ...{ receipts: ['one.json'], atMs: 9 },
  });
});

test.each(told)('$what comes back from the disk as it was written', (each) => {
  const bytes = new Uint8Array(512).fill(7);
  encodeAcknowledgement(each, bytes);
  expect(decodeAcknowledgement(bytes)).toEqual(each);
});

test('what does not fit, or is no acknowledgement, is not taken for one', () => {
  const long = { atMs: 1, what: 'opting out', epoch: 1, markers: Array(100).fill('ab') } as const;
  expect(() => encodeAcknowledgement(long, new Uint8Array(64))).toThrow(RangeError);
  for (const bad of ['{"what":"gone"}', '{"atMs":1,"what":"granted"}', '7']) {
    expect(() => decodeAcknowledgement(Buffer.from(bad))).toThrow(TypeError);
  }
});
