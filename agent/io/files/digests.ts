import { createHmac, hash } from 'node:crypto';

/** In hex. */
export function sha256Hex(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'hex');
}

/** In base64, as the header Content-MD5 wants it. It finds faults of the line, and protects from nobody. */
export function md5Base64(bytes: Uint8Array): string {
  return hash('md5', bytes, 'base64');
}

/** HMAC-SHA-256, 32 bytes. */
export function hmacSha256(key: Uint8Array | string, text: string): Uint8Array {
  return createHmac('sha256', key).update(text).digest();
}
