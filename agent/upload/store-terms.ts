import type { Dialect } from './bucket-documents.ts';
import type { BatchFacts, ExpectedReply, Headers } from './cloud-port.ts';

/** What a device asks of a bucket for which it signs itself. */
export type StoreTerms = {
  readonly dialect: Dialect;
  /** Of S3 only: which sum the store answers. */
  readonly checksum: 'sha256' | 'etag';
  /** Of the settings: the store must name this one. Null: any of the key management service. */
  readonly keyId: string | null;
  /** What the bucket encrypts with by itself; null: not known, or the key of the service. */
  readonly defaultKeyId: string | null;
};

/** The headers of the PUT. All of them are signed: none can be added, changed or taken away on the way. */
export function objectHeaders(
  terms: StoreTerms,
  batch: Pick<BatchFacts, 'md5' | 'sha256'>,
): Headers {
  const { dialect, checksum } = terms;
  // Asked for without a key, a store takes the service's, not the one that the bucket's owner has chosen.
  const keyId = terms.keyId ?? terms.defaultKeyId;
  const common = { 'content-type': 'application/gzip', 'content-md5': batch.md5 };
  if (dialect === 'oss') {
    return {
      ...common,
      'x-oss-forbid-overwrite': 'true',
      'x-oss-meta-purpose': 'face-bugfix',
      ...encryption(dialect, keyId),
    };
  }
  const sum = Buffer.from(batch.sha256, 'hex').toString('base64');
  return {
    ...common,
    'if-none-match': '*',
    'x-amz-content-sha256': batch.sha256,
    ...(checksum === 'sha256' && { 'x-amz-checksum-sha256': sum }),
    'x-amz-meta-purpose': 'face-bugfix',
    ...encryption(dialect, keyId),
  };
}

/** What the store must answer to it. S3 answers a key of the bucket's by a longer name than it was given. */
export function expectedOfPut({ dialect, checksum, keyId }: StoreTerms): ExpectedReply {
  return {
    status: [200],
    headers: encryption(dialect, keyId),
    checksum:
      dialect === 'oss'
        ? { header: 'x-oss-hash-crc64ecma', algorithm: 'crc64ecma' }
        : sumsOfS3[checksum],
  };
}

/** What it must answer when it is asked whether it has the object, of which only the digests are known then. */
export function expectedOfHead(terms: StoreTerms): ExpectedReply {
  const expected = expectedOfPut(terms);
  return terms.dialect === 'oss' ? { ...expected, checksum: sumsOfS3.etag } : expected;
}

/** With which a store tells its sum of an object that was put earlier. */
export function headHeaders({ dialect, checksum }: StoreTerms): Headers {
  return dialect === 's3' && checksum === 'sha256' ? { 'x-amz-checksum-mode': 'ENABLED' } : {};
}

const sumsOfS3 = {
  sha256: { header: 'x-amz-checksum-sha256', algorithm: 'sha256' },
  etag: { header: 'etag', algorithm: 'md5' },
} as const;

function encryption(dialect: Dialect, keyId: string | null): Headers {
  return dialect === 'oss'
    ? {
        'x-oss-server-side-encryption': 'KMS',
        ...(keyId !== null && { 'x-oss-server-side-encryption-key-id': keyId }),
      }
    : {
        'x-amz-server-side-encryption': 'aws:kms',
        ...(keyId !== null && { 'x-amz-server-side-encryption-aws-kms-key-id': keyId }),
      };
}
