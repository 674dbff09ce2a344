import { join } from 'node:path';
import { describe } from 'vitest';
import { openRecordStore } from '../../io/store/record-store.ts';
import { memoryFolder } from '../fakes/memory-folder.ts';
import { memoryRecordStore } from '../fakes/memory-record-store.ts';
import { recordStoreContract } from './record-store-contract.ts';

for (const [name, open] of [
  ['memory', () => memoryRecordStore({ maxRecords: 100 })],
  ['sqlite', sqlite],
] as const) {
  describe(`record store: ${name}`, () => recordStoreContract(open));
}

function sqlite() {
  const own = memoryFolder();
  return openRecordStore({
    file: join(own, 'records.db'),
    keyFile: join(own, 'epoch.key'),
    limits: { maxRecords: 100, maxBytes: 1 << 20 },
  }).store;
}
