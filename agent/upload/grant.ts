import { ttlPrefix } from '../ueip/age-class.ts';
import type { Headers, UploadGrant } from './cloud-port.ts';

/** What the device insists on, whatever a cloud may say. */
export type GrantRules = {
  /** 'aliyuncs.com' allows itself and 'x.aliyuncs.com', not 'evil-aliyuncs.com'. */
  readonly hostSuffixes: readonly string[];
  /** Beside 443. */
  readonly ports: readonly number[];
  /** False only where the notice promises no encryption at rest. */
  readonly encryptionRequired: boolean;
  /** The key that must be named; null: any, the default one of the account included. */
  readonly encryptionKeyId: string | null;
};

export type GrantContext = {
  /** Of the consent. */
  readonly region: string;
  /** The age class that was asked for: days that the bucket may keep it. */
  readonly ttlDays: number;
  /** Now, by the server that minted it. */
  readonly serverMs: number;
  readonly body: { readonly sizeBytes: number; readonly md5: string; readonly sha256: string };
};

export const grantFaults = [
  'address',
  'host',
  'port',
  'header-name',
  'header-value',
  'other-body',
  'other-key',
  'public-object',
  'no-encryption',
  'expected-status',
  'checksum',
  'expired',
  'lives-too-long',
  'other-region',
  'too-large',
] as const;
export type GrantFault = (typeof grantFaults)[number];

export type GrantCheck =
  | { readonly kind: 'good' }
  | { readonly kind: 'bad'; readonly why: GrantFault };

/**
 * Whether a grant may be used. It says where private data go, and it came over the network: an https address of
 * an allowed host and port, only headers of the allow-list, for this very body, where it is deleted in time,
 * in the consented region, with the encryption that the notice promises, and only for minutes.
 */
export function checkGrant(
  grant: UploadGrant,
  rules: GrantRules,
  context: GrantContext,
): GrantCheck {
  const why =
    addressFault(grant.url, rules) ??
    keyFault(grant, context.ttlDays) ??
    headersFault(grant.headers) ??
    bodyFault(grant.headers, context.body) ??
    expectationFault(grant, rules) ??
    timeFault(grant.expiresAtMs, context.serverMs) ??
    (grant.region !== null && grant.region !== context.region ? 'other-region' : undefined);
  return why === undefined ? { kind: 'good' } : { kind: 'bad', why };
}

/** Whether it still holds for a request that begins now and may take its time. */
export function isInForce({ expiresAtMs }: UploadGrant, serverMs: number): boolean {
  return serverMs + leastLeftMs <= expiresAtMs;
}

/** A host of the list, or one below it: never one that only ends with the same letters. */
export function isAllowedHost(hostname: string, suffixes: readonly string[]): boolean {
  return suffixes.some((suffix) => hostname === suffix || hostname.endsWith(`.${suffix}`));
}

/** An attempt is given up after 30 s. */
const leastLeftMs = 35_000;
/** The window is that long; a leaked grant should not outlive it. */
const longestLifeMs = 3_600_000;
/** More than any batch (ueip/batch.ts). */
const mostBytes = 256 * 1024;

function addressFault(url: string, { hostSuffixes, ports }: GrantRules): GrantFault | undefined {
  // Before parsing, which drops line feeds and takes a backslash for a slash.
  if (url.length > 4096 || !/^https:\/\/[!-~]+$/.test(url) || url.includes('\\')) return 'address';
  const address = URL.parse(url);
  if (address === null || address.protocol !== 'https:') return 'address';
  if (address.username !== '' || address.password !== '' || address.hash !== '') return 'address';
  if (url.slice('https://'.length).split(/[/?]/, 1)[0]?.includes('@')) return 'address';
  if (!isAllowedHost(address.hostname, hostSuffixes)) return 'host';
  return address.port === '' || ports.includes(Number(address.port)) ? undefined : 'port';
}

/**
 * The bucket deletes by age class, the first part of the key: another one, or an address of another key, and
 * a record would outlive its month there.
 */
function keyFault({ url, objectKey }: UploadGrant, ttlDays: number): GrantFault | undefined {
  const isOfClass = objectKey.startsWith(ttlPrefix(ttlDays));
  return isOfClass && pathOf(url)?.endsWith(`/${objectKey}`) ? undefined : 'other-key';
}

function pathOf(url: string): string | undefined {
  try {
    return decodeURIComponent(new URL(url).pathname);
  } catch {
    return undefined;
  }
}

function headersFault(headers: Headers): GrantFault | undefined {
  const entries = Object.entries(headers);
  if (entries.length > 32) return 'header-name';
  for (const [name, value] of entries) {
    // S3's way of not writing over what is there.
    const isCondition = name === 'if-none-match' && value === '*';
    const isAllowed = allowedHeader.test(name) && !refusedHeaders.includes(name);
    if (!isAllowed && !isCondition) return 'header-name';
    if (value.length > 1024 || !/^[ -~]*$/.test(value)) return 'header-value';
  }
  const isPublic = ['x-oss-object-acl', 'x-oss-acl', 'x-amz-acl'].some(
    (name) => (headers[name] ?? 'private') !== 'private',
  );
  return isPublic || Object.keys(headers).some((name) => name.startsWith('x-amz-grant-'))
    ? 'public-object'
    : undefined;
}

const allowedHeader = /^(?:content|x-oss|x-amz)(?:-[a-z0-9]+)+$/;
/** An encoding would change the body, and a copy or a redirection has another body altogether. */
const refusedHeaders: readonly string[] = [
  'content-encoding',
  'content-range',
  'x-oss-copy-source',
  'x-oss-symlink-target',
  'x-amz-copy-source',
  'x-amz-website-redirect-location',
];

function bodyFault(headers: Headers, body: GrantContext['body']): GrantFault | undefined {
  if (body.sizeBytes > mostBytes) return 'too-large';
  const claims = [
    [headers['content-md5'], [body.md5]],
    [headers['content-length'], [String(body.sizeBytes)]],
    [headers['x-amz-content-sha256'], [body.sha256, 'UNSIGNED-PAYLOAD']],
    [headers['x-oss-content-sha256'], [body.sha256, 'UNSIGNED-PAYLOAD']],
  ] as const;
  const isOther = claims.some(
    ([claim, allowed]) => claim !== undefined && !allowed.some((value) => value === claim),
  );
  return isOther ? 'other-body' : undefined;
}

/** A cloud cannot switch the encryption off by asking for less, or by not expecting it. */
function expectationFault(
  { headers, expect }: UploadGrant,
  { encryptionRequired, encryptionKeyId }: GrantRules,
): GrantFault | undefined {
  const { status, checksum } = expect;
  if (status.length === 0 || !status.every((each) => each === 200 || each === 201)) {
    return 'expected-status';
  }
  // The store's own sum over what it stored, or its ETag: not a header that only says what it was told.
  if (!checksumHeader[checksum.algorithm].test(checksum.header)) return 'checksum';
  for (const { name, keyName, value } of encryptions) {
    const promised = expect.headers[name];
    const asked = headers[name];
    if (asked !== undefined && asked !== promised) return 'no-encryption';
    if (promised !== value) continue;
    const isRightKey = encryptionKeyId === null || expect.headers[keyName] === encryptionKeyId;
    return isRightKey ? undefined : 'no-encryption';
  }
  return encryptionRequired ? 'no-encryption' : undefined;
}

/** With a key of the key management service, another one for every object. */
const encryptions = [
  {
    name: 'x-oss-server-side-encryption',
    keyName: 'x-oss-server-side-encryption-key-id',
    value: 'KMS',
  },
  {
    name: 'x-amz-server-side-encryption',
    keyName: 'x-amz-server-side-encryption-aws-kms-key-id',
    value: 'aws:kms',
  },
] as const;

const checksumHeader = {
  crc64ecma: /^x-oss-hash-crc64ecma$/,
  md5: /^(?:etag|content-md5)$/,
  sha256: /^x-amz-checksum-sha256$/,
} as const;

function timeFault(expiresAtMs: number, serverMs: number): GrantFault | undefined {
  if (!(expiresAtMs >= serverMs + leastLeftMs)) return 'expired';
  return expiresAtMs <= serverMs + longestLifeMs ? undefined : 'lives-too-long';
}
