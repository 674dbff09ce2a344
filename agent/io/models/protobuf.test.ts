import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  joinBytes,
  readFields,
  readNumbers,
  readText,
  writeBytes,
  writeFloat,
  writeNumber,
} from './protobuf.ts';

const number = fc.integer({ min: 1, max: 500 });

test('a message that is taken apart and put together again has the same bytes', () => {
  const field = fc.oneof(
    fc.tuple(number, fc.maxSafeNat()).map(([at, value]) => writeNumber(at, value)),
    fc.tuple(number, fc.float()).map(([at, value]) => writeFloat(at, value)),
    fc.tuple(number, fc.uint8Array({ maxLength: 300 })).map(([at, value]) => writeBytes(at, value)),
  );
  fc.assert(
    fc.property(fc.array(field), (fields) => {
      const message = joinBytes(fields);
      expect(readFields(message).map(({ raw }) => raw)).toEqual(fields);
      expect(joinBytes(readFields(message).map(({ raw }) => raw))).toEqual(message);
    }),
  );
});

test('numbers and texts come back as they were written', () => {
  fc.assert(
    fc.property(number, fc.maxSafeNat(), fc.string({ unit: 'grapheme' }), (at, value, text) => {
      const [first, second] = readFields(joinBytes([writeNumber(at, value), writeBytes(at, text)]));
      expect(first?.number).toBe(at);
      expect(first && readNumbers(first)).toEqual([value]);
      expect(second && readText(second)).toBe(text);
    }),
  );
});

test('a packed list of numbers is read whole', () => {
  const [field] = readFields(writeBytes(1, Uint8Array.from([3, 0xac, 0x02, 127])));
  expect(field && readNumbers(field)).toEqual([3, 300, 127]);
});

test('a number of ten bytes, as negative ones have, is passed over', () => {
  const minusOne = [0x08, ...Array.from({ length: 9 }, () => 0xff), 0x01];
  const message = joinBytes([Uint8Array.from(minusOne), writeNumber(2, 7)]);
  expect(readFields(message).map((field) => field.number)).toEqual([1, 2]);
});

test('a message that ends too early is refused, wherever it ends', () => {
  const message = joinBytes([writeNumber(1, 300), writeFloat(2, 1), writeBytes(3, 'residents')]);
  const whole = new Set([0, 3, 8]);
  for (let length = 0; length < message.length; length++) {
    const cut = () => readFields(message.subarray(0, length));
    if (whole.has(length)) expect(cut).not.toThrow();
    else expect(cut).toThrow(RangeError);
  }
});

test('random bytes are read or refused, never run past', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      try {
        const fields = readFields(bytes);
        expect(joinBytes(fields.map(({ raw }) => raw))).toEqual(bytes);
      } catch (fault) {
        expect(fault).toBeInstanceOf(RangeError);
      }
    }),
  );
});
