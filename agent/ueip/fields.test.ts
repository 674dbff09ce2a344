import { describe, expect, test } from 'vitest';
import { isDate, isVersion } from './field-types.ts';
import { attemptFields, dayFields, expiredFields, type Fields } from './fields.ts';

const tables = { attempt: attemptFields, day: dayFields };

test('what the release still tells may still be told', () => {
  const today = new Date().toISOString().slice(0, 10);
  expect(Object.values(tables).flatMap((fields) => expiredFields(fields, today))).toEqual([]);
});

test('a field may be told until its last day, and fails the build on the day after', () => {
  const { overhead_ms, pad_ms } = attemptFields;
  const fields = { overhead_ms, pad_ms: { ...pad_ms, expires: '2027-06-30' } };
  expect(expiredFields(fields, '2027-06-30')).toEqual([]);
  expect(expiredFields(fields, '2027-07-01')).toEqual([
    'pad_ms expired on 2027-06-30: recognition proves anew what it is needed for, or it goes',
  ]);
});

describe.each(Object.entries(tables))('every field of a record of kind %s', (_, fields: Fields) => {
  test('says what for, since which notice and until when', () => {
    for (const [name, { purpose, since, expires, type }] of Object.entries(fields)) {
      expect(name).toMatch(/^[a-z]+(?:_[a-z0-9]+)*$/);
      expect(purpose.length, name).toBeGreaterThan(10);
      expect(isVersion(since) && isDate(expires), name).toBe(true);
      // Under an older grant it stays empty: it must be able to.
      if (since !== '2026-11') expect(type.kind, name).toBe('or-null');
    }
  });

  test('S0-3 S0-23 names nobody: no id, address or name of a person or a device', () => {
    const names = Object.keys(fields).join(' ');
    expect(names).not.toMatch(
      /resident|subject|name|flat|card|phone|mail|sip|address|ip\b|mac|serial|host|image/,
    );
  });
});

test('S0-17 every record says what it may be used for, and there is one purpose', () => {
  for (const { purpose } of Object.values(tables)) {
    expect(purpose.type).toEqual({ kind: 'words', words: ['face-bugfix'] });
  }
});
