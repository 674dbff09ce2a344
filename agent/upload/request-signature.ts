import { createHash, createHmac } from 'node:crypto';
import type { Headers } from './cloud-port.ts';

/** Who signs: a lasting pair, or one of a token service (STS) for a while. */
export type Credentials = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Null: of a lasting pair. */
  readonly sessionToken: string | null;
};

/** Where and when a signature holds. */
export type SigningScope = {
  /** 'cn-hangzhou', 'us-east-1' */
  readonly region: string;
  /** 'oss', 's3' */
  readonly product: string;
  /** By the clock of the store; milliseconds since 1970. */
  readonly atMs: number;
};

/** Names and values as they are, not encoded; a name without a value has ''. */
export type Query = readonly (readonly [name: string, value: string])[];

/** What the two vendors' fourth versions have in common: names differ, the chain of keys does not. */
export type SignatureScheme = {
  /** First line of what is signed. */
  readonly algorithm: string;
  /** Stands before the secret. */
  readonly prefix: string;
  readonly terminator: string;
};

/** In place of the body's hash: its integrity is held by other headers that are signed. */
export const unsignedPayload = 'UNSIGNED-PAYLOAD';

/** Over the canonical request, in hex. */
export function signatureOf(
  scheme: SignatureScheme,
  { secretAccessKey }: Credentials,
  scope: SigningScope,
  canonicalRequest: string,
): string {
  const parts = scopeParts(scheme, scope);
  const hash = createHash('sha256').update(canonicalRequest).digest('hex');
  const first: Uint8Array = Buffer.from(scheme.prefix + secretAccessKey);
  const key = parts.reduce((secret, part) => hmac(secret, part), first);
  const text = [scheme.algorithm, basicDate(scope.atMs), parts.join('/'), hash].join('\n');
  return Buffer.from(hmac(key, text)).toString('hex');
}

/** 'AK/20231216/cn-hangzhou/oss/aliyun_v4_request' */
export function credentialOf(
  scheme: SignatureScheme,
  { accessKeyId }: Credentials,
  scope: SigningScope,
): string {
  return [accessKeyId, ...scopeParts(scheme, scope)].join('/');
}

/** '20231216T162057Z' */
export function basicDate(atMs: number): string {
  return new Date(atMs).toISOString().replace(/[-:]|\.\d{3}/g, '');
}

/** By name, then by value, in the order of their bytes. */
export function inOrder(pairs: Query): Query {
  return pairs.toSorted(([a, x], [b, y]) => (a === b ? compare(x, y) : compare(a, b)));
}

/** 'name:value' of each, names in small letters, outer blanks gone. */
export function canonicalHeaders(headers: Headers): Query {
  return inOrder(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value.trim()] as const),
  );
}

function scopeParts({ terminator }: SignatureScheme, { region, product, atMs }: SigningScope) {
  return [basicDate(atMs).slice(0, 8), region, product, terminator];
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function hmac(key: Uint8Array, text: string): Uint8Array {
  return createHmac('sha256', key).update(text).digest();
}
