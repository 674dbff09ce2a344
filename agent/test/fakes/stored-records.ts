import { md5Base64, sha256Hex } from '../../io/files/digests.ts';
import { gzip } from '../../io/files/gzip.ts';
import type { StoredRecord } from '../../ports.ts';
import { batchLimits, type Sealing } from '../../ueip/batch.ts';
import { dayMs } from '../../ueip/month.ts';
import { recordFrom, storable } from '../../ueip/record.ts';
import { anonymised, builds, covered, openedAtMs } from './anonymised.ts';

/** The count of days in the hour in which they were all collected. */
export const openedDay = openedAtMs / dayMs;

const lines = anonymised(
  'code24',
  Array.from({ length: 120 }, (_, i) => ({ face: i, overheadMs: i * 10 })),
).map((each) => storable(recordFrom(each, builds, covered), openedDay));

/** A record as a store gives it; those whose ids differ by less than 120 are different. */
export function storedRecord(id: number, changes: Partial<StoredRecord> = {}): StoredRecord {
  const line = lines[id % lines.length];
  if (!line) throw new Error('there is no line');
  return { ...line, id, ...changes };
}

/** Ids from 0. */
export function storedRecords(count: number): StoredRecord[] {
  return Array.from({ length: count }, (_, id) => storedRecord(id));
}

/** At the midnight after, with an hour to send it in. */
export const sealing = {
  now: {
    wallMs: openedAtMs + 18 * 3_600_000,
    clockTrusted: true,
    runDay: openedDay + 0.75,
  },
  sentWithinMs: 3_600_000,
  limits: batchLimits,
  compress: gzip,
  sha256: sha256Hex,
  md5: md5Base64,
} as const satisfies Sealing;
