import { writeSync } from 'node:fs';
import { openRecordStore } from '../../io/store/record-store.ts';
import { someRecords } from './some-record.ts';

/**
 * A process to be killed: appends groups of ten records to the store it is given and says the number of each
 * group that is in it; now and then it forgets the oldest, or purges.
 */
const [file = '', keyFile = '', first = '0'] = process.argv.slice(2);
const limits = { maxRecords: 400, maxBytes: 1 << 20 };
const { store, found } = openRecordStore({ file, keyFile, limits });
writeSync(1, `${found}\n`);
for (let group = Number(first); ; group++) {
  store.append(someRecords(10, group * 10));
  writeSync(1, `${group}\n`);
  if (group % 3 === 0) store.forget(store.oldest(15).map(({ id }) => id));
  if (group % 5 === 0) store.purge(({ runDay }) => runDay < 20_000 + group / 100 - 0.2);
}
