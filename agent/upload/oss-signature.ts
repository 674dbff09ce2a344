import type { Headers } from './cloud-port.ts';
import { percentEncoded, percentEncodedPath } from './percent-encoding.ts';
import {
  basicDate,
  type Credentials,
  canonicalHeaders,
  credentialOf,
  inOrder,
  type Query,
  type SignatureScheme,
  type SigningScope,
  signatureOf,
  unsignedPayload,
} from './request-signature.ts';

/** What a signature of OSS covers. */
export type OssRequest = {
  readonly method: string;
  readonly bucket: string;
  /** '' is the bucket itself. */
  readonly key: string;
  readonly query: Query;
  /** All that travel, except what signing adds; `x-oss-*`, content-type and content-md5 are signed. */
  readonly headers: Headers;
  /** Further ones to be signed; those that are not there are left out. */
  readonly additional?: readonly string[];
};

/**
 * The headers that make it a signed request (OSS V4): put beside those it has. The body is not hashed, as in the
 * vendor's own clients: Content-MD5, which is signed, holds it together.
 */
export function signOssHeaders(
  request: OssRequest,
  credentials: Credentials,
  scope: SigningScope,
): Headers {
  const added = {
    'x-oss-date': basicDate(scope.atMs),
    'x-oss-content-sha256': unsignedPayload,
    ...(credentials.sessionToken !== null && { 'x-oss-security-token': credentials.sessionToken }),
  };
  const signed = { ...request, headers: { ...request.headers, ...added } };
  const extra = additionalOf(signed);
  const fields = [
    `Credential=${credentialOf(scheme, credentials, scope)}`,
    ...(extra.length > 0 ? [`AdditionalHeaders=${extra.join(';')}`] : []),
    `Signature=${signatureOf(scheme, credentials, scope, canonical(signed, extra))}`,
  ];
  return { ...added, authorization: `${scheme.algorithm} ${fields.join(',')}` };
}

/** The whole query of a URL that lets whoever has it make this one request (OSS V4), for `expiresS` seconds. */
export function signOssQuery(
  request: OssRequest,
  credentials: Credentials,
  scope: SigningScope & { readonly expiresS: number },
): Query {
  const extra = additionalOf(request);
  const { sessionToken } = credentials;
  const query: Query = [
    ...request.query,
    ['x-oss-signature-version', scheme.algorithm],
    ['x-oss-date', basicDate(scope.atMs)],
    ['x-oss-expires', String(scope.expiresS)],
    ['x-oss-credential', credentialOf(scheme, credentials, scope)],
    ...(sessionToken === null ? [] : [['x-oss-security-token', sessionToken] as const]),
    ...(extra.length === 0 ? [] : [['x-oss-additional-headers', extra.join(';')] as const]),
  ];
  const signature = signatureOf(
    scheme,
    credentials,
    scope,
    canonical({ ...request, query }, extra),
  );
  return [...query, ['x-oss-signature', signature]];
}

const scheme: SignatureScheme = {
  algorithm: 'OSS4-HMAC-SHA256',
  prefix: 'aliyun_v4',
  terminator: 'aliyun_v4_request',
};

function canonical(
  { method, bucket, key, query, headers }: OssRequest,
  additional: readonly string[],
): string {
  // Sorted as they are when encoded: '%2Bparam' stands before 'param'.
  const pairs = inOrder(
    query.map(([name, value]) => [percentEncoded(name), percentEncoded(value)] as const),
  );
  const signed = canonicalHeaders(headers).filter(
    ([name]) => isAlwaysSigned(name) || additional.includes(name),
  );
  return [
    method,
    // Also where the bucket stands in the host's name.
    percentEncodedPath(`/${bucket}/${key}`),
    pairs.map(([name, value]) => (value === '' ? name : `${name}=${value}`)).join('&'),
    signed.map(([name, value]) => `${name}:${value}\n`).join(''),
    additional.join(';'),
    unsignedPayload,
  ].join('\n');
}

function additionalOf({ additional = [], headers }: OssRequest): readonly string[] {
  const there = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
  return [...new Set(additional.map((name) => name.toLowerCase()))]
    .filter((name) => there.has(name) && !isAlwaysSigned(name))
    .toSorted();
}

function isAlwaysSigned(name: string): boolean {
  return name.startsWith('x-oss-') || name === 'content-type' || name === 'content-md5';
}
