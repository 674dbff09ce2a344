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

/** What a signature of S3 covers. */
export type AwsRequest = {
  readonly method: string;
  /** With the port, if it is not 443. */
  readonly host: string;
  /** As it travels, but not encoded: '/key', or '/bucket/key'. */
  readonly path: string;
  readonly query: Query;
  /** All that travel, except what signing adds; all of them are signed. */
  readonly headers: Headers;
};

/** The headers that make it a signed request (AWS Signature Version 4): put beside those it has. */
export function signAwsHeaders(
  request: AwsRequest & {
    /** Of the body, in hex. */
    readonly bodySha256: string;
  },
  credentials: Credentials,
  scope: SigningScope,
): Headers {
  const added = {
    'x-amz-date': basicDate(scope.atMs),
    'x-amz-content-sha256': request.bodySha256,
    ...(credentials.sessionToken !== null && { 'x-amz-security-token': credentials.sessionToken }),
  };
  const signed = { ...request, headers: { ...request.headers, ...added } };
  const fields = [
    `Credential=${credentialOf(scheme, credentials, scope)}`,
    `SignedHeaders=${signedNames(signed)}`,
    `Signature=${signatureOf(scheme, credentials, scope, canonical(signed))}`,
  ];
  return { ...added, authorization: `${scheme.algorithm} ${fields.join(', ')}` };
}

/**
 * The whole query of a URL that lets whoever has it make this one request (AWS Signature Version 4), for
 * `expiresS` seconds. The body is part of what is signed if a header x-amz-content-sha256 gives its hash.
 */
export function signAwsQuery(
  request: AwsRequest,
  credentials: Credentials,
  scope: SigningScope & { readonly expiresS: number },
): Query {
  const { sessionToken } = credentials;
  const query: Query = [
    ...request.query,
    ['X-Amz-Algorithm', scheme.algorithm],
    ['X-Amz-Credential', credentialOf(scheme, credentials, scope)],
    ['X-Amz-Date', basicDate(scope.atMs)],
    ['X-Amz-Expires', String(scope.expiresS)],
    ['X-Amz-SignedHeaders', signedNames(request)],
    ...(sessionToken === null ? [] : [['X-Amz-Security-Token', sessionToken] as const]),
  ];
  const signature = signatureOf(scheme, credentials, scope, canonical({ ...request, query }));
  return [...query, ['X-Amz-Signature', signature]];
}

const scheme: SignatureScheme = {
  algorithm: 'AWS4-HMAC-SHA256',
  prefix: 'AWS4',
  terminator: 'aws4_request',
};

function canonical(request: AwsRequest): string {
  const { method, path, query, headers } = request;
  const pairs = inOrder(
    query.map(([name, value]) => [percentEncoded(name), percentEncoded(value)] as const),
  );
  return [
    method,
    percentEncodedPath(path),
    pairs.map(([name, value]) => `${name}=${value}`).join('&'),
    // Blanks within a value count as one.
    ...signedHeaders(request).map(([name, value]) => `${name}:${value.replace(/ +/g, ' ')}`),
    '',
    signedNames(request),
    headers['x-amz-content-sha256'] ?? unsignedPayload,
  ].join('\n');
}

function signedNames(request: AwsRequest): string {
  return signedHeaders(request)
    .map(([name]) => name)
    .join(';');
}

function signedHeaders({ host, headers }: AwsRequest): Query {
  return canonicalHeaders({ ...headers, host });
}
