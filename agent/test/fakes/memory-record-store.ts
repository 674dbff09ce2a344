import type { RecordStore, StoredRecord } from '../../ports.ts';

/** The contract of RecordStore in memory, for tests that are not about files. Every record can be opened. */
export function memoryRecordStore({
  maxRecords = Number.POSITIVE_INFINITY,
}: {
  readonly maxRecords?: number;
} = {}): RecordStore {
  let records: StoredRecord[] = [];
  let lastId = 0;
  let evicted = 0;
  let days = 0;
  let isClosed = false;
  const open = () => {
    if (isClosed) throw new TypeError('this record store is closed');
  };
  const copy = (record: StoredRecord) => ({ ...record, line: record.line.slice() });
  return {
    append(added) {
      open();
      const all = [...records, ...added.map((record) => copy({ ...record, id: ++lastId }))];
      const excess = Math.max(0, all.length - maxRecords);
      records = all.slice(excess);
      evicted += excess;
      return { evicted: excess };
    },
    oldest(most) {
      open();
      return records.slice(0, most).map(copy);
    },
    forget(ids) {
      open();
      const gone = new Set(ids);
      records = records.filter(({ id }) => !gone.has(id));
    },
    purge(isExpired) {
      open();
      const before = records.length;
      records = records.filter(({ collected }) => !isExpired(collected));
      return before - records.length;
    },
    counts() {
      open();
      return {
        records: records.length,
        sizeBytes: records.reduce((sum, { line }) => sum + line.length, 0),
        oldestWallMs: records[0]?.collected.wallMs ?? null,
        evicted,
        unreadable: 0,
      };
    },
    runDays: {
      read: () => days,
      write(now) {
        open();
        days = now;
      },
    },
    close() {
      isClosed = true;
    },
  };
}
