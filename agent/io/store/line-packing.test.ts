import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { someRecords } from '../../test/fakes/some-record.ts';
import { longestLineBytes, packLine, unpackLine } from './line-packing.ts';

test('whatever is packed comes back', () => {
  const lines = fc.oneof(fc.uint8Array({ maxLength: longestLineBytes }), fc.string().map(bytes));
  fc.assert(
    fc.property(lines, (line) => {
      expect(unpackLine(packLine(line))).toEqual(line);
    }),
  );
  const longest = new Uint8Array(longestLineBytes).fill(7);
  expect(unpackLine(packLine(longest))).toEqual(longest);
});

const golden = readFileSync(
  new URL('../../../fixtures/ueip/records.jsonl', import.meta.url),
  'utf8',
);

test.each([
  ['of a busy door', someRecords(200).map(({ line }) => line)],
  ['as they are sent', golden.split('\n').filter(Boolean).map(bytes)],
])('records %s take a quarter of their bytes', (_, lines) => {
  const size = (all: readonly Uint8Array[]) => all.reduce((sum, { length }) => sum + length, 0);
  expect(size(lines.map(packLine))).toBeLessThan(size(lines) / 4);
});

test('rows of the first release are read for ever: dictionary 1 stays as it is', () => {
  const line = bytes('{"schema":"ueip/1","kind":"attempt","result":"failure","reason":"no-match"}');
  const packed = Buffer.from(packedAtFirst, 'hex');
  expect(Buffer.from(unpackLine(packed) ?? []).toString()).toBe(Buffer.from(line).toString());
});

test('what no packLine made is not a line', () => {
  const packed = packLine(bytes('{"a":1}'));
  expect(unpackLine(new Uint8Array(0))).toBeUndefined();
  expect(unpackLine(Uint8Array.of(2, ...packed.subarray(1)))).toBeUndefined();
  expect(unpackLine(packed.subarray(0, packed.length - 3))).toBeUndefined();
  expect(unpackLine(Uint8Array.of(1, 255, 255))).toBeUndefined();
});

test('a few bytes that unpack to very many are not a line', () => {
  const bomb = packLine(new Uint8Array(10_000_000));
  expect(bomb.length).toBeLessThan(20_000);
  expect(unpackLine(bomb)).toBeUndefined();
});

const packedAtFirst = '01232a62888ae25a00';

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
