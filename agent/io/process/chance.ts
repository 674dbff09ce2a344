import { randomBytes, randomFillSync, randomUUID } from 'node:crypto';
import { secureMemory } from './secure-memory.ts';

/** 128 random bits in hexadecimal: names a row, and says nothing about it. */
export function randomId(): string {
  return randomBytes(16).toString('hex');
}

/** A UUID of version 4: nothing in it but chance, no clock and no network card. */
export function randomUuid(): string {
  return randomUUID();
}

/** Random bytes of the operating system in secure memory, to be zeroed by the caller. */
export function randomSecret(sizeBytes: number): Uint8Array {
  return randomFillSync(secureMemory(sizeBytes));
}

/** 32 random bytes in secure memory, to be zeroed by the caller. */
export function randomKey(): Uint8Array {
  return randomSecret(32);
}
