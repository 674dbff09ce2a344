import { expect, test } from 'vitest';
import { crc64 } from './crc64.ts';

test.each([
  ['', 0n],
  ['123456789', 0x995dc9bbdf1939fan],
  ['This is a test of the emergency broadcast system.', 0x27db187fc15bbc72n],
  ['hi oss', 8707180448768400016n],
])('the checksum of "%s" is what object stores say it is', (text, value) => {
  expect(crc64(new TextEncoder().encode(text))).toBe(value.toString());
});
