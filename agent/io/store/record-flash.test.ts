import { join } from 'node:path';
import { expect, test } from 'vitest';
import { recordDays } from '../../test/fakes/record-days.ts';
import { temporaryFolder } from '../../test/fakes/temporary-folder.ts';
import { threadWrittenBytes } from '../files/written-bytes.ts';

test('S0-7 a day of 1,000 records writes at most three times their bytes to the flash, the overwriting included', () => {
  const folder = temporaryFolder();
  const { records, recordBytes, written } = recordDays({
    file: join(folder, 'records.db'),
    keyFile: join(folder, 'epoch.key'),
    limits: { maxRecords: 50_000, maxBytes: 32 << 20 },
    habit: 'sent every night',
    warmUpDays: 2,
    measuredDays: 2,
    meters: [() => threadWrittenBytes() ?? 0],
  });
  expect(records).toBe(2016);
  expect(recordBytes / records).toBeGreaterThan(300);
  const [flashBytes = Number.NaN] = written;
  // In memory only, or without an account of the kernel's, nothing is measured: 0.
  if (flashBytes !== 0) expect(flashBytes).toBeGreaterThan(recordBytes / 2);
  expect(flashBytes).toBeLessThanOrEqual(3 * recordBytes);
});
