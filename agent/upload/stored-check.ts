import type { ChecksumAlgorithm, ExpectedReply, Reply } from './cloud-port.ts';

/** Of the bytes that were sent: CRC-64 in decimal, MD5 in base64, SHA-256 in hex. */
export type SentDigests = { readonly crc64: string; readonly md5: string; readonly sha256: string };

export type StoredCheck =
  | { readonly kind: 'stored' }
  | { readonly kind: 'not-stored'; readonly why: StoreLie };

/** What a store that answered did not do, or did not say. */
export const storeLies = [
  'unexpected-status',
  'no-encryption',
  'other-encryption',
  'no-checksum',
  'other-checksum',
] as const;
export type StoreLie = (typeof storeLies)[number];

/**
 * Whether the store did what the grant promised: the status, the promised headers (of the encryption) to the
 * letter, and the checksum of the very bytes. Anything less is no receipt.
 */
export function checkStored(reply: Reply, expect: ExpectedReply, sent: SentDigests): StoredCheck {
  const no = (why: StoreLie): StoredCheck => ({ kind: 'not-stored', why });
  if (!expect.status.includes(reply.status)) return no('unexpected-status');
  for (const [name, value] of Object.entries(expect.headers)) {
    const given = reply.headers[name];
    if (given === undefined) return no('no-encryption');
    if (given !== value) return no('other-encryption');
  }
  const { header, algorithm } = expect.checksum;
  const given = reply.headers[header];
  if (given === undefined || given === '') return no('no-checksum');
  return isChecksum(given, algorithm, sent) ? { kind: 'stored' } : no('other-checksum');
}

/** The forms in which stores write it: decimal, hex, base64, and in quotes as an ETag. */
function isChecksum(given: string, algorithm: ChecksumAlgorithm, sent: SentDigests): boolean {
  const bare = given.replace(/^(?:W\/)?"(.*)"$/, '$1');
  switch (algorithm) {
    case 'crc64ecma':
      return bare === sent.crc64;
    case 'md5':
      return bare === sent.md5 || bare.toLowerCase() === recoded(sent.md5, 'base64', 'hex');
    case 'sha256':
      return bare.toLowerCase() === sent.sha256 || bare === recoded(sent.sha256, 'hex', 'base64');
  }
}

/** Only of our own digest: what is not quite base64 decodes as well. */
function recoded(digest: string, from: 'base64' | 'hex', to: 'base64' | 'hex'): string {
  return Buffer.from(digest, from).toString(to);
}
