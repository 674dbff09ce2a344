import { randomBytes, randomFillSync } from 'node:crypto';

/** 128 random bits in hexadecimal: names a row, and says nothing about it. */
export function randomId(): string {
  return randomBytes(16).toString('hex');
}

/** 32 random bytes in memory of their own, to be zeroed by the caller. */
export function randomKey(): Uint8Array {
  return randomFillSync(new Uint8Array(32));
}
