import { createCipheriv, createDecipheriv, type DecipherGCM, randomFillSync } from 'node:crypto';
import type { StoredRecord } from '../../ports.ts';
import { longestLineBytes, packLine, unpackLine } from './line-packing.ts';

/** What a sealed line is bound to: with any of it changed it opens no more. */
export type BoundTo = Omit<StoredRecord, 'line'>;

const nonceBytes = 12;
const tagBytes = 16;

/**
 * nonce | tag | ciphertext of the packed line: AES-256-GCM under the key of the grant, bound to the row's id,
 * grant, notice and stamps, so that no row can be moved, made younger or given to another grant.
 *
 * The nonce is 96 random bits. The chance that any two of n are the same is below n² / 2^97: 2^-65 for the
 * 50,000 rows of a full store, 2^-53 for ten years of 1,000 records a day under one key. NIST SP 800-38D allows
 * 2^32 seals under one key.
 */
export function sealLine(key: Uint8Array, line: Uint8Array, row: BoundTo): Uint8Array {
  if (line.length > longestLineBytes) {
    throw new TypeError(`a line has at most ${longestLineBytes} bytes, not ${line.length}`);
  }
  const packed = packLine(line);
  const sealed = new Uint8Array(nonceBytes + tagBytes + packed.length);
  const nonce = randomFillSync(sealed.subarray(0, nonceBytes));
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
  cipher.setAAD(associated(row));
  sealed.set(cipher.update(packed), nonceBytes + tagBytes);
  cipher.final();
  sealed.set(cipher.getAuthTag(), nonceBytes);
  packed.fill(0);
  return sealed;
}

/** The line, or undefined: it is not what was sealed for this row under this key. */
export function openLine(
  key: Uint8Array,
  sealed: Uint8Array,
  row: BoundTo,
): Uint8Array | undefined {
  if (sealed.length <= nonceBytes + tagBytes) return undefined;
  const nonce = sealed.subarray(0, nonceBytes);
  const cipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
  cipher.setAAD(associated(row));
  cipher.setAuthTag(sealed.subarray(nonceBytes, nonceBytes + tagBytes));
  const packed = cipher.update(sealed.subarray(nonceBytes + tagBytes));
  const line = isGenuine(cipher) ? unpackLine(packed) : undefined;
  packed.fill(0);
  return line;
}

function isGenuine(cipher: DecipherGCM): boolean {
  try {
    cipher.final();
    return true;
  } catch {
    // The only thing final() can fail of in GCM is the tag: an answer, not an accident.
    return false;
  }
}

/** What it is | id | epoch | wall | run day | clock trusted | notice: one reading only, because only the last varies in length. */
function associated({ id, epoch, policyVersion, collected }: BoundTo): Uint8Array {
  const fixed = Buffer.alloc(33);
  for (const [at, value] of [id, epoch, collected.wallMs, collected.runDay].entries()) {
    fixed.writeDoubleBE(value + 0, at * 8); // SQLite knows no -0
  }
  fixed.writeUInt8(collected.clockTrusted ? 1 : 0, 32);
  return Buffer.concat([Buffer.from('doorkeep record 1\0'), fixed, Buffer.from(policyVersion)]);
}
