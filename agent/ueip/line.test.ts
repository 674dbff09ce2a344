import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anonymised, builds, covered } from '../test/fakes/anonymised.ts';
import { lineOf, longestLineBytes, parseLine } from './line.ts';
import { recordFrom, serialise } from './record.ts';

const encode = (text: string) => new TextEncoder().encode(text);
const lines = [
  ...anonymised('code24', [{ face: 1 }]),
  ...anonymised('code24', [{ result: 'success', reason: null }]),
  ...anonymised('code16', [{ face: 1 }]),
  ...anonymised('visitor-token', [{ face: 1 }, {}]),
  ...anonymised('counters', [{ face: 1 }]),
].map((each) => serialise(recordFrom(each, builds, covered)));
const attempt = new TextDecoder().decode(lines[0]);
const day = new TextDecoder().decode(lines.at(-1));

test('a line is read as it was written', () => {
  for (const line of lines) {
    const parsed = parseLine(line);
    if (parsed.kind !== 'record') throw new Error(parsed.why);
    expect(encode(lineOf(parsed.fields))).toEqual(line);
  }
});

test('whatever the order of the fields in memory, on the line it is that of the table', () => {
  const parsed = parseLine(encode(attempt));
  if (parsed.kind !== 'record') throw new Error(parsed.why);
  const { schema, ...rest } = parsed.fields;
  const turned = parseLine(encode(lineOf({ ...rest, schema })));
  expect(turned).toEqual(parsed);
});

describe('what is not a line of ours is unreadable, and the reason names fields, never values', () => {
  const change = (from: string | RegExp, to: string, line = attempt) => {
    const changed = line.replace(from, to);
    expect(changed, 'the change changes something').not.toBe(line);
    return changed;
  };
  test.each([
    ['nothing', '', 'it is no record'],
    ['half a line', attempt.slice(0, -9), 'it is no record'],
    ['another value', '17', 'it is no record'],
    ['null', 'null', 'it is no record'],
    ['a list', '[]', 'it is no record'],
    ['an object without a kind', '{}', 'it is no record'],
    ['another kind', change('"attempt"', '"zoe"'), 'it is no record'],
    [
      'a field of another kind',
      change('"attempt"', '"day"'),
      'it has a field that is not in the table',
    ],
    [
      'a day of another kind',
      change('"day"', '"attempt"', day),
      'it has a field that is not in the table',
    ],
    ['a field too many', change('{', '{"name":"zoe",'), 'it has a field that is not in the table'],
    ['a field too few', change(/,"gap":"[^"]*"/, ''), 'gap is missing'],
    [
      'a wrong value',
      change(/"overhead_ms":\d+/, '"overhead_ms":641'),
      /^overhead_ms is not a whole number/,
    ],
    ['a wrong value of a day', change(/"date":"[^"]+"/, '"date":"zoe"', day), 'date is not a date'],
    ['free text', change(/"reason":"[^"]+"/, '"reason":"zoe"'), /^reason is not one of/],
    ['another schema', change('ueip/1', 'ueip/2'), /^schema is not/],
    ['a blank', change('{', '{ '), 'it is not written as records are'],
    ['a line feed', `${attempt}\n`, 'it is not written as records are'],
    ['a byte order mark', `\u{feff}${attempt}`, 'it is not written as records are'],
    ['a key twice', change('{', '{"kind":"attempt",'), 'it is not written as records are'],
    ['an escape', change('"attempt"', '"\\u0061ttempt"'), 'it is not written as records are'],
    [
      'another order',
      change(/^(\{"schema":"[^"]+"),("kind":"[^"]+")/, '{$2,"schema":"ueip/1"'),
      'it is not written as records are',
    ],
    ['a reason for a success', change('"failure"', '"success"'), 'reason does not go with result'],
    [
      'a failure without one',
      change(/"reason":"[^"]+"/, '"reason":null'),
      'reason does not go with result',
    ],
    [
      'a code of another length',
      change('ufc-t/24', 'ufc-t/16'),
      'code does not go with code_version',
    ],
    ['a code of no version', change('"ufc-t/24"', 'null'), 'code does not go with code_version'],
    [
      'a version of no code',
      change(/"code":"[^"]+"/, '"code":null'),
      'code does not go with code_version',
    ],
    [
      'a code and a token',
      change('"visitor":null', '"visitor":"0123456789abcdef"'),
      'it has a code and a visitor',
    ],
    ['too much', `${attempt}${' '.repeat(longestLineBytes)}`, 'it is too long'],
  ])('%s', (_, text, why) => {
    const parsed = parseLine(encode(text));
    expect(parsed).toEqual({ kind: 'unreadable', why: expect.stringMatching(why) });
    expect(JSON.stringify(parsed)).not.toMatch(/zoe"/);
  });

  test('bytes that are no text', () => {
    const line = encode(attempt);
    line[line.length >> 1] = 0xff;
    expect(parseLine(line).kind).toBe('unreadable');
  });

  test('whatever was done to it: it is read as it was, or not at all', () => {
    const at = fc.integer({ min: 0, max: 10_000 });
    fc.assert(
      fc.property(
        fc.constantFrom(...lines),
        at,
        fc.integer({ min: 0, max: 255 }),
        (line, i, byte) => {
          const damaged = line.slice();
          damaged[i % line.length] = byte;
          const parsed = parseLine(damaged);
          if (parsed.kind === 'record') expect(encode(lineOf(parsed.fields))).toEqual(damaged);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

test('the longest record is far from the longest line', () => {
  const longest = change(attempt);
  expect(parseLine(encode(longest)).kind).toBe('record');
  expect(longest.length).toBeLessThan(longestLineBytes * 0.75);

  function change(line: string): string {
    return line
      .replace(/"(detect|quality|pad|embed|search)_ms":[^,}]+/g, '"$1_ms":10000')
      .replace(/"overhead_ms":\d+/, '"overhead_ms":30000')
      .replace('2026-11', '2026.1111.1111.1111')
      .replace('0.1.0', '1000.1000.1000.1000')
      .replace(/"reason":"[^"]+"/, '"reason":"model-failed"');
  }
});
