import {
  flag,
  isRecord,
  listOf,
  nullOr,
  object,
  oneOf,
  readShape,
  type Shape,
  text,
  whole,
} from '../../shape.ts';
import { bucketSlackDays, ttlClasses } from '../../ueip/age-class.ts';
import {
  type BatchFacts,
  checksumAlgorithms,
  type DoneReport,
  type ErasureFacts,
  type GrantAnswer,
  type Headers,
  type LinkState,
} from '../../upload/cloud-port.ts';
import { httpDateMs } from '../../upload/retry-after.ts';

/** The longest age class, and the days that a bucket may be late. */
const longestDays = Math.max(...ttlClasses) + bucketSlackDays;

/** More than any message of the contract; beyond it an answer is not even parsed. */
export const mostMessageBytes = 16 * 1024;

/**
 * What the vendor's cloud answers to GET /v1/link. Undefined: it is not what the contract says. Fields that this
 * agent does not know are left alone, so that the contract can grow; those it knows are checked.
 * @param date the header of the same answer, where the body names no time
 */
export function readLink(body: Uint8Array, date: string | undefined): LinkState | undefined {
  const link = read(linkShape, body);
  if (link === undefined) return undefined;
  if (!link.linked) return { kind: 'not-linked' };
  const { region, serverTime, ueip } = link;
  if (region === undefined || ueip === undefined) return undefined;
  // It says itself that it keeps things for longer than the notice allows.
  if ((ueip.retentionDays ?? 0) > longestDays) return { kind: 'unfit', why: 'no-retention-rule' };
  return {
    kind: 'linked',
    region,
    accepting: ueip.accepting,
    maxBytes: ueip.maxBytes,
    serverMs: momentMs(serverTime) ?? httpDateMs(date) ?? null,
  };
}

/** The answer 200 or 201 to POST /v1/uploads. What it grants is not judged here (upload/grant.ts). */
export function readGrantAnswer(
  body: Uint8Array,
  date: string | undefined,
): GrantAnswer | undefined {
  if (read(alreadyShape, body)?.already === true) return { kind: 'already' };
  const given = read(grantShape, body);
  if (given === undefined) return undefined;
  const { uploadId, url, headers, expiresAt, expect } = given;
  const objectKey = given.objectKey ?? keyOf(url);
  const expiresAtMs = momentMs(expiresAt);
  if (objectKey === undefined || expiresAtMs === undefined) return undefined;
  const { header, algo } = expect.checksum;
  return {
    kind: 'granted',
    grant: {
      uploadId,
      url,
      headers,
      objectKey,
      region: given.region ?? null,
      expiresAtMs,
      expect: {
        status: expect.status,
        headers: expect.headers,
        checksum: { header: header.toLowerCase(), algorithm: algo },
      },
    },
    serverMs: httpDateMs(date) ?? null,
  };
}

/** Body of POST /v1/uploads: what the batch is, and of which consent; nothing else names the device or the house. */
export function uploadMessage({ batchId, consentId, policyVersion, ...batch }: BatchFacts) {
  const { sizeBytes: bytes, md5, sha256, rows, from, to, ttlDays } = batch;
  const consent = { id: consentId, policyVersion };
  const form = { schema: 'ueip/1', encoding: 'gzip' };
  return { batchId, ...form, bytes, md5, sha256, rows, from, to, ttlDays, consent };
}

/** Body of POST /v1/uploads/{uploadId}/done. */
export function doneMessage({ status, etag, crc64, storeRequestId }: DoneReport) {
  return { ok: true, status, etag, crc64, storeRequestId };
}

/** Body of POST /v1/erasures: the id of a consent that is over; what was stored under it, the cloud knows. */
export function erasureMessage({ erasureId, consentId, requestedAtMs }: ErasureFacts) {
  const requestedAt = new Date(requestedAtMs).toISOString();
  return { erasureId, consentId, reason: 'opt_out', requestedAt };
}

/** The last part of a problem's `type` (RFC 9457): 'https://…/problems/not_linked' -> 'not_linked'. */
export function readProblem(body: Uint8Array): string | null {
  const problem = read(problemShape, body);
  return /([a-z0-9_]{1,64})$/.exec(problem?.type ?? '')?.[1] ?? null;
}

/**
 * Code and message of a store's error, which is XML: in the body, or, where an answer has none, in OSS's
 * header `x-oss-err`, in base64. Only these two are looked for; what is no plain word is no code.
 */
export function readStoreError(
  body: Uint8Array,
  headers: Headers,
): { readonly code: string | null; readonly message: string | null } {
  const bytes = body.length > 0 ? body : Buffer.from(headers['x-oss-err'] ?? '', 'base64');
  const xml = new TextDecoder().decode(bytes.subarray(0, mostMessageBytes));
  return {
    code: /<Code>([\w.-]{1,64})<\/Code>/.exec(xml)?.[1] ?? null,
    message: /<Message>([^<]{1,200})/.exec(xml)?.[1] ?? null,
  };
}

const word = text({ max: 128, pattern: /^[\w.-]+$/, what: 'a word' });
const moment = text({
  max: 40,
  pattern: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/,
  what: 'a moment in UTC',
});

const linkShape = open(
  { linked: flag() },
  {
    region: word,
    serverTime: moment,
    ueip: open(
      { accepting: flag(), maxBytes: whole(1, 2 ** 40) },
      { retentionDays: whole(1, 100_000) },
    ),
  },
);
const alreadyShape = open({ already: flag() });
const problemShape = open({ type: text({ max: 500 }) });
const grantShape = open(
  {
    // Becomes a part of a path.
    uploadId: nullOr(text({ max: 128, pattern: /^\w[\w.-]*$/, what: 'an id' })),
    kind: oneOf(['put']),
    method: oneOf(['PUT']),
    url: text({ max: 4096 }),
    headers: headersShape,
    expiresAt: moment,
    expect: open({
      status: listOf(whole(100, 599), { min: 1, max: 8 }),
      headers: headersShape,
      checksum: open({ header: word, algo: oneOf(checksumAlgorithms) }),
    }),
  },
  { objectKey: text({ max: 1024, pattern: /^[\w./-]+$/, what: 'an object key' }), region: word },
);

type Fields = Readonly<Record<string, Shape<unknown>>>;

/** As `object`, but with what else may be there dropped instead of refused. */
function open<R extends Fields, O extends Fields = Record<never, never>>(
  required: R,
  optional?: O,
) {
  const inner = object(required, optional);
  const known = new Set(Object.keys({ ...required, ...optional }));
  return (value: unknown, place: string, faults: string[]) => {
    if (!isRecord(value)) return inner(value, place, faults);
    const kept = Object.entries(value).filter(([key]) => known.has(key));
    return inner(Object.fromEntries(kept), place, faults);
  };
}

/** Names in small letters, whatever letters they came in; a name that comes twice is none. */
function headersShape(value: unknown, place: string, faults: string[]): Headers {
  const entries = isRecord(value) ? Object.entries(value) : [];
  const headers = new Map<string, string>();
  const isGood =
    isRecord(value) &&
    entries.length <= 64 &&
    entries.every(([name, content]) => {
      const key = name.toLowerCase();
      if (typeof content !== 'string' || headers.has(key)) return false;
      headers.set(key, content);
      return true;
    });
  if (!isGood) faults.push(`${place}: expected headers, each once, as texts`);
  return Object.fromEntries(headers);
}

function read<T>(shape: Shape<T>, body: Uint8Array): T | undefined {
  if (body.length > mostMessageBytes) return undefined;
  const given = readShape(shape, parsed(body));
  return 'value' in given ? given.value : undefined;
}

function parsed(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
}

function momentMs(iso: string | undefined): number | undefined {
  const ms = Date.parse(iso ?? '');
  return Number.isNaN(ms) ? undefined : ms;
}

/** Of an address whose host is the bucket's. */
function keyOf(url: string): string | undefined {
  try {
    return decodeURIComponent(new URL(url).pathname).slice(1);
  } catch {
    return undefined;
  }
}
