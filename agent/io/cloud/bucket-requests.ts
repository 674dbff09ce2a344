import type { Clock } from '../../ports.ts';
import { signAwsHeaders, signAwsQuery } from '../../upload/aws-signature.ts';
import type { Dialect } from '../../upload/bucket-documents.ts';
import type { Call, Headers, NoReply } from '../../upload/cloud-port.ts';
import { signOssHeaders, signOssQuery } from '../../upload/oss-signature.ts';
import { percentEncoded, percentEncodedPath } from '../../upload/percent-encoding.ts';
import type { Credentials, Query } from '../../upload/request-signature.ts';
import { httpDateMs } from '../../upload/retry-after.ts';
import type { CloudClient } from './cloud-clients.ts';
import { storeReply } from './cloud-reply.ts';
import type { HttpAnswer } from './http-client.ts';

export type BucketPlace = {
  readonly dialect: Dialect;
  /** 'https://my-bucket.oss-eu-central-1.aliyuncs.com' */
  readonly endpoint: string;
  readonly bucket: string;
  /** Signed for: a bucket in another one refuses it. */
  readonly region: string;
};

export type BucketRequest = {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'DELETE';
  /** '' is the bucket itself. */
  readonly key: string;
  readonly query?: Query;
  readonly headers?: Headers;
};

/** Requests to one bucket, signed by the device itself. */
export type BucketRequests = {
  /** Without a body. */
  send(request: BucketRequest, call: Call): Promise<HttpAnswer | NoReply>;
  /** An address at which whoever has it can make this request, with exactly its headers, for `expiresS` seconds. */
  presigned(request: BucketRequest, expiresS: number): URL;
  /** What time it is there; as long as it has not answered, by the device's clock. */
  nowMs(): number;
};

export function bucketRequests(
  place: BucketPlace,
  outside: {
    readonly client: CloudClient;
    /** Read anew for every signature. @param nowMs by the bucket's clock */
    readonly credentials: (nowMs: number) => Credentials;
    readonly clock: Pick<Clock, 'wallMs'>;
  },
): BucketRequests {
  const { dialect, region } = place;
  /** How far the bucket's clock is ahead. */
  let aheadMs = 0;
  const nowMs = () => outside.clock.wallMs() + aheadMs;
  const scope = () => ({ region, product: dialect, atMs: nowMs() });

  async function once(request: BucketRequest, call: Call): Promise<HttpAnswer | NoReply> {
    const { method, key, query = [] } = request;
    const url = new URL(addressOf(place, key, query));
    const signed = signedHeaders(place, url, request, outside.credentials(nowMs()), scope());
    const headers = { ...request.headers, ...signed };
    const client = await outside.client.get();
    const objectKey = key === '' ? null : key;
    const answer = await client.send({ method, url, headers, body: null, objectKey }, call);
    const dateMs = answer.kind === 'answer' ? httpDateMs(answer.headers['date']) : undefined;
    if (dateMs !== undefined) aheadMs = dateMs - outside.clock.wallMs();
    return answer;
  }

  return {
    nowMs,
    async send(request, call) {
      const answer = await once(request, call);
      // By now its clock is known: the device's own was too far off.
      return isSkewed(answer) ? once(request, call) : answer;
    },
    presigned(request, expiresS) {
      const { key } = request;
      const url = new URL(addressOf(place, key, []));
      const credentials = outside.credentials(nowMs());
      const query = signedQuery(place, url, request, credentials, { ...scope(), expiresS });
      return new URL(addressOf(place, key, query));
    },
  };
}

const emptySha256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

type Scope = { readonly region: string; readonly product: string; readonly atMs: number };

function signedHeaders(
  place: BucketPlace,
  { host }: URL,
  { method, key, query = [], headers = {} }: BucketRequest,
  credentials: Credentials,
  scope: Scope,
): Headers {
  if (place.dialect === 'oss') {
    const request = { method, bucket: place.bucket, key, query, headers };
    return signOssHeaders(request, credentials, scope);
  }
  const request = { method, host, path: pathOf(place, key), query, headers };
  return signAwsHeaders({ ...request, bodySha256: emptySha256 }, credentials, scope);
}

function signedQuery(
  place: BucketPlace,
  { host }: URL,
  { method, key, query = [], headers = {} }: BucketRequest,
  credentials: Credentials,
  scope: Scope & { readonly expiresS: number },
): Query {
  if (place.dialect === 'oss') {
    const request = { method, bucket: place.bucket, key, query, headers };
    return signOssQuery(request, credentials, scope);
  }
  return signAwsQuery(
    { method, host, path: pathOf(place, key), query, headers },
    credentials,
    scope,
  );
}

function addressOf(place: BucketPlace, key: string, query: Query): string {
  const pairs = query.map(([name, value]) =>
    value === '' ? percentEncoded(name) : `${percentEncoded(name)}=${percentEncoded(value)}`,
  );
  const path = percentEncodedPath(pathOf(place, key));
  return `${place.endpoint}${path}${pairs.length > 0 ? `?${pairs.join('&')}` : ''}`;
}

/**
 * OSS: the host is the bucket's, by its name or by a domain that was given to it. S3: so it is where the name
 * begins with the bucket's; otherwise the bucket is the first part of the path.
 */
function pathOf({ dialect, endpoint, bucket }: BucketPlace, key: string): string {
  const isOwnHost = dialect === 'oss' || endpoint.startsWith(`https://${bucket}.`);
  if (isOwnHost) return `/${key}`;
  return key === '' ? `/${bucket}` : `/${bucket}/${key}`;
}

function isSkewed(answer: HttpAnswer | NoReply): boolean {
  return answer.kind === 'answer' && storeReply(answer).code === 'RequestTimeTooSkewed';
}
