import { Agent } from 'node:https';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutBucketLifecycleConfigurationCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';

/** Who runs the buckets, with the official client: shares no line with what the agent sends. */
export type BucketOwner = {
  create(bucket: string): Promise<void>;
  setPolicy(bucket: string, document: string): Promise<void>;
  /** The document as it stands, not as the client would write it. */
  setRules(bucket: string, document: string): Promise<void>;
  /** Without asking for any encryption. */
  putPlain(bucket: string, key: string, bytes: Uint8Array): Promise<void>;
  keys(bucket: string): Promise<readonly string[]>;
  read(bucket: string, key: string): Promise<Buffer>;
  close(): void;
};

export function bucketOwner(options: {
  readonly endpoint: string;
  readonly region: string;
  readonly ca: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}): BucketOwner {
  const { endpoint, region, ca, accessKeyId, secretAccessKey } = options;
  const s3 = new S3Client({
    region,
    endpoint,
    forcePathStyle: true,
    maxAttempts: 1,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    credentials: { accessKeyId, secretAccessKey },
    requestHandler: { httpsAgent: new Agent({ ca, minVersion: 'TLSv1.3' }) },
  });
  return {
    async create(Bucket) {
      await s3.send(new CreateBucketCommand({ Bucket }));
    },
    async setPolicy(Bucket, Policy) {
      await s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
    },
    async setRules(Bucket, document) {
      const Rules = [{ Status: 'Disabled' as const, Filter: { Prefix: 'none' } }];
      const command = new PutBucketLifecycleConfigurationCommand({
        Bucket,
        LifecycleConfiguration: { Rules },
      });
      command.middlewareStack.add(
        (next) => (args) => {
          const { request } = args;
          if (typeof request === 'object' && request !== null && 'body' in request) {
            request.body = document;
          }
          return next(args);
        },
        // Written by now, and neither summed up nor signed.
        { step: 'serialize', priority: 'low' },
      );
      await s3.send(command);
    },
    async putPlain(Bucket, Key, Body) {
      await s3.send(new PutObjectCommand({ Bucket, Key, Body }));
    },
    async keys(Bucket) {
      const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }));
      return Contents.flatMap(({ Key }) => Key ?? []);
    },
    async read(Bucket, Key) {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
      return Buffer.from((await Body?.transformToByteArray()) ?? []);
    },
    close: () => s3.destroy(),
  };
}
