import { expect, test } from 'vitest';
import { seededChance } from '../io/process/seeded-chance.ts';
import type { AttemptRow } from './attempt-rows.ts';
import { createHeldRows, maxHeldRows } from './held-rows.ts';

test('opt-out zeroes the codes and tokens that were waiting', () => {
  const held = createHeldRows(seededChance('wipe'));
  const code = Uint8Array.of(1, 2, 3);
  const visitor = Uint8Array.of(4, 5, 6);
  held.hold({ ...row, kind: 'code', code });
  held.hold({ ...row, kind: 'visitor', visitor });
  held.wipe();
  expect([...code, ...visitor]).toEqual([0, 0, 0, 0, 0, 0]);
  expect(held.take()).toEqual([]);
});

test('the code of a row that finds no room any more is zeroed', () => {
  const held = createHeldRows(seededChance('full'));
  const code = Uint8Array.of(1, 2, 3);
  for (let i = 0; i < maxHeldRows; i++) held.hold({ ...row, kind: 'code', code: i ? null : code });
  expect([...code]).toEqual([1, 2, 3]);
  held.hold({ ...row, kind: 'code', code: null });
  expect([...code]).toEqual([0, 0, 0]);
  expect(held.dropped).toBe(1);
});

test('what was taken is left as it is', () => {
  const held = createHeldRows(seededChance('taken'));
  const code = Uint8Array.of(1, 2, 3);
  held.hold({ ...row, kind: 'code', code });
  expect(held.take(row.hour)).toEqual([]);
  expect(held.take('another hour')).toEqual([{ ...row, kind: 'code', code }]);
  held.wipe();
  expect([...code]).toEqual([1, 2, 3]);
});

const row = {
  epoch: '0011223344556677',
  hour: '2027-03-01T08:00+02:00',
  clockTrusted: true,
  gapSincePrevious: '>60 s',
  result: 'failure',
  reason: 'no-match',
  overheadMs: 200,
  detectMs: 30,
  qualityMs: 0,
  padMs: null,
  embedMs: 150,
  searchMs: 0,
} as const satisfies Partial<AttemptRow>;
