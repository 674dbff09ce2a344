import { expect, test } from 'vitest';
import { seededChance } from './seeded-chance.ts';

test('one seed gives the same bytes, however they are asked for; another seed others', () => {
  const [a, b, other] = [seededChance('1'), seededChance('1'), seededChance('2')];
  const whole = a(200_000);
  const parts = Buffer.concat([b(1), b(70_000), b(129_999)]);
  expect(Buffer.compare(whole, parts)).toBe(0);
  expect(Buffer.compare(whole.subarray(0, 32), other(32))).not.toBe(0);
});

test('all bytes come about equally often', () => {
  const counts = new Int32Array(256);
  for (const byte of seededChance('even')(256_000)) counts[byte] = (counts[byte] ?? 0) + 1;
  for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(160);
});
