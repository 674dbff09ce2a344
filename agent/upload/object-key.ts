import { createHash } from 'node:crypto';
import { ttlPrefix } from '../ueip/age-class.ts';
import type { BatchFacts } from './cloud-port.ts';

/**
 * Where a batch lies in a bucket for which the device signs itself: `ttl27/ueip/<2 hex>/<24 hex>/<batch>.jsonl.gz`.
 * The age class is first, because the bucket deletes by prefix; then a hash, so that keys of many devices are not
 * in one order (stores are slower with those). The same batch has the same key, until it is a day older.
 *
 * The middle part is a hash of the consent's id: all objects of one grant lie together, and nobody who lists the
 * bucket learns the id.
 */
export function objectKeyOf({
  batchId,
  consentId,
  ttlDays,
}: Pick<BatchFacts, 'batchId' | 'consentId' | 'ttlDays'>): string {
  return `${ttlPrefix(ttlDays)}${folderOf(consentId)}${batchId}.jsonl.gz`;
}

/** Whether the device has named it, and not a cloud that gave grants. */
export function isOwnKey(objectKey: string, consentId: string): boolean {
  return objectKey.slice(ttlPrefix(1).length).startsWith(folderOf(consentId));
}

function folderOf(consentId: string): string {
  const pseudonym = createHash('sha256').update(`ueip ${consentId}`).digest('hex').slice(0, 24);
  return `ueip/${pseudonym.slice(0, 2)}/${pseudonym}/`;
}
