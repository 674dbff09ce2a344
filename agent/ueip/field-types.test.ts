import { describe, expect, test } from 'vitest';
import {
  compareVersions,
  conforming,
  conforms,
  described,
  type FieldType,
  faultIn,
  isVersion,
  type ValuesOf,
} from './field-types.ts';

const types = {
  words: { kind: 'words', words: ['yes', 'no'] },
  whole: { kind: 'whole', min: -20, max: 40, step: 10 },
  hex: { kind: 'hex', digits: [6, 4] },
  date: { kind: 'date' },
  hour: { kind: 'hour' },
  version: { kind: 'version' },
  flag: { kind: 'flag' },
  'or-null': { kind: 'or-null', of: { kind: 'flag' } },
} as const satisfies { [K in FieldType['kind']]: FieldType & { kind: K } };

const good = {
  words: ['yes', 'no'],
  whole: [-20, -10, 0, 30, 40],
  hex: ['0a1b2c', 'ffff'],
  date: ['2027-03-01', '2028-02-29', '1970-01-01'],
  hour: [
    '2027-03-28T17:00+02:00',
    '1970-01-01T00:00-03:30',
    '2027-12-31T23:00+14:00',
    '2027-01-01T05:00+05:45',
    '2027-01-01T05:00+08:15',
  ],
  version: ['1', '0.1.0', '2026-11', '2026-11-2', '1.22.333.4444'],
  flag: [true, false],
  'or-null': [null, true],
};

const bad = {
  words: ['maybe', 'YES', '', 'yes ', 0, null, ['yes']],
  whole: [-30, 50, 5, 10.5, Number.NaN, Infinity, '10', 10n, null, true],
  hex: ['0a1b2', '0a1b2c4', '', '0A1B2C', 'ghijkl', ' 0a1b2c', '0a1b\n', 41, null],
  date: [
    '2027-02-29',
    '2027-13-01',
    '27-03-01',
    '2027-3-1',
    '2027-03-01 ',
    'on 2027-03-01',
    '',
    20270301,
    null,
  ],
  hour: [
    '2027-03-28T24:00+02:00',
    '2027-03-28T17:30+02:00',
    '2027-02-30T17:00+02:00',
    '2027-03-28T17:00+15:00',
    '2027-03-28T17:00+02:10',
    '2027-03-28T17:00Z',
    '2027-03-28T17:00',
    '2027-03-28T17:00:00+02:00',
    ' 2027-03-28T17:00+02:00',
    '2027-03-28T17:00+02:00Ann',
    17,
    null,
  ],
  version: ['', 'v1', '1.0-beta', '1..2', '.1', '1.', '1.2.3.4.5', '12345', '1 2', 1, null],
  flag: [0, 1, 'true', null, undefined],
  'or-null': [undefined, 0, 'null', ''],
};

describe.each(Object.keys(types))('a field of type %s', (kind) => {
  const fields = { it: { type: typeOf(kind) } };

  test.each(valuesOf(good, kind))('takes %o', (it) => {
    expect(faultIn(fields, { it })).toBeUndefined();
    expect(conforms(fields, { it })).toBe(true);
  });

  test.each(valuesOf(bad, kind))('refuses %o, naming the field and not the value', (it) => {
    const fault = faultIn(fields, { it });
    expect(fault).toMatch(/^it is not /);
    expect(conforms(fields, { it })).toBe(false);
    expect(() => conforming(fields, { it })).toThrow(`this cannot be recorded: ${fault}`);
  });
});

test('a record has all of its fields and no others', () => {
  const fields = { a: { type: types.flag }, b: { type: types.flag } };
  const whole = { a: true, b: false };
  expect(conforming(fields, whole)).toBe(whole);
  expect(faultIn(fields, { a: true })).toBe('b is missing');
  expect(faultIn(fields, { ...whole, ann: 1 })).toBe('it has a field that is not in the table');
  expect(faultIn(fields, JSON.parse('{"a":true,"b":true,"__proto__":1}'))).toMatch(
    /not in the table/,
  );
  for (const none of [null, undefined, 1, 'a']) expect(faultIn(fields, none)).toMatch(/an object/);
});

test('S0-23 free text is no type: the compiler takes neither a made-up word nor a string', () => {
  const fields = {
    word: { type: types.words },
    hex: { type: types.hex },
    empty: { type: { kind: 'or-null', of: types.date } },
  } as const;
  const take = (values: ValuesOf<typeof fields>) => conforms(fields, values);
  const words = { word: 'yes', hex: 'Ann, third floor', empty: null } as const;
  // @ts-expect-error: a string is no pattern
  expect(take(words)).toBe(false);
  // @ts-expect-error: not one of the words
  expect(take({ word: 'Ann' })).toBe(false);
  // @ts-expect-error: nor a field
  expect(take({ name: 'Ann' })).toBe(false);
  // @ts-expect-error: there is no type for text
  const text: FieldType = { kind: 'text' };
  expect(Object.keys(types)).not.toContain(text.kind);
});

test('the age of versions is told by their numbers', () => {
  const order = ['0.9', '0.10', '1', '1.0.0.1', '2026-2', '2026-11', '2027'].filter(isVersion);
  expect(order).toHaveLength(7);
  expect([...order].reverse().sort(compareVersions)).toEqual(order);
  const [one, same] = ['1.0', '1'].filter(isVersion);
  expect(one && same && compareVersions(one, same)).toBe(0);
});

test.each([
  [types.words, 'one of `yes`, `no`'],
  [{ kind: 'words', words: ['yes'] }, '`yes`'],
  [types.whole, 'a whole number from -20 to 40 in steps of 10'],
  [{ kind: 'whole', min: 0, max: 1, step: 1 }, 'a whole number from 0 to 1'],
  [types.hex, '6 or 4 hexadecimal digits'],
  [types.date, 'a date'],
  [types.hour, 'the beginning of an hour'],
  [types.version, 'a version of digits'],
  [types['or-null'], 'true or false, or empty'],
] as const)('%j is told in words', (type, words) => {
  expect(described(type)).toBe(words);
});

function typeOf(kind: string): FieldType {
  const found = Object.entries(types).find(([name]) => name === kind);
  if (!found) throw new Error(`no type ${kind}`);
  return found[1];
}

function valuesOf(of: Readonly<Record<string, readonly unknown[]>>, kind: string) {
  return (of[kind] ?? []).map((value) => [value] as const);
}
