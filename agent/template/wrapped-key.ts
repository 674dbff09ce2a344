import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  randomFillSync,
  timingSafeEqual,
} from 'node:crypto';
import { deriveKey, deriveTombstoneKey, type KeyScope } from './keys.ts';

const nonceBytes = 12;
const tagBytes = 16;
const keyBytes = 32;

/**
 * The match key of another device's templates as this device keeps it: nonce | tag | AES-256-GCM under a key
 * of the same model and version from this root key. Bound to all three by that key.
 */
export function wrapKey(rootKey: Uint8Array, matchKey: Uint8Array, scope: KeyScope): Uint8Array {
  if (matchKey.length !== keyBytes) throw new TypeError(`a match key has ${keyBytes} bytes`);
  const key = deriveKey(rootKey, 'wrap', scope);
  const wrapped = new Uint8Array(nonceBytes + tagBytes + keyBytes);
  const nonce = randomFillSync(wrapped.subarray(0, nonceBytes));
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
  key.fill(0);
  wrapped.set(cipher.update(matchKey), nonceBytes + tagBytes);
  cipher.final();
  wrapped.set(cipher.getAuthTag(), nonceBytes);
  return wrapped;
}

/** To be wiped by the caller. Undefined: not what was wrapped for this model and version on this device. */
export function unwrapKey(
  rootKey: Uint8Array,
  wrapped: Uint8Array,
  scope: KeyScope,
): Uint8Array | undefined {
  if (wrapped.length !== nonceBytes + tagBytes + keyBytes) return undefined;
  const key = deriveKey(rootKey, 'wrap', scope);
  const nonce = wrapped.subarray(0, nonceBytes);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
  key.fill(0);
  decipher.setAuthTag(wrapped.subarray(nonceBytes, nonceBytes + tagBytes));
  const plain = decipher.update(wrapped.subarray(nonceBytes + tagBytes));
  const matchKey = Uint8Array.from(plain);
  plain.fill(0);
  try {
    decipher.final();
  } catch {
    // The only thing final() can fail of in GCM is the tag: an answer, not an accident.
    matchKey.fill(0);
    return undefined;
  }
  return matchKey;
}

/** 32 bytes that tell an erased resident's id from others, to this device alone. */
export function tombstoneDigest(rootKey: Uint8Array, residentId: string): Uint8Array {
  const key = deriveTombstoneKey(rootKey);
  const digest = createHmac('sha256', key).update(residentId, 'utf8').digest();
  key.fill(0);
  return Uint8Array.from(digest);
}

export function sameKey(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
