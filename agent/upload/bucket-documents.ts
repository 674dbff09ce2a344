import { ttlClasses, ttlPrefix } from '../ueip/age-class.ts';
import { escapedXml } from './xml-document.ts';

/** Which vendor's language a bucket speaks. */
export const dialects = ['oss', 's3'] as const;
export type Dialect = (typeof dialects)[number];

/**
 * The lifecycle rules for the bucket: one for each age class, so that `ttl27/` is deleted after 27 days. A class is
 * what a record has left of its month, less two days, because stores delete in the run after.
 */
export function lifecycleDocument(dialect: Dialect): string {
  const rules = ttlClasses.map((days) => {
    const prefix = `<Prefix>${ttlPrefix(days)}</Prefix>`;
    return [
      '  <Rule>',
      `    <ID>ueip-${ttlPrefix(days).slice(0, -1)}</ID>`,
      `    ${dialect === 'oss' ? prefix : `<Filter>${prefix}</Filter>`}`,
      '    <Status>Enabled</Status>',
      `    <Expiration><Days>${days}</Days></Expiration>`,
      '  </Rule>',
    ].join('\n');
  });
  return xmlDocument('LifecycleConfiguration', rules);
}

/** The encryption for what comes without asking for one. `keyId` null: the key that the service keeps itself. */
export function encryptionDocument(dialect: Dialect, keyId: string | null): string {
  const algorithm = dialect === 'oss' ? 'KMS' : 'aws:kms';
  const key = keyId === null ? '' : `<KMSMasterKeyID>${escapedXml(keyId)}</KMSMasterKeyID>`;
  const rule = `<ApplyServerSideEncryptionByDefault><SSEAlgorithm>${algorithm}</SSEAlgorithm>${key}</ApplyServerSideEncryptionByDefault>`;
  return dialect === 'oss'
    ? xmlDocument('ServerSideEncryptionRule', [`  ${rule}`])
    : xmlDocument('ServerSideEncryptionConfiguration', [`  <Rule>${rule}</Rule>`]);
}

/**
 * The policy of the bucket: nobody may use it without TLS, and nobody may put what is not to be encrypted by
 * the key management service. OSS has no condition for the latter: there the encryption above does it.
 */
export function policyDocument(dialect: Dialect, bucket: string, keyId: string | null): string {
  const policy = dialect === 'oss' ? ossPolicy(bucket) : s3Policy(bucket, keyId);
  return `${JSON.stringify(policy, null, 2)}\n`;
}

function ossPolicy(bucket: string) {
  return {
    Version: '1',
    Statement: [
      {
        Effect: 'Deny',
        Principal: ['*'],
        Action: ['oss:*'],
        Resource: [`acs:oss:*:*:${bucket}`, `acs:oss:*:*:${bucket}/*`],
        Condition: { Bool: { 'acs:SecureTransport': ['false'] } },
      },
    ],
  };
}

function s3Policy(bucket: string, keyId: string | null) {
  const objects = `arn:aws:s3:::${bucket}/*`;
  const putUnless = (sid: string, header: string, value: string) => ({
    Sid: sid,
    Effect: 'Deny',
    Principal: '*',
    Action: 's3:PutObject',
    Resource: objects,
    Condition: { StringNotEquals: { [`s3:${header}`]: value } },
  });
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'OnlyOverTls',
        Effect: 'Deny',
        Principal: '*',
        Action: 's3:*',
        Resource: [`arn:aws:s3:::${bucket}`, objects],
        Condition: { Bool: { 'aws:SecureTransport': 'false' } },
      },
      putUnless('OnlyEncrypted', 'x-amz-server-side-encryption', 'aws:kms'),
      ...(keyId === null
        ? []
        : [putUnless('OnlyUnderThisKey', 'x-amz-server-side-encryption-aws-kms-key-id', keyId)]),
      // AWS takes a header that is missing for one that differs. Ceph does not.
      {
        Sid: 'OnlyIfAsked',
        Effect: 'Deny',
        Principal: '*',
        Action: 's3:PutObject',
        Resource: objects,
        Condition: { Null: { 's3:x-amz-server-side-encryption': 'true' } },
      },
    ],
  };
}

function xmlDocument(root: string, lines: readonly string[]): string {
  return ['<?xml version="1.0" encoding="UTF-8"?>', `<${root}>`, ...lines, `</${root}>`, ''].join(
    '\n',
  );
}
