import { createCipheriv, createDecipheriv, randomFillSync } from 'node:crypto';
import type { KeyScope } from './keys.ts';
import { templateBytes } from './template.ts';

/** The row a sealed template belongs to. It opens in no other, and for no other resident. */
export type SealedRow = { readonly rowId: string; readonly residentId: string };

/**
 * AES-256-GCM under `key`, bound to device, row, resident, version and model. Plain bytes, although a
 * KeyObject is faster (6 instead of 22 us for each template): it would be a second copy of the key, in memory
 * that is not locked, until it is collected, which on an idle door may be never. Bytes are in OpenSSL's own memory
 * only for the length of a call (agent/test/scenarios/secrets-in-memory.test.ts looks).
 */
export type SealContext = { readonly key: Uint8Array; readonly deviceId: Uint8Array } & KeyScope;

const nonceBytes = 12;
const tagBytes = 16;
const sealedBytes = nonceBytes + tagBytes + templateBytes;

/**
 * nonce | tag | ciphertext. The nonce is 96 random bits: at one seal per photo the birthday bound of
 * NIST SP 800-38D (2^32 seals under one key) is out of reach.
 */
export function seal(context: SealContext, code: Uint8Array, row: SealedRow): Uint8Array {
  if (code.length !== templateBytes) {
    throw new TypeError(`a template has ${templateBytes} bytes, not ${code.length}`);
  }
  const sealed = new Uint8Array(sealedBytes);
  const nonce = randomFillSync(sealed.subarray(0, nonceBytes));
  const cipher = createCipheriv('aes-256-gcm', context.key, nonce, { authTagLength: tagBytes });
  cipher.setAAD(boundTo(context, row));
  sealed.set(cipher.update(code), nonceBytes + tagBytes);
  cipher.final();
  sealed.set(cipher.getAuthTag(), nonceBytes);
  return sealed;
}

/** The code, or undefined: not a byte of it is what was sealed for this row under this key. */
export function open(
  context: SealContext,
  sealed: Uint8Array,
  row: SealedRow,
): Uint8Array | undefined {
  if (sealed.length !== sealedBytes) return undefined;
  const nonce = sealed.subarray(0, nonceBytes);
  const cipher = createDecipheriv('aes-256-gcm', context.key, nonce, { authTagLength: tagBytes });
  cipher.setAAD(boundTo(context, row));
  cipher.setAuthTag(sealed.subarray(nonceBytes, nonceBytes + tagBytes));
  const code = cipher.update(sealed.subarray(nonceBytes + tagBytes));
  overwriteFreed(code.length + 1);
  try {
    cipher.final();
  } catch {
    // The only thing final() can fail of in GCM is the tag: an answer, not an accident.
    code.fill(0);
    return undefined;
  }
  // Not the Buffer itself: its slice() would share memory where a Uint8Array's copies.
  return new Uint8Array(code.buffer, code.byteOffset, code.length);
}

/**
 * Node decrypts into a buffer of one byte more, copies the code out and frees the buffer as it is. The next
 * of that size is, with glibc, the same memory. Not more than probable, but nothing else reaches it.
 */
function overwriteFreed(sizeBytes: number): void {
  Buffer.allocUnsafeSlow(sizeBytes).fill(0);
}

/** device (16) | length, row id | length, resident id | version | model: one reading only, whatever the ids hold. */
function boundTo(context: SealContext, row: SealedRow): Uint8Array {
  const rowId = Buffer.from(row.rowId, 'utf8');
  const residentId = Buffer.from(row.residentId, 'utf8');
  return Buffer.concat([
    context.deviceId,
    uint32(rowId.length),
    rowId,
    uint32(residentId.length),
    residentId,
    uint32(context.version),
    Buffer.from(context.modelSha256, 'hex'),
  ]);
}

function uint32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
