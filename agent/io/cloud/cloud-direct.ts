import type { Clock } from '../../ports.ts';
import { ttlClasses } from '../../ueip/age-class.ts';
import type {
  BatchFacts,
  Call,
  CloudPort,
  ErasureFacts,
  GrantAnswer,
  LinkState,
  NoReply,
  Reply,
  UploadGrant,
} from '../../upload/cloud-port.ts';
import { isOwnKey, objectKeyOf } from '../../upload/object-key.ts';
import type { Credentials } from '../../upload/request-signature.ts';
import {
  expectedOfHead,
  expectedOfPut,
  headHeaders,
  objectHeaders,
  type StoreTerms,
} from '../../upload/store-terms.ts';
import { checkStored } from '../../upload/stored-check.ts';
import { checkBucket } from './bucket-check.ts';
import { type BucketPlace, type BucketRequests, bucketRequests } from './bucket-requests.ts';
import type { CloudClient } from './cloud-clients.ts';
import { storeReply } from './cloud-reply.ts';
import { putObject } from './object-put.ts';

export type DirectCloudOptions = BucketPlace &
  Omit<StoreTerms, 'defaultKeyId'> & {
    readonly client: CloudClient;
    /** Read anew for every signature. @param nowMs by the bucket's clock */
    readonly credentials: (nowMs: number) => Credentials;
    readonly clock: Pick<Clock, 'wallMs'>;
    /** Asked before every step: without it no socket is opened. */
    readonly isLinkedByHost: () => boolean;
  };

/** Records travel straight into a bucket, for which the device signs itself. */
export function directCloud(options: DirectCloudOptions): CloudPort {
  const { region, client, isLinkedByHost } = options;
  const bucket = bucketRequests(options, options);
  let terms: StoreTerms = { ...options, defaultKeyId: null };

  async function link(call: Call): Promise<LinkState | Reply | NoReply> {
    if (!isLinkedByHost()) return { kind: 'not-linked' };
    const finding = await checkBucket(bucket, options, call);
    if (finding.kind !== 'fit') return finding;
    const { serverMs, defaultKeyId } = finding;
    terms = { ...terms, defaultKeyId };
    // Nobody there decides whether it takes records; and no batch is as large as an object may be.
    return { kind: 'linked', region, accepting: true, maxBytes: mostObjectBytes, serverMs };
  }

  async function requestGrant(
    batch: BatchFacts,
    call: Call,
  ): Promise<GrantAnswer | Reply | NoReply> {
    if (!isLinkedByHost()) return notLinked;
    const found = batch.sentBefore ? await lookUp(bucket, terms, batch, call) : undefined;
    if (found !== undefined) return found;
    const grant = ownGrant(bucket, terms, batch);
    return { kind: 'granted', grant, serverMs: bucket.nowMs() };
  }

  return {
    link,
    requestGrant,
    async put(grant, bytes, call) {
      if (!isLinkedByHost()) return notLinked;
      return putObject(await client.get(), grant, bytes, call);
    },
    // A report that was left over from grants of a cloud. Under these settings nobody waits for it.
    done: async () => nobody,
    orderErasure: async (order, call) =>
      isLinkedByHost() ? erase(bucket, order, call) : notLinked,
  };
}

const mostObjectBytes = 5 * 1024 ** 3;
const notLinked: NoReply = { kind: 'no-reply', fault: 'unreachable' };
const nobody: Reply = { kind: 'reply', status: 404, headers: {}, code: null, message: null };

/** One try takes half a minute at most; another one may use the same. */
const grantLifeS = 900;

function ownGrant(bucket: BucketRequests, terms: StoreTerms, batch: BatchFacts): UploadGrant {
  const objectKey = objectKeyOf(batch);
  const headers = objectHeaders(terms, batch);
  return {
    uploadId: null,
    url: bucket.presigned({ method: 'PUT', key: objectKey, headers }, grantLifeS).href,
    headers,
    objectKey,
    region: batch.region,
    expiresAtMs: bucket.nowMs() + grantLifeS * 1000,
    expect: expectedOfPut(terms),
  };
}

/**
 * Looks for a batch that was perhaps stored before, under its keys of all age classes that it can have been in.
 * Undefined: it is not there. Another object in its place, or one that is not encrypted, is told as it was found.
 */
async function lookUp(
  bucket: BucketRequests,
  terms: StoreTerms,
  batch: BatchFacts,
  call: Call,
): Promise<GrantAnswer | Reply | NoReply | undefined> {
  const { md5, sha256, sizeBytes } = batch;
  for (const ttlDays of ttlClasses.filter((days) => days >= batch.ttlDays).toReversed()) {
    const key = objectKeyOf({ ...batch, ttlDays });
    const request = { method: 'HEAD', key, headers: headHeaders(terms) } as const;
    const answer = await bucket.send(request, call);
    if (answer.kind === 'no-reply') return answer;
    if (answer.status === 404) continue;
    const reply = storeReply(answer);
    const digests = { md5, sha256, crc64: '' };
    const isIt =
      checkStored(reply, expectedOfHead(terms), digests).kind === 'stored' &&
      reply.headers['content-length'] === String(sizeBytes);
    return isIt ? { kind: 'already' } : reply;
  }
  return undefined;
}

/** Deletes one after the other. What is not there counts as deleted, but not what lies in somebody else's bucket. */
async function erase(
  bucket: BucketRequests,
  { objectKeys, consentId }: ErasureFacts,
  call: Call,
): Promise<Reply | NoReply> {
  const own = objectKeys.filter((key) => isOwnKey(key, consentId));
  for (const key of own) {
    const answer = await bucket.send({ method: 'DELETE', key }, call);
    if (answer.kind === 'no-reply') return answer;
    if (![200, 204, 404].includes(answer.status)) return storeReply(answer);
  }
  return own.length === objectKeys.length ? { ...nobody, status: 204 } : nobody;
}
