import { expect, test } from 'vitest';
import { ttlClasses } from '../ueip/age-class.ts';
import { isOwnKey, objectKeyOf } from './object-key.ts';

const consentId = '3f2b8a52-0000-4000-8000-000000000001';
const batch = { batchId: 'a'.repeat(32), consentId, ttlDays: 27 };

test('S0-14 a batch lies under its age class, and the same batch under the same key', () => {
  expect(objectKeyOf(batch)).toMatch(/^ttl27\/ueip\/[0-9a-f]{2}\/[0-9a-f]{24}\/a{32}\.jsonl\.gz$/);
  expect(objectKeyOf({ ...batch, ttlDays: 1 })).toMatch(/^ttl01\//);
  expect(objectKeyOf(batch)).toBe(objectKeyOf({ ...batch }));
  expect(new Set(ttlClasses.map((ttlDays) => objectKeyOf({ ...batch, ttlDays }))).size).toBe(28);
});

test('a key does not tell the id of the consent, and keeps the objects of two consents apart', () => {
  expect(objectKeyOf(batch)).not.toContain('3f2b8a52');
  const other = { ...batch, consentId: '3f2b8a52-0000-4000-8000-000000000002' };
  expect(objectKeyOf(other)).not.toBe(objectKeyOf(batch));
});

test('the device knows its own keys again, and no other', () => {
  for (const ttlDays of ttlClasses) {
    expect(isOwnKey(objectKeyOf({ ...batch, ttlDays }), consentId)).toBe(true);
  }
  expect(isOwnKey(objectKeyOf(batch), 'another consent')).toBe(false);
  expect(isOwnKey('ttl27/ueip/00/0123/x.jsonl.gz', consentId)).toBe(false);
});
